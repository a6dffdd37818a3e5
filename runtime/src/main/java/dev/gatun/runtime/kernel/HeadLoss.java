package dev.gatun.runtime.kernel;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Losses of rows of logits and their gradients, which take the logits' place.
public final class HeadLoss {
  /// Stands past the end of a row: no weight, and no difference between two of them.
  private static final float NOTHING = -1e30f;

  private HeadLoss() {}

  /// Computes the cross-entropy of each row.
  ///
  /// @param scope for the number of threads
  /// @param logits `(M, V)`, taken by [Kernels#take]; overwritten with p - 1 at the label and p
  ///   elsewhere where `gradient` is set
  /// @param labels M ids below V
  /// @param gradient whether the gradient is wanted
  /// @param task receives the loss of each row, in nats
  public static void crossEntropy(
      Scope scope, Tensor logits, long[] labels, boolean gradient, double[] task) {
    int width = (int) logits.size(1);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                labels.length,
                width,
                () -> {
                  float[] row = new float[Lanes.padded(width)];
                  return i -> {
                    int label = (int) labels[(int) i];
                    m[0].loadRow(i * width, row, width, NOTHING);
                    float z = row[label];
                    float largest = Softmax.largest(row);
                    float sum = Softmax.exponentials(row, largest);
                    task[(int) i] = largest - z + Math.log(sum);
                    if (gradient) {
                      Softmax.scale(row, 1 / sum);
                      row[label] -= 1;
                      m[0].store(row, i * width, width);
                    }
                  };
                }),
        logits);
  }

  /// What is asked of [#withDivergence].
  ///
  /// @param lambda weight of the divergence in the gradients
  /// @param oneWay whether the divergence is KL(p || q) alone, not half the sum of both ways
  /// @param first whether the gradient to the first logits is wanted: of the task and of the
  ///   divergence, the second distribution taken as constant
  /// @param second whether that of the divergence to the second logits is wanted, the first taken
  ///   as constant
  public record Wanted(double lambda, boolean oneWay, boolean first, boolean second) {}

  /// Computes the cross-entropy of each row of the first logits and half the bidirectional KL
  /// divergence between both.
  ///
  /// With r = log p - log q the gradient of the divergence to the logits of p is ½ (p (r - Σ p r) +
  /// p - q), and the divergence itself ½ Σ (p - q) r. All sums come from one pass: the means of z1
  /// - z2 under p and q differ by the same as those of r. That of KL(p || q) alone is p (r - Σ p
  ///   r).
  ///
  /// @param scope for the number of threads
  /// @param logits1 `(M, V)`, taken by [Kernels#take] with `logits2`; overwritten with its gradient
  ///   where that is wanted
  /// @param logits2 `(M, V)`, as `logits1`
  /// @param labels M ids below V
  /// @param wanted what is wanted
  /// @param task receives the cross-entropy of each row, in nats
  /// @param divergence receives the divergence of each row, in nats
  public static void withDivergence(
      Scope scope,
      Tensor logits1,
      Tensor logits2,
      long[] labels,
      Wanted wanted,
      double[] task,
      double[] divergence) {
    int width = (int) logits1.size(1);
    float weight = (float) (wanted.oneWay ? wanted.lambda : wanted.lambda / 2);
    Memory.with(
        m ->
            Memory.rows(
                scope,
                labels.length,
                width,
                () -> {
                  float[] a = new float[Lanes.padded(width)];
                  float[] b = new float[a.length];
                  float[] g = new float[a.length];
                  return i -> {
                    int label = (int) labels[(int) i];
                    m[0].loadRow(i * width, a, width, NOTHING);
                    m[1].loadRow(i * width, b, width, NOTHING);
                    Sums first = Sums.of(a, b);
                    Sums second = Sums.of(b, a);
                    double apart = first.log - second.log;
                    task[(int) i] = first.log - a[label];
                    divergence[(int) i] =
                        wanted.oneWay ? first.mean - apart : 0.5 * (first.mean + second.mean);
                    if (wanted.first) {
                      halfOther(b, second, wanted.oneWay ? 0 : weight, g);
                      double shift = second.log - (first.mean - apart) + (wanted.oneWay ? 0 : 1);
                      combine(a, b, (float) first.log, (float) shift, weight, 1, g);
                      g[label] -= 1;
                      m[0].store(g, i * width, width);
                    }
                    if (wanted.second) {
                      halfOther(a, first, weight, g);
                      double shift = first.log - (second.mean + apart) + 1;
                      combine(b, a, (float) second.log, (float) shift, weight, 0, g);
                      m[1].store(g, i * width, width);
                    }
                  };
                }),
        logits1,
        logits2);
  }

  /// The logarithm of a row's sum of e^z, and the mean of z - other under its softmax.
  private record Sums(double log, double mean) {
    static Sums of(float[] z, float[] other) {
      float largest = Softmax.largest(z);
      FloatVector sum = Lanes.of(0);
      FloatVector weighted = sum;
      for (int i = 0; i < z.length; i += Lanes.COUNT) {
        FloatVector x = Lanes.of(z, i);
        FloatVector e = Lanes.exp(x.sub(largest));
        sum = sum.add(e);
        weighted = e.fma(x.sub(Lanes.of(other, i)), weighted);
      }
      double total = Lanes.sum(sum);
      return new Sums(largest + Math.log(total), Lanes.sum(weighted) / total);
    }
  }

  /// Writes half q, q of some logits.
  private static void halfOther(float[] z, Sums sums, float half, float[] result) {
    if (half == 0) {
      Arrays.fill(result, 0);
      return;
    }
    float log = (float) sums.log;
    for (int i = 0; i < z.length; i += Lanes.COUNT) {
      Lanes.exp(Lanes.of(z, i).sub(log)).mul(half).intoArray(result, i);
    }
  }

  /// Overwrites half q with p (task + half (z - log p's sum - other + shift)) - half q.
  private static void combine(
      float[] z, float[] other, float log, float shift, float half, float task, float[] halfQ) {
    for (int i = 0; i < z.length; i += Lanes.COUNT) {
      FloatVector x = Lanes.of(z, i).sub(log);
      FloatVector factor = x.sub(Lanes.of(other, i)).add(shift).mul(half).add(task);
      Lanes.exp(x).mul(factor).sub(Lanes.of(halfQ, i)).intoArray(halfQ, i);
    }
  }
}
