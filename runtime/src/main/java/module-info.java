/// Off-heap tensors on libtorch's C ABI: scopes, operations with gradients, optimizers,
/// safetensors.
@SuppressWarnings("module") // the modules that it is exported to are built after it
module dev.gatun.runtime {
  requires dev.gatun.bindings;
  requires jdk.jfr;
  requires transitive tools.jackson.databind;
  requires static jdk.incubator.vector;
  requires static transitive com.google.errorprone.annotations;
  requires static transitive org.jspecify;

  exports dev.gatun.runtime;
  exports dev.gatun.runtime.compiled;
  exports dev.gatun.runtime.internal.cuda to
      dev.gatun.bench;
  exports dev.gatun.runtime.kernel.cuda to
      dev.gatun.bench;
  exports dev.gatun.runtime.op;
  exports dev.gatun.runtime.optim;
  exports dev.gatun.runtime.random;
  exports dev.gatun.runtime.safetensors;
}
