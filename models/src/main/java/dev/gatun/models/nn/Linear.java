package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Drop;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/// A linear layer, with whatever adapters the pass brings for its rows.
///
/// One path serves no adapter, one, and several in a batch. The branch's gradient never forms a
/// matrix of the weight's size: with u = x Aᵀ and t = s dY B, dA = tᵀ x, dB = s dYᵀ u, dX = dY W +
/// t A.
///
/// @param index its number in [CausalLm#linears]
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
  /// @param x `(N, I)` of the compute type
  /// @param pass names the adapters of the rows
  /// @return `(N, O)`
  public Tensor forward(Scope scope, Tensor x, ForwardPass pass) {
    Tensor w = pass.value(weight);
    Tensor bias = this.bias == null ? null : pass.value(this.bias);
    List<Branch> branches = new ArrayList<>();
    for (AdapterSegment segment : pass.segments()) {
      AdapterLayer layer = segment.layers()[index];
      if (layer != null) {
        branches.add(new Branch(segment.start(), segment.end(), layer));
      }
    }
    ObjLongConsumer<float[]> dropped = branches.isEmpty() ? null : pass.branchFactors(index);
    try (Scope block = scope.untaped()) {
      Tensor input = dropped == null ? x : Drop.elements(block, x, dropped);
      Tensor sum = scope.keep(Matmul.linear(block, x, rowMajor(block, w), bias));
      int count = branches.size();
      @Nullable Tensor[] inputs = new Tensor[3 + 2 * count];
      inputs[0] = x;
      inputs[1] = w;
      inputs[2] = bias;
      List<Tensor> saved = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Branch branch = branches.get(i);
        saved.addAll(branch.add(block, input, sum));
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
        if (dropped != null) {
          saved.add(input);
        }
        scope.record(
            sum,
            inputs,
            saved.toArray(Tensor[]::new),
            (s, kept, g) -> backward(s, kept, g[0], branches, dropped, needs, biasType));
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
    ///
    /// @param x what the branch read: the layer's input, with some elements dropped where `dropped`
    ///   is there
    List<Tensor> gradients(
        Scope s,
        List<Tensor> kept,
        Tensor x,
        @Nullable ObjLongConsumer<float[]> dropped,
        Tensor dy,
        @Nullable Tensor dx) {
      Tensor u = Elementwise.scale(s, kept.get(2), layer.scale());
      Tensor rows = rows(s, dy);
      Tensor t = Elementwise.scale(s, Matmul.matmul(s, rows, kept.get(1)), layer.scale());
      Tensor da = Matmul.matmul(s, Layout.transpose(s, t, 0, 1), rows(s, x));
      Tensor db = Matmul.matmul(s, Layout.transpose(s, rows, 0, 1), u);
      if (dx != null && dropped == null) {
        Matmul.addProductInPlace(s, rows(s, dx), 1, t, kept.get(0));
      } else if (dx != null) {
        ObjLongConsumer<float[]> all = Objects.requireNonNull(dropped);
        Tensor more =
            Drop.elements(
                s,
                Matmul.matmul(s, t, kept.get(0)),
                (factors, row) -> all.accept(factors, row + start));
        Tensor own = rows(s, dx);
        Layout.copyInPlace(own, Elementwise.add(s, own, more));
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
      @Nullable ObjLongConsumer<float[]> dropped,
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
      Tensor input = kept[3 * count + (dropped == null ? 1 : 2)];
      List<Tensor> both = branches.get(i).gradients(s, ofBranch, input, dropped, dy, dx);
      gradients[3 + 2 * i] = both.get(0);
      gradients[4 + 2 * i] = both.get(1);
    }
    return gradients;
  }
}
