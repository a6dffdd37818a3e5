/// Kernels for CUDA devices, the twins of those in `runtime.kernel`: on raw device addresses, on
/// the calling thread's current stream, without waiting. Callers check shapes and types, and keep
/// the memory until the stream has come so far.
///
/// f32, bf16 and f16 elements, row-major; arithmetic is f32. Runs of 16 bytes are read at once
/// where addresses and widths allow it. The same inputs give the same bits.
@NullMarked
package dev.gatun.runtime.kernel.cuda;

import org.jspecify.annotations.NullMarked;
