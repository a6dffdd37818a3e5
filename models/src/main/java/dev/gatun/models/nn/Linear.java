package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Drop;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.LowRank;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.Reduce;
import dev.gatun.runtime.op.TokenMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A linear layer, with whatever adapters the pass brings for its rows.
///
/// One path serves no adapter, one, and several in a batch. The branch's gradient never forms a
/// matrix of the weight's size: with u = x Aᵀ and t = s dV B, dA = tᵀ x, dB = s dVᵀ u, dX = dV W +
/// t A, where dV is dY, or c ⊙ dY in rows that a magnitude scales; its own gradient is the sum of
/// dY ⊙ v over the rows, divided by the norm.
///
/// Where the branch reads z, x with some elements dropped, a magnitude's rows are y = W (x - z) + c
/// ⊙ (W z + scale B A z) + bias: what is scaled reads z, as in DoRA's and PEFT's code. Then dY W
/// reaches x itself, and (dV - dY) W + t A reaches z.
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
    List<Branch> branches = branches(pass, segment -> segment);
    TokenMask dropped = branches.isEmpty() ? null : pass.branchMask(index);
    return forward(scope, x, pass, branches, dropped);
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
                    segment.layers())),
        null);
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
        scope,
        x,
        pass,
        branches(pass, segment -> new AdapterSegment(0, rows, segment.layers())),
        null);
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

  /// @param dropped factors of what the branches read, by row; or null
  private Tensor forward(
      Scope scope, Tensor x, ForwardPass pass, List<Branch> branches, @Nullable TokenMask dropped) {
    // a head that an adapter replaces is f32, as adapters are
    Tensor w = Layout.as(scope, pass.value(weight), x.dtype());
    Tensor bias = this.bias == null ? null : pass.value(this.bias);
    boolean rescales = branches.stream().anyMatch(Branch::rescales);
    boolean biasLast = bias != null && rescales; // what a magnitude scales has no bias in it
    try (Scope block = scope.untaped()) {
      Tensor input = dropped == null ? x : Drop.tokens(block, x, dropped);
      Tensor sum = pass.product(block, x, weight, w, transposed, biasLast ? null : bias);
      int count = branches.size();
      @Nullable Tensor[] inputs = new Tensor[3 + 3 * count];
      inputs[0] = x;
      inputs[1] = w;
      inputs[2] = bias;
      for (int i = 0; i < count; i++) {
        branches.get(i).inputs(inputs, 3 + 3 * i);
      }
      boolean records = scope.records(inputs);
      List<Tensor> saved = new ArrayList<>();
      if (!records && !rescales && dropped == null) {
        Matmul.addLowRankInPlace(block, sum, x, branches.stream().map(Branch::product).toList());
      } else {
        Tensor own = dropped == null ? null : rowMajor(block, w);
        for (Branch branch : branches) {
          saved.addAll(branch.add(block, input, sum, own));
        }
      }
      if (biasLast) {
        sum =
            Elementwise.add(block, sum, Layout.as(block, Objects.requireNonNull(bias), x.dtype()));
      }
      Tensor result = scope.keep(sum);
      if (records) {
        boolean[] needs = {scope.needs(x), scope.needs(w), scope.needs(bias)};
        DType biasType = bias == null ? x.dtype() : bias.dtype();
        saved.add(w);
        if (needs[1]
            || count > 0) { // a frozen layer without adapters needs no input for its gradient
          saved.add(x);
        }
        if (dropped != null) {
          saved.add(input);
        }
        scope.record(
            result,
            inputs,
            saved.toArray(Tensor[]::new),
            (s, kept, g) -> backward(s, kept, g[0], branches, dropped, needs, biasType));
      }
      return result;
    }
  }

  /// Rows of the batch and the branch that they go through.
  private record Branch(int start, int end, AdapterLayer layer) {
    boolean rescales() {
      return layer.magnitude() != null;
    }

    LowRank product() {
      return new LowRank(start, end, layer.a(), layer.b(), layer.scale());
    }

    /// Returns how many tensors [#add] asks to save.
    int saved() {
      return rescales() ? 6 : 3;
    }

    private Tensor rows(Scope scope, Tensor x) {
      return Layout.narrow(scope, x, 0, start, end - start);
    }

    /// Puts A, B and the magnitude, or null, into an operation's inputs.
    void inputs(@Nullable Tensor[] inputs, int at) {
      AdapterLayer.Magnitude magnitude = layer.magnitude();
      inputs[at] = layer.a();
      inputs[at + 1] = layer.b();
      inputs[at + 2] = magnitude == null ? null : magnitude.value();
    }

    /// Adds the branch of `x` to `sum` and scales its rows; returns what the gradients need: A, B
    /// and `x·Aᵀ`, and with a magnitude the rows before it, c and the norm.
    ///
    /// @param w the weight `(O, I)` where `x` is not what `sum` is the product with; else null
    List<Tensor> add(Scope s, Tensor x, Tensor sum, @Nullable Tensor w) {
      Tensor a = Layout.as(s, layer.a(), x.dtype());
      Tensor b = Layout.as(s, layer.b(), x.dtype());
      Tensor bt = Layout.transpose(s, b, 0, 1);
      Tensor u = Matmul.linear(s, rows(s, x), a, null);
      Tensor own = rows(s, sum);
      AdapterLayer.Magnitude magnitude = layer.magnitude();
      if (magnitude == null) {
        Matmul.addProductInPlace(s, own, layer.scale(), u, bt);
        return List.of(a, b, u);
      }
      Tensor norm = magnitude.norms().of(s, layer.a(), layer.b());
      Tensor c = Layout.as(s, Elementwise.div(s, magnitude.value(), norm), x.dtype());
      Tensor product = w == null ? own : Matmul.linear(s, rows(s, x), w, null);
      Tensor v = Layout.copy(s, product);
      Matmul.addProductInPlace(s, v, layer.scale(), u, bt);
      Tensor scaled = Elementwise.mul(s, v, c);
      Layout.copyInPlace(
          own, w == null ? scaled : Elementwise.add(s, Elementwise.sub(s, own, product), scaled));
      return List.of(a, b, u, v, c, norm);
    }

    /// Scales the gradient of the output, in place, to that of the rows before the magnitude.
    void unscale(Scope s, List<Tensor> kept, Tensor dv) {
      Tensor own = rows(s, dv);
      Layout.copyInPlace(own, Elementwise.mul(s, own, kept.get(4)));
    }

    /// Returns the gradients of A, B and the magnitude; adds that of `x` to `dx` where there is
    /// one.
    ///
    /// @param x what the branch read: the layer's input, with some elements dropped where `dropped`
    ///   is there
    /// @param w the weight, `(O, I)`
    List<Tensor> gradients(
        Scope s,
        List<Tensor> kept,
        Tensor x,
        Tensor w,
        @Nullable TokenMask dropped,
        Tensor dy,
        Tensor dv,
        @Nullable Tensor dx) {
      Tensor u = Elementwise.scale(s, kept.get(2), layer.scale());
      Tensor rows = rows(s, dv);
      Tensor t = Elementwise.scale(s, Matmul.matmul(s, rows, kept.get(1)), layer.scale());
      Tensor da = Matmul.matmul(s, Layout.transpose(s, t, 0, 1), rows(s, x));
      Tensor db = Matmul.matmul(s, Layout.transpose(s, rows, 0, 1), u);
      if (dx != null && dropped == null) {
        Matmul.addProductInPlace(s, rows(s, dx), 1, t, kept.get(0));
      } else if (dx != null) {
        TokenMask mask = Objects.requireNonNull(dropped).from(start);
        Tensor undropped = Matmul.matmul(s, t, kept.get(0));
        if (rescales()) {
          Matmul.addProductInPlace(s, undropped, 1, Elementwise.sub(s, rows, rows(s, dy)), w);
        }
        Tensor more = Drop.tokens(s, undropped, mask);
        Tensor own = rows(s, dx);
        Layout.copyInPlace(own, Elementwise.add(s, own, more));
      }
      List<Tensor> all = new ArrayList<>();
      all.add(Layout.as(s, da, layer.a().dtype()));
      all.add(Layout.as(s, db, layer.b().dtype()));
      if (rescales()) {
        Tensor norm = kept.get(5);
        Tensor dc = Reduce.sum(s, Elementwise.mul(s, rows(s, dy), kept.get(3)), false, 0);
        all.add(Elementwise.div(s, Layout.as(s, dc, norm.dtype()), norm));
      }
      return all;
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
      @Nullable TokenMask dropped,
      boolean[] needs,
      DType biasType) {
    Tensor dy = Objects.requireNonNull(flow);
    int count = branches.size();
    List<List<Tensor>> ofBranches = new ArrayList<>();
    int at = 0;
    for (Branch branch : branches) {
      ofBranches.add(Arrays.asList(kept).subList(at, at + branch.saved()));
      at += branch.saved();
    }
    Tensor w = kept[at];
    Tensor dv = unscaled(s, dy, branches, ofBranches);
    @Nullable Tensor[] gradients = new Tensor[3 + 3 * count];
    Tensor direct = dropped == null ? dv : dy; // what reaches the product with x itself
    Tensor dx = needs[0] ? Matmul.matmul(s, direct, rowMajor(s, w)) : null;
    gradients[0] = dx;
    if (needs[1]) {
      Tensor dw = ofWeight(s, kept[at + 1], direct);
      gradients[1] =
          dropped == null || branches.stream().noneMatch(Branch::rescales)
              ? dw
              : Elementwise.add(s, dw, ofWeight(s, kept[at + 2], Elementwise.sub(s, dv, dy)));
    }
    if (needs[2]) {
      gradients[2] = Layout.as(s, Reduce.sum(s, dy, false, 0), biasType);
    }
    for (int i = 0; i < count; i++) {
      Tensor input = kept[at + (dropped == null ? 1 : 2)];
      List<Tensor> ofBranch =
          branches
              .get(i)
              .gradients(s, ofBranches.get(i), input, rowMajor(s, w), dropped, dy, dv, dx);
      for (int j = 0; j < ofBranch.size(); j++) {
        gradients[3 + 3 * i + j] = ofBranch.get(j);
      }
    }
    return gradients;
  }

  private Tensor ofWeight(Scope s, Tensor x, Tensor flow) {
    return transposed
        ? Matmul.matmul(s, Layout.transpose(s, x, 0, 1), flow)
        : Matmul.matmul(s, Layout.transpose(s, flow, 0, 1), x);
  }

  /// Returns the gradient before magnitudes scale rows: the output's own where none does.
  private static Tensor unscaled(
      Scope s, Tensor dy, List<Branch> branches, List<List<Tensor>> ofBranches) {
    if (branches.stream().noneMatch(Branch::rescales)) {
      return dy;
    }
    Tensor dv = Layout.copy(s, dy);
    for (int i = 0; i < branches.size(); i++) {
      if (branches.get(i).rescales()) {
        branches.get(i).unscale(s, ofBranches.get(i), dv);
      }
    }
    return dv;
  }
}
