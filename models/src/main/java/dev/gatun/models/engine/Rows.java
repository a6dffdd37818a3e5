package dev.gatun.models.engine;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import java.util.List;
import java.util.stream.IntStream;

/// Texts one after the other, as a pass takes them.
///
/// @param ids N token ids
/// @param offsets start of each text, then N
record Rows(int[] ids, int[] offsets) {
  /// Returns the rows of some texts, all of them several times.
  static Rows of(List<int[]> texts, int times) {
    int[] ids =
        IntStream.range(0, times)
            .flatMap(i -> texts.stream().flatMapToInt(IntStream::of))
            .toArray();
    int[] offsets = new int[times * texts.size() + 1];
    for (int i = 1; i < offsets.length; i++) {
      offsets[i] = offsets[i - 1] + texts.get((i - 1) % texts.size()).length;
    }
    return new Rows(ids, offsets);
  }

  ForwardPass.Builder pass(Scope owner, Transformer model) {
    return ForwardPass.of(owner, model, ids, offsets);
  }
}
