package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.List;

/// What makes a task's outputs of a model's activations. Its weights are trained whole: PEFT's
/// `modules_to_save`.
public interface Head {
  /// {@return paths of its modules, the one that makes the outputs last}
  List<String> modules();

  /// {@return the activations that the outputs are made of: `(B, C)` of B sequences, or `(N, C)` of
  /// N tokens}
  ///
  /// @param scope owner of the result
  /// @param hidden `(N, C)` from [Transformer#lastNorm]
  /// @param pass the pass
  Tensor read(Scope scope, Tensor hidden, ForwardPass pass);

  /// {@return the outputs: `(B, K)` of B sequences, or `(N, K)` of N tokens}
  ///
  /// @param scope owner of the result
  /// @param read from [#read]
  /// @param pass the pass
  Tensor outputs(Scope scope, Tensor read, ForwardPass pass);
}
