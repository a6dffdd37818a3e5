/// NCCL: collectives between CUDA devices. Made by jextract.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings.nccl;
