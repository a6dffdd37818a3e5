package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.List;

/// The head of extractive question answering: for each token a score as the start of the answer,
/// and one as its end.
///
/// @param outputs `(2, C)`
public record SpanHead(Linear outputs) implements Head {
  @Override
  public List<String> modules() {
    return List.of(outputs.path());
  }

  @Override
  public Tensor forward(Scope scope, Tensor hidden, ForwardPass pass) {
    return outputs.forward(scope, hidden, pass);
  }
}
