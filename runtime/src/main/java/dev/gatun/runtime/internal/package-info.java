/// The calls into libtorch; not exported.
@NullMarked
package dev.gatun.runtime.internal;

import org.jspecify.annotations.NullMarked;
