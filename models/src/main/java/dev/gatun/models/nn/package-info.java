/// Parts of models: parameters, linear layers with adapters, the rotary decoder.
@NullMarked
package dev.gatun.models.nn;

import org.jspecify.annotations.NullMarked;
