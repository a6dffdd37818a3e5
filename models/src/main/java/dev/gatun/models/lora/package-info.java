/// Low-rank adapters: made, trained, merged, saved.
@NullMarked
package dev.gatun.models.lora;

import org.jspecify.annotations.NullMarked;
