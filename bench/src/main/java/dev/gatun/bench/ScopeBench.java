package dev.gatun.bench;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/// What it costs to open a scope, to make tensors of one element in it, and to close it.
@State(org.openjdk.jmh.annotations.Scope.Thread)
public class ScopeBench extends NativeBench {
  /// How many tensors, or segments, are made.
  @Param({"0", "1", "10"})
  public int tensors;

  /// Opens and closes an arena, for scale: what a scope has inside.
  @Benchmark
  public void arena(Blackhole sink) {
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < tensors; i++) {
        sink.consume(arena.allocate(4, 4));
      }
      sink.consume(arena);
    }
  }

  /// Opens and closes a confined scope.
  @Benchmark
  public void confined(Blackhole sink) {
    try (Scope scope = Scope.open()) {
      fill(scope, sink);
    }
  }

  /// Opens and closes a scope for use from any thread.
  @Benchmark
  public void shared(Blackhole sink) {
    try (Scope scope = Scope.openShared()) {
      fill(scope, sink);
    }
  }

  /// Opens and closes a scope inside another, as operations do for their temporaries.
  @Benchmark
  public void child(Parent parent, Blackhole sink) {
    try (Scope scope = parent.scope.child()) {
      fill(scope, sink);
    }
  }

  private void fill(Scope scope, Blackhole sink) {
    for (int i = 0; i < tensors; i++) {
      sink.consume(scope.empty(DType.F32, 1));
    }
    sink.consume(scope);
  }

  /// The scope around the children.
  @State(org.openjdk.jmh.annotations.Scope.Thread)
  @SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
  public static class Parent {
    private Scope scope;

    /// Opens it.
    @Setup
    @SuppressWarnings("MustBeClosedChecker") // close() does
    public void open() {
      scope = Scope.open();
    }

    /// Closes it.
    @TearDown
    public void close() {
      scope.close();
    }
  }
}
