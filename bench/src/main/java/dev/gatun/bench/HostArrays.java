package dev.gatun.bench;

import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Two f32 arrays, to copy from and to.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // a library's state calls fill() before a benchmark
public abstract class HostArrays {
  /// Bytes of each.
  @Param({"1024", "65536", "4194304"})
  public int bytes;

  /// What is copied from.
  protected float[] array;

  /// What is copied to.
  protected float[] other;

  /// Makes the arrays and fills the first.
  protected final void fill() {
    array = new float[bytes / Float.BYTES];
    for (int i = 0; i < array.length; i++) {
      array[i] = i;
    }
    other = new float[array.length];
  }
}
