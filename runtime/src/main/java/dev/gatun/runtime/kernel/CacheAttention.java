package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Attention of one query over a cache of keys and values, read where they lie.
public final class CacheAttention {
  /// Elements of keys that are worth a thread.
  private static final long LEAST_ELEMENTS = 1 << 14;

  private CacheAttention() {}

  /// {@return whether this kernel computes these}
  ///
  /// @param q `(B, H, 1, D)`
  /// @param k `(B, G, S, D)`; each head's keys one after the other
  /// @param v as k
  public static boolean takes(Tensor q, Tensor k, Tensor v) {
    DType dtype = q.dtype();
    return (dtype == DType.F32 || dtype == DType.BF16)
        && !q.device().isCuda()
        && q.size(2) == 1
        && q.size(3) % Lanes.COUNT == 0
        && areRows(q)
        && areRows(k)
        && areRows(v);
  }

  private static boolean areRows(Tensor x) {
    long[] strides = x.strides();
    return strides[3] == 1 && (x.size(2) == 1 || strides[2] == x.size(3));
  }

  /// Writes the attention's output to `result`.
  ///
  /// @param scope for the number of threads
  /// @param q `(B, H, 1, D)`, taken by [#takes]
  /// @param k `(B, G, S, D)`
  /// @param v `(B, G, S, D)`
  /// @param scale factor of the scores
  /// @param result `(B, H, 1, D)`, of the type of q, row-major
  public static void attend(
      Scope scope, Tensor q, Tensor k, Tensor v, double scale, Tensor result) {
    int heads = (int) q.size(1);
    int shared = (int) (q.size(1) / k.size(1));
    int keys = (int) k.size(2);
    int size = (int) q.size(3);
    long[] qs = q.strides();
    long[] ks = k.strides();
    long[] vs = v.strides();
    Memory.with(
        m ->
            Parallel.ranges(
                scope,
                q.size(0) * heads,
                1,
                1 + LEAST_ELEMENTS / ((long) keys * size),
                (from, to) -> {
                  float[] query = new float[size];
                  int most = Math.max(1, Block.ELEMENTS / size);
                  float[] rows = new float[most * size];
                  float[] sum = new float[size];
                  float[] weights = new float[Lanes.padded(keys)];
                  for (long i = from; i < to; i++) {
                    long b = i / heads;
                    long h = i % heads;
                    long g = h / shared;
                    m[0].load(b * qs[0] + h * qs[1], query, size);
                    long keyRows = b * ks[0] + g * ks[1];
                    for (int j = 0; j < keys; j += most) {
                      int count = Math.min(most, keys - j);
                      m[1].load(keyRows + (long) j * size, rows, count * size);
                      scores(query, rows, (float) scale, weights, j, count);
                    }
                    Softmax.normalise(weights, keys);
                    Arrays.fill(sum, 0);
                    long valueRows = b * vs[0] + g * vs[1];
                    for (int j = 0; j < keys; j += most) {
                      int count = Math.min(most, keys - j);
                      m[2].load(valueRows + (long) j * size, rows, count * size);
                      add(sum, rows, weights, j, count);
                    }
                    m[3].store(sum, i * size, size);
                  }
                }),
        q,
        k,
        v,
        result);
  }

  private static void scores(
      float[] query, float[] keys, float scale, float[] scores, int first, int count) {
    for (int j = 0; j < count; j++) {
      FloatVector sum = Lanes.of(0);
      for (int i = 0; i < query.length; i += Lanes.COUNT) {
        sum = Lanes.of(query, i).fma(Lanes.of(keys, j * query.length + i), sum);
      }
      scores[first + j] = scale * Lanes.sum(sum);
    }
  }

  private static void add(float[] sum, float[] values, float[] weights, int first, int count) {
    for (int i = 0; i < sum.length; i += Lanes.COUNT) {
      FloatVector all = Lanes.of(sum, i);
      for (int j = 0; j < count; j++) {
        all = Lanes.of(values, j * sum.length + i).fma(Lanes.of(weights[first + j]), all);
      }
      all.intoArray(sum, i);
    }
  }
}
