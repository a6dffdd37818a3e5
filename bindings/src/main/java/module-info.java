/// Bindings to libtorch's C ABI and to the CUDA libraries, made by jextract, and the code that
/// finds and opens them.
@SuppressWarnings("module") // the modules that it is exported to are built after it
module dev.gatun.bindings {
  requires static transitive org.jspecify;

  exports dev.gatun.bindings.cublas to
      dev.gatun.runtime,
      dev.gatun.bench;
  exports dev.gatun.bindings.cuda to
      dev.gatun.runtime,
      dev.gatun.bench;
  exports dev.gatun.bindings.load to
      dev.gatun.runtime,
      dev.gatun.bench;
  exports dev.gatun.bindings.nccl to
      dev.gatun.runtime,
      dev.gatun.bench;
  exports dev.gatun.bindings.nvrtc to
      dev.gatun.runtime,
      dev.gatun.bench;
  exports dev.gatun.bindings.torch to
      dev.gatun.runtime,
      dev.gatun.bench;

  // The resources of the package are the runtime's: the operator schemas, the optional symbols.
  opens dev.gatun.bindings.torch to
      dev.gatun.runtime;
}
