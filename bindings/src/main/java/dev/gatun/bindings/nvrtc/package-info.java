/// NVRTC: compiles CUDA C++ at run time. Made by jextract.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.nvrtc;
