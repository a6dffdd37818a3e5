/// Off-heap tensors, their gradients and the files they live in.
module dev.gatun.runtime {
  requires static transitive org.jspecify;
  requires transitive tools.jackson.databind;

  exports dev.gatun.runtime;
  exports dev.gatun.runtime.safetensors;
}
