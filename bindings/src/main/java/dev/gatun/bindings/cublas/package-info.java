/// cuBLAS and cuBLASLt: matrix products on CUDA devices. Made by jextract.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.cublas;
