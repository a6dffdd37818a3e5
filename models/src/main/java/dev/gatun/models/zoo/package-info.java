/// One file per architecture, named as the checkpoint's model_type.
@NullMarked
package dev.gatun.models.zoo;

import org.jspecify.annotations.NullMarked;
