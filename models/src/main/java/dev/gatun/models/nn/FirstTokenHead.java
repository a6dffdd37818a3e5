package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import java.util.List;

/// The head of an encoder for sequences: a dense layer, an activation and a linear layer over the
/// first token of each.
///
/// @param modules paths of its modules
/// @param dense `(C, C)`
/// @param activation between the two layers
/// @param out `(K, C)`
public record FirstTokenHead(List<String> modules, Linear dense, Activation activation, Linear out)
    implements Head {
  /// What is between the two layers.
  public enum Activation {
    /// The hyperbolic tangent: RoBERTa.
    TANH,
    /// The Gaussian error linear unit by erf: DeBERTa.
    GELU
  }

  /// Copies its arguments.
  public FirstTokenHead {
    modules = List.copyOf(modules);
  }

  @Override
  public Tensor read(Scope scope, Tensor hidden, ForwardPass pass) {
    long[] starts = new long[pass.batch().sequences()];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = pass.batch().start(i);
    }
    return Layout.rows(scope, hidden, scope.of(starts, starts.length)); // (B, C)
  }

  @Override
  public Tensor outputs(Scope scope, Tensor read, ForwardPass pass) {
    Tensor pooled = dense.ofSequences(scope, read, pass);
    Tensor active =
        activation == Activation.TANH
            ? Elementwise.tanh(scope, pooled)
            : Elementwise.gelu(scope, pooled, false);
    return out.ofSequences(scope, active, pass);
  }
}
