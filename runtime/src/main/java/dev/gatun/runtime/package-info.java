/// Off-heap tensors on libtorch, and what every file format of the project shares.
@NullMarked
package dev.gatun.runtime;

import org.jspecify.annotations.NullMarked;
