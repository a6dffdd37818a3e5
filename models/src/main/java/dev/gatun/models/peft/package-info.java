/// The adapter format of Hugging Face PEFT: configuration, module matching, tensor names, checks.
@NullMarked
package dev.gatun.models.peft;

import org.jspecify.annotations.NullMarked;
