/// Finds libtorch, unpacks it if need be, checks its version and opens it once per process.
@NullMarked
package dev.gatun.bindings.load;

import org.jspecify.annotations.NullMarked;
