/// Counter-based random numbers for dropout masks.
@NullMarked
package dev.gatun.runtime.random;

import org.jspecify.annotations.NullMarked;
