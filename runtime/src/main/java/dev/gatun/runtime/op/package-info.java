/// Operations on tensors, each beside its gradient.
@NullMarked
package dev.gatun.runtime.op;

import org.jspecify.annotations.NullMarked;
