package dev.gatun.runtime.op;

import java.util.Arrays;

/// Attention in plain Java over one sequence, with its gradients by the formulas of DropKey.
///
/// @param heads query heads
/// @param groups key heads
/// @param size head size
/// @param scale factor of the scores
record PlainAttention(int heads, int groups, int size, double scale) {
  /// Whether a query of a head may see a key.
  @FunctionalInterface
  interface Visible {
    boolean test(int head, int query, int key);
  }

  /// Gradients with respect to the inputs.
  record Gradients(double[] q, double[] k, double[] v) {}

  private int q(int token, int head) {
    return (token * heads + head) * size;
  }

  private int k(int token, int head) {
    return (token * groups + head / (heads / groups)) * size;
  }

  private double dot(double[] a, int atA, double[] b, int atB) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += a[atA + i] * b[atB + i];
    }
    return sum;
  }

  /// Returns the weights of one query; all 0 where it sees no key.
  private double[] weights(
      double[] q, double[] k, int offset, int keys, int head, int query, Visible visible) {
    double[] weights = new double[keys];
    double sum = 0;
    for (int key = 0; key < keys; key++) {
      if (visible.test(head, query, key)) {
        weights[key] = Math.exp(scale * dot(q, q(offset + query, head), k, k(offset + key, head)));
        sum += weights[key];
      }
    }
    double total = sum;
    return total == 0 ? weights : Arrays.stream(weights).map(w -> w / total).toArray();
  }

  /// Adds the outputs `(T, H, D)` of a sequence of T tokens that starts at `offset`.
  void forward(
      double[] q, double[] k, double[] v, int offset, int tokens, Visible visible, double[] out) {
    for (int head = 0; head < heads; head++) {
      for (int query = 0; query < tokens; query++) {
        double[] weights = weights(q, k, offset, tokens, head, query, visible);
        for (int key = 0; key < tokens; key++) {
          for (int i = 0; i < size; i++) {
            out[q(offset + query, head) + i] += weights[key] * v[k(offset + key, head) + i];
          }
        }
      }
    }
  }

  /// Returns the gradients of one sequence: with u = dOut v, the scores get w (u - <w, u>), which
  /// is 0 on dropped keys (papers: DropKey's vector-Jacobian product).
  Gradients backward(
      double[] q, double[] k, double[] v, int tokens, Visible visible, double[] flow) {
    Gradients result =
        new Gradients(new double[q.length], new double[k.length], new double[v.length]);
    for (int head = 0; head < heads; head++) {
      for (int query = 0; query < tokens; query++) {
        double[] weights = weights(q, k, 0, tokens, head, query, visible);
        double[] toWeights = new double[tokens];
        double mean = 0;
        for (int key = 0; key < tokens; key++) {
          toWeights[key] = dot(flow, q(query, head), v, k(key, head));
          mean += weights[key] * toWeights[key];
        }
        for (int key = 0; key < tokens; key++) {
          double toScore = scale * weights[key] * (toWeights[key] - mean);
          for (int i = 0; i < size; i++) {
            result.q[q(query, head) + i] += toScore * k[k(key, head) + i];
            result.k[k(key, head) + i] += toScore * q[q(query, head) + i];
            result.v[k(key, head) + i] += weights[key] * flow[q(query, head) + i];
          }
        }
      }
    }
    return result;
  }
}
