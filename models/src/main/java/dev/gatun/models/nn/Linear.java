package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A linear layer, with whatever adapters the pass brings for its rows.
///
/// One path serves no adapter, one, and several in a batch. The branch's gradient never forms a
/// matrix of the weight's size: with u = x Aᵀ and t = s dY B, dA = tᵀ x, dB = s dYᵀ u, dX = dY W +
/// t A.
///
/// @param index its number in [Transformer#linears]
/// @param path its path in transformers' module tree, for instance
///   `model.layers.0.self_attn.q_proj`
/// @param weight `(O, I)`, or `(I, O)` where `transposed`
/// @param bias `(O)`, or null
/// @param transposed whether the checkpoint stores `(I, O)`, as GPT-2's `Conv1D`
public record Linear(
    int index, String path, Param weight, @Nullable Param bias, boolean transposed) {
  /// {@return the number of inputs}
  public long inputs() {
    return weight.value().size(transposed ? 0 : 1);
  }

  /// {@return the number of outputs}
  public long outputs() {
    return weight.value().size(transposed ? 1 : 0);
  }

  /// Returns the layer's output.
  ///
  /// @param scope owner of the result
  /// @param x `(N, I)` of the compute type, a row for each token
  /// @param pass names the adapters of the rows
  /// @return `(N, O)`
  public Tensor forward(Scope scope, Tensor x, ForwardPass pass) {
    return forward(scope, x, pass, branches(pass, segment -> segment));
  }

  /// Returns the layer's output for rows that stand for whole sequences.
  ///
  /// @param scope owner of the result
  /// @param x `(B, I)` of the compute type, a row for each sequence
  /// @param pass names the adapters of the sequences' tokens
  /// @return `(B, O)`
  public Tensor ofSequences(Scope scope, Tensor x, ForwardPass pass) {
    Ragged batch = pass.batch();
    return forward(
        scope,
        x,
        pass,
        branches(
            pass,
            segment ->
                new AdapterSegment(
                    batch.sequence(segment.start()),
                    batch.sequence(segment.end() - 1) + 1,
                    segment.layers())));
  }

  /// Returns the layer's output for rows that all sequences share, such as relative positions.
  ///
  /// @param scope owner of the result
  /// @param x `(M, I)` of the compute type
  /// @param pass names the adapter
  /// @return `(M, O)`
  /// @throws IllegalArgumentException if the pass has an adapter of this layer for some of its rows
  ///   alone
  public Tensor shared(Scope scope, Tensor x, ForwardPass pass) {
    for (AdapterSegment segment : pass.segments()) {
      boolean whole = segment.start() == 0 && segment.end() == pass.batch().tokens();
      if (!whole && segment.layers()[index] != null) {
        throw new IllegalArgumentException(
            "%s: found an adapter for tokens %d to %d, expected one for all %d of the batch"
                .formatted(path, segment.start(), segment.end(), pass.batch().tokens()));
      }
    }
    int rows = Math.toIntExact(x.size(0));
    return forward(
        scope, x, pass, branches(pass, segment -> new AdapterSegment(0, rows, segment.layers())));
  }

  private List<Branch> branches(ForwardPass pass, UnaryOperator<AdapterSegment> toRows) {
    List<Branch> branches = new ArrayList<>();
    for (AdapterSegment segment : pass.segments()) {
      AdapterLayer layer = segment.layers()[index];
      if (layer != null) {
        AdapterSegment rows = toRows.apply(segment);
        branches.add(new Branch(rows.start(), rows.end(), layer));
      }
    }
    return branches;
  }

  private Tensor forward(Scope scope, Tensor x, ForwardPass pass, List<Branch> branches) {
    // a head that an adapter replaces is f32, as adapters are
    Tensor w = Layout.as(scope, pass.value(weight), x.dtype());
    Tensor bias = this.bias == null ? null : pass.value(this.bias);
    try (Scope block = scope.untaped()) {
      Tensor sum = scope.keep(Matmul.linear(block, x, rowMajor(block, w), bias));
      int count = branches.size();
      @Nullable Tensor[] inputs = new Tensor[3 + 2 * count];
      inputs[0] = x;
      inputs[1] = w;
      inputs[2] = bias;
      List<Tensor> saved = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Branch branch = branches.get(i);
        saved.addAll(branch.add(block, x, sum));
        inputs[3 + 2 * i] = branch.layer.a();
        inputs[4 + 2 * i] = branch.layer.b();
      }
      if (scope.records(inputs)) {
        boolean[] needs = {scope.needs(x), scope.needs(w), scope.needs(bias)};
        DType biasType = bias == null ? x.dtype() : bias.dtype();
        saved.add(w);
        if (needs[1]
            || count > 0) { // a frozen layer without adapters needs no input for its gradient
          saved.add(x);
        }
        scope.record(
            sum,
            inputs,
            saved.toArray(Tensor[]::new),
            (s, kept, g) -> backward(s, kept, g[0], branches, needs, biasType));
      }
      return sum;
    }
  }

  /// Rows of the batch and the branch that they go through.
  private record Branch(int start, int end, AdapterLayer layer) {
    private Tensor rows(Scope scope, Tensor x) {
      return Layout.narrow(scope, x, 0, start, end - start);
    }

    /// Adds the branch of `x` to `sum`; returns what its gradients need: A, B and `x·Aᵀ`.
    List<Tensor> add(Scope s, Tensor x, Tensor sum) {
      Tensor a = Layout.as(s, layer.a(), x.dtype());
      Tensor b = Layout.as(s, layer.b(), x.dtype());
      Tensor u = Matmul.linear(s, rows(s, x), a, null);
      Matmul.addProductInPlace(s, rows(s, sum), layer.scale(), u, Layout.transpose(s, b, 0, 1));
      return List.of(a, b, u);
    }

    /// Returns the gradients of A and B; adds that of `x` to `dx` where there is one.
    List<Tensor> gradients(Scope s, List<Tensor> kept, Tensor x, Tensor dy, @Nullable Tensor dx) {
      Tensor u = Elementwise.scale(s, kept.get(2), layer.scale());
      Tensor rows = rows(s, dy);
      Tensor t = Elementwise.scale(s, Matmul.matmul(s, rows, kept.get(1)), layer.scale());
      Tensor da = Matmul.matmul(s, Layout.transpose(s, t, 0, 1), rows(s, x));
      Tensor db = Matmul.matmul(s, Layout.transpose(s, rows, 0, 1), u);
      if (dx != null) {
        Matmul.addProductInPlace(s, rows(s, dx), 1, t, kept.get(0));
      }
      return List.of(Layout.as(s, da, layer.a().dtype()), Layout.as(s, db, layer.b().dtype()));
    }
  }

  private Tensor rowMajor(Scope scope, Tensor w) {
    return transposed ? Layout.transpose(scope, w, 0, 1) : w;
  }

  private @Nullable Tensor[] backward(
      Scope s,
      Tensor[] kept,
      @Nullable Tensor flow,
      List<Branch> branches,
      boolean[] needs,
      DType biasType) {
    Tensor dy = Objects.requireNonNull(flow);
    int count = branches.size();
    Tensor w = kept[3 * count];
    @Nullable Tensor[] gradients = new Tensor[3 + 2 * count];
    Tensor dx = needs[0] ? Matmul.matmul(s, dy, rowMajor(s, w)) : null;
    gradients[0] = dx;
    if (needs[1]) {
      Tensor x = kept[3 * count + 1];
      gradients[1] =
          transposed
              ? Matmul.matmul(s, Layout.transpose(s, x, 0, 1), dy)
              : Matmul.matmul(s, Layout.transpose(s, dy, 0, 1), x);
    }
    if (needs[2]) {
      gradients[2] = Layout.as(s, Reduce.sum(s, dy, false, 0), biasType);
    }
    for (int i = 0; i < count; i++) {
      List<Tensor> ofBranch = Arrays.asList(kept).subList(3 * i, 3 * i + 3);
      List<Tensor> both = branches.get(i).gradients(s, ofBranch, kept[3 * count + 1], dy, dx);
      gradients[3 + 2 * i] = both.get(0);
      gradients[4 + 2 * i] = both.get(1);
    }
    return gradients;
  }
}
