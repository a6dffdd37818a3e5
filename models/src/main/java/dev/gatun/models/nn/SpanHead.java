package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.List;

/// The head of extractive question answering: for each token a score as the start of the answer,
/// and one as its end.
///
/// @param scores `(2, C)`
public record SpanHead(Linear scores) implements Head {
  @Override
  public List<String> modules() {
    return List.of(scores.path());
  }

  @Override
  public Tensor read(Scope scope, Tensor hidden, ForwardPass pass) {
    return hidden;
  }

  @Override
  public Tensor outputs(Scope scope, Tensor read, ForwardPass pass) {
    return scores.forward(scope, read, pass);
  }
}
