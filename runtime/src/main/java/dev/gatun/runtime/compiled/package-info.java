/// Runs models that Python's `torch._inductor` has compiled ahead of time into `.pt2` packages.
@NullMarked
package dev.gatun.runtime.compiled;

import org.jspecify.annotations.NullMarked;
