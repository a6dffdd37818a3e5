/// libtorch's C ABI: `Torch` is libtorch_cpu, `TorchCuda` is libtorch_cuda. Made by jextract.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.torch;
