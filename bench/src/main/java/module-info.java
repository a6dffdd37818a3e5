/// Benchmarks of native calls and of whole training steps.
@SuppressWarnings("requires-automatic") // JMH is no module of its own
open module dev.gatun.bench { // JMH and Jackson read its classes
  requires dev.gatun.bindings;
  requires dev.gatun.models;
  requires dev.gatun.tokenizers;
  requires jdk.jfr;
  requires jmh.core;
  requires static com.google.errorprone.annotations;
  requires static org.jspecify;
}
