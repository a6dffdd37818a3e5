package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/// Softmax of rows, in place.
public final class Softmax {
  private Softmax() {}

  /// Overwrites rows of logits with their softmax and tells the logarithms of their sums.
  ///
  /// @param scope for the number of threads
  /// @param logits `(M, V)`, taken by [Kernels#take]
  /// @param logSums receives the logarithm of the sum of e^z of each row
  public static void rows(Scope scope, Tensor logits, double[] logSums) {
    int width = (int) logits.size(1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                logSums.length,
                width,
                () -> {
                  float[] row = new float[Lanes.padded(width)];
                  return i -> {
                    m[0].loadRow(i * width, row, width, Float.NEGATIVE_INFINITY);
                    float largest = largest(row);
                    float sum = exponentials(row, largest);
                    scale(row, 1 / sum);
                    logSums[(int) i] = largest + Math.log(sum);
                    m[0].store(row, i * width, width);
                  };
                }),
        logits);
  }

  /// Rows of attention scores, and which of their keys count.
  ///
  /// @param queries queries of a head, consecutive rows
  /// @param seen keys that the first query of a head sees, one more for each that follows; or all
  ///   keys for every query where `causal` is not set
  /// @param causal whether later queries see more
  /// @param mask added to the scores: `(B, H, T, S)` with 1 in place of any but S, or null;
  ///   row-major
  /// @param first the first query's index in the mask
  public record Attention(
      int heads, int queries, int seen, boolean causal, @Nullable Tensor mask, int first) {}

  /// Overwrites attention scores with weights: rows sum to 1, keys that are masked or lie ahead
  /// weigh exactly 0, and so does each key of a query that sees none.
  ///
  /// @param scope for the number of threads
  /// @param scores `(B G, r T', S')`: the heads of a sequence are consecutive, T' rows each; taken
  ///   by [Kernels#take]
  /// @param attention what is masked
  public static void attention(Scope scope, Tensor scores, Attention attention) {
    int width = (int) scores.size(2);
    Tensor mask = attention.mask == null ? scores : attention.mask;
    boolean masked = attention.mask != null;
    long[] shape = mask.shape();
    Memory.with(
        m ->
            Memory.rows(
                scope,
                scores.size(0) * scores.size(1),
                width,
                () -> {
                  float[] row = new float[Lanes.padded(width)];
                  float[] bias = new float[masked ? row.length : 0];
                  return i -> {
                    long head = i / attention.queries;
                    int query = (int) (i % attention.queries);
                    int visible = attention.causal ? attention.seen + query : attention.seen;
                    m[0].load(i * width, row, visible);
                    if (masked) {
                      long b = shape[0] == 1 ? 0 : head / attention.heads;
                      long h = shape[1] == 1 ? 0 : head % attention.heads;
                      long t = shape[2] == 1 ? 0 : attention.first + query;
                      long at = ((b * shape[1] + h) * shape[2] + t) * shape[3];
                      m[1].load(at, bias, visible);
                      add(row, bias);
                    }
                    Arrays.fill(row, visible, row.length, Float.NEGATIVE_INFINITY);
                    float largest = largest(row);
                    if (largest == Float.NEGATIVE_INFINITY) {
                      Arrays.fill(row, 0);
                    } else {
                      scale(row, 1 / exponentials(row, largest));
                    }
                    m[0].store(row, i * width, width);
                  };
                }),
        scores,
        mask);
  }

  /// Overwrites the gradient of softmax's result with that of its argument: p (g - Σ p g).
  ///
  /// @param scope for the number of threads
  /// @param flow `(..., S)`, taken by [Kernels#take] with the weights
  /// @param weights p, of the shape of `flow`
  public static void gradient(Scope scope, Tensor flow, Tensor weights) {
    int width = (int) flow.size(-1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                flow.elements() / width,
                width,
                () -> {
                  float[] g = new float[Lanes.padded(width)];
                  float[] p = new float[g.length];
                  return i -> {
                    m[0].loadRow(i * width, g, width, 0);
                    m[1].loadRow(i * width, p, width, 0);
                    gradient(g, p, dot(g, p));
                    m[0].store(g, i * width, width);
                  };
                }),
        flow,
        weights);
  }

  /// Overwrites the first `count` elements with their softmax; the rest of the array is written
  /// too.
  static void normalise(float[] row, int count) {
    Arrays.fill(row, count, row.length, Float.NEGATIVE_INFINITY);
    scale(row, 1 / exponentials(row, largest(row)));
  }

  static float largest(float[] row) {
    FloatVector most = Lanes.of(row, 0);
    for (int i = Lanes.COUNT; i < row.length; i += Lanes.COUNT) {
      most = most.max(Lanes.of(row, i));
    }
    return most.reduceLanes(VectorOperators.MAX);
  }

  /// Overwrites x with e^(x - largest) and returns the sum.
  static float exponentials(float[] row, float largest) {
    FloatVector sum = Lanes.of(0);
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      FloatVector e = Lanes.exp(Lanes.of(row, i).sub(largest));
      e.intoArray(row, i);
      sum = sum.add(e);
    }
    return Lanes.sum(sum);
  }

  static void scale(float[] row, float factor) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      Lanes.of(row, i).mul(factor).intoArray(row, i);
    }
  }

  private static void add(float[] row, float[] more) {
    for (int i = 0; i < row.length; i += Lanes.COUNT) {
      Lanes.of(row, i).add(Lanes.of(more, i)).intoArray(row, i);
    }
  }

  private static float dot(float[] a, float[] b) {
    FloatVector sum = Lanes.of(0);
    for (int i = 0; i < a.length; i += Lanes.COUNT) {
      sum = Lanes.of(a, i).fma(Lanes.of(b, i), sum);
    }
    return Lanes.sum(sum);
  }

  private static void gradient(float[] flow, float[] p, float dot) {
    for (int i = 0; i < flow.length; i += Lanes.COUNT) {
      Lanes.of(flow, i).sub(dot).mul(Lanes.of(p, i)).intoArray(flow, i);
    }
  }
}
