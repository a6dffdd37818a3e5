/// CUDA by its driver API and NVRTC: kernels, launches, events, graphs and pinned memory, in the
/// primary context and on the streams of libtorch.
@NullMarked
package dev.gatun.runtime.internal.cuda;

import org.jspecify.annotations.NullMarked;
