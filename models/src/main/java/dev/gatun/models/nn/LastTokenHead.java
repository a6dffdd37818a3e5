package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.List;

/// The head of a decoder for sequences: a linear layer over the last token of each that is no
/// padding.
///
/// A batch has no padding of its own, but a row of data may end in the padding id: where a model
/// pads with its end token, transformers passes over that token, and so does this.
///
/// @param score `(K, C)`, without a bias
/// @param padId the padding id; negative for none
public record LastTokenHead(Linear score, int padId) implements Head {
  @Override
  public List<String> modules() {
    return List.of(score.path());
  }

  @Override
  public Tensor read(Scope scope, Tensor hidden, ForwardPass pass) {
    long[] ids = pass.ids().toLongs();
    long[] lasts = new long[pass.batch().sequences()];
    for (int i = 0; i < lasts.length; i++) {
      int start = pass.batch().start(i);
      int last = start + pass.batch().length(i) - 1;
      while (last > start && ids[last] == padId) {
        last--;
      }
      lasts[i] = last;
    }
    return Layout.rows(scope, hidden, scope.of(lasts, lasts.length)); // (B, C)
  }

  @Override
  public Tensor outputs(Scope scope, Tensor read, ForwardPass pass) {
    return score.ofSequences(scope, read, pass);
  }
}
