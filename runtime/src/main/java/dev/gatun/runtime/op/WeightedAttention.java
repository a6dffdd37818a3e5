package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Attention whose weights are multiplied by factors after the softmax, one sequence at a time.
///
/// With w the softmax, m the factors and w' what the values are weighted by, the gradient g of w'
/// becomes that of the scores as
///
/// | rescaling | w' | gradient |
/// |---|---|---|
/// | none | m w | w' g - w sum(w' g) |
/// | normalised | m w / sum(m w) | w' g - w' sum(w' g) |
/// | normalised, the sum constant | m w / sum(m w) | w' g - w sum(w' g) |
///
/// Source: arXiv:2403.00812, section 3 and appendix; the last line is not 0 for a dropped key.
///
/// @param factors m, `(B, H, 1, S)` or `(B, H, T, S)` of the compute type
/// @param rescaling what is done to the weights that stay
record WeightedAttention(Tensor factors, Attention.Rescaling rescaling)
    implements Attention.Kernel {
  private static final Operator WITHOUT_NAN = Operator.of("nan_to_num");

  @Override
  public Attention.Attended forward(
      Scope scope, Tensor q, Tensor k, Tensor v, Attention.Rule rule, boolean forGradient) {
    Tensor output = scope.empty(q.dtype(), q.shape());
    for (long i = 0; i < q.size(0); i++) {
      try (Scope block = scope.child()) {
        Sequence one = Sequence.of(block, i, q, k, v, factors, rule);
        Tensor weights = one.weights(block, rule, rescaling).last();
        Layout.copyInPlace(
            Layout.narrow(block, output, 0, i, 1),
            Layout.reshape(
                block, Matmul.matmul(block, weights, one.v), 1, q.size(1), q.size(2), q.size(3)));
      }
    }
    Tensor[] saved = forGradient ? new Tensor[] {q, k, v, factors} : new Tensor[0];
    return new Attention.Attended(output, saved);
  }

  @Override
  public @Nullable Tensor[] backward(
      Scope scope, Tensor flow, Tensor[] saved, Attention.Rule rule) {
    List<Tensor> toQ = new ArrayList<>();
    List<Tensor> toK = new ArrayList<>();
    List<Tensor> toV = new ArrayList<>();
    Tensor q = saved[0];
    long groups = saved[1].size(1);
    for (long i = 0; i < q.size(0); i++) {
      try (Scope block = scope.child()) {
        Sequence one = Sequence.of(block, i, q, saved[1], saved[2], saved[3], rule);
        Tensor g = matrices(block, flow, i, q.size(1));
        Weights weights = one.weights(block, rule, rescaling);
        Tensor toWeights = Matmul.matmul(block, g, Layout.transpose(block, one.v, 1, 2));
        Tensor toScores =
            Elementwise.scale(block, weights.backward(block, toWeights), rule.scale());
        Tensor turned = Layout.transpose(block, toScores, 1, 2);
        Tensor lastTurned = Layout.transpose(block, weights.last(), 1, 2);
        toQ.add(scope.keep(batched(block, Matmul.matmul(block, toScores, one.k))));
        toK.add(scope.keep(shared(block, Matmul.matmul(block, turned, one.q), groups)));
        toV.add(scope.keep(shared(block, Matmul.matmul(block, lastTurned, g), groups)));
      }
    }
    return new Tensor[] {joined(scope, toQ), joined(scope, toK), joined(scope, toV)};
  }

  private static Tensor joined(Scope scope, List<Tensor> parts) {
    return Layout.cat(scope, 0, parts.toArray(Tensor[]::new));
  }

  private static Tensor batched(Scope scope, Tensor x) {
    return Layout.reshape(scope, x, 1, x.size(0), x.size(1), x.size(2));
  }

  /// Sums `(H, S, D)` over the query heads that share a key head, `(1, G, S, D)`.
  private static Tensor shared(Scope scope, Tensor x, long groups) {
    long sharing = x.size(0) / groups;
    Tensor split = Layout.reshape(scope, x, groups, sharing, x.size(1), x.size(2));
    return batched(scope, Reduce.sum(scope, split, false, 1));
  }

  /// Returns sequence i of `(B, G, S, D)` as `(H, S, D)`, each key head once for each query head.
  private static Tensor matrices(Scope scope, Tensor x, long i, long heads) {
    Tensor one = Layout.narrow(scope, x, 0, i, 1);
    long groups = x.size(1);
    long[] each = {groups, 1, x.size(2), x.size(3)};
    long[] all = {groups, heads / groups, x.size(2), x.size(3)};
    Tensor expanded = Layout.expand(scope, Layout.reshape(scope, one, each), all);
    return Layout.reshape(scope, expanded, heads, x.size(2), x.size(3));
  }

  /// One sequence: q `(H, T, D)`, k and v `(H, S, D)`, factors and bias that broadcast to `(H, T,
  /// S)`.
  private record Sequence(Tensor q, Tensor k, Tensor v, Tensor factors, @Nullable Tensor bias) {
    static Sequence of(
        Scope scope, long i, Tensor q, Tensor k, Tensor v, Tensor factors, Attention.Rule rule) {
      long heads = q.size(1);
      Tensor bias = rule.mask() == null ? null : matrix(scope, rule.mask(), i);
      if (rule.causal() && q.size(2) > 1) {
        Tensor future = ProductAttention.future(scope, q.dtype(), q.size(2), k.size(2));
        bias = bias == null ? future : Elementwise.add(scope, bias, future);
      }
      return new Sequence(
          matrices(scope, q, i, heads),
          matrices(scope, k, i, heads),
          matrices(scope, v, i, heads),
          matrix(scope, factors, i),
          bias);
    }

    private static Tensor matrix(Scope scope, Tensor mask, long i) {
      Tensor one = mask.size(0) == 1 ? mask : Layout.narrow(scope, mask, 0, i, 1);
      return Layout.reshape(scope, one, mask.size(1), mask.size(2), mask.size(3));
    }

    Weights weights(Scope scope, Attention.Rule rule, Attention.Rescaling rescaling) {
      Tensor scores = Matmul.matmul(scope, q, Layout.transpose(scope, k, 1, 2));
      Tensor scaled = Elementwise.scale(scope, scores, rule.scale());
      Tensor biased = bias == null ? scaled : Elementwise.add(scope, scaled, bias);
      return Weights.of(scope, biased, factors, rescaling, bias != null);
    }
  }

  /// Returns what the values are weighted by, from all scores: [Attention#weights].
  static Tensor weights(Scope scope, Tensor scores, Attention.WeightFactors by) {
    try (Scope block = scope.untaped()) {
      Tensor factors = Layout.as(block, by.factors(), scores.dtype());
      Weights weights = Weights.of(block, scores, factors, by.rescaling(), true);
      Tensor result = scope.keep(weights.last);
      if (scope.records(scores)) {
        scope.record(
            result,
            new Tensor[] {scores},
            new Tensor[] {weights.softmax, result},
            (s, saved, g) ->
                new Tensor[] {new Weights(saved[0], saved[1], by.rescaling()).backward(s, g[0])});
      }
      return result;
    }
  }

  /// The softmax and what the values are weighted by.
  private record Weights(Tensor softmax, Tensor last, Attention.Rescaling rescaling) {
    /// @param masked whether a query may see no key at all
    static Weights of(
        Scope scope, Tensor scores, Tensor factors, Attention.Rescaling rescaling, boolean masked) {
      Tensor softmax = Norm.softmax(scope, scores);
      Tensor all = masked ? WITHOUT_NAN.call(scope, softmax, 0.0, null, null) : softmax;
      Tensor kept = Elementwise.mul(scope, all, factors);
      if (rescaling == Attention.Rescaling.NONE) {
        return new Weights(all, kept, rescaling);
      }
      Tensor sum = Reduce.sum(scope, kept, true, -1);
      // a query without a weight left divides 0 by 0
      Tensor last = WITHOUT_NAN.call(scope, Elementwise.div(scope, kept, sum), 0.0, null, null);
      return new Weights(all, last, rescaling);
    }

    Tensor backward(Scope scope, Tensor flow) {
      Tensor weighted = Elementwise.mul(scope, last, flow);
      Tensor mean = Reduce.sum(scope, weighted, true, -1);
      Tensor under = rescaling == Attention.Rescaling.NORMALISED ? last : softmax;
      return Elementwise.sub(scope, weighted, Elementwise.mul(scope, under, mean));
    }
  }
}
