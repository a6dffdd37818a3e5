/// The CUDA driver API. Made by jextract.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.cuda;
