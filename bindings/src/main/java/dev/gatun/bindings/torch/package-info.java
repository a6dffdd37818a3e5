/// The C ABI of libtorch, as jextract sees it: `Torch` of libtorch_cpu, `TorchCuda` of libtorch_cuda.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.torch;
