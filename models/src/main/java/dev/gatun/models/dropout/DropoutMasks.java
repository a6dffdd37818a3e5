package dev.gatun.models.dropout;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.MaskStream.Site;
import dev.gatun.runtime.random.Philox;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/// The masks of one pass over one batch: a function of seed, step, branch and logical coordinates,
/// so that recomputation, resume and another grouping of the same rows draw the same bits.
///
/// @param dropout the method
/// @param seed seed of the run
/// @param step optimizer step
/// @param branches branch of each sequence: 0, or 1 for HiddenKey's second
/// @param rows row of the optimizer step of each sequence
/// @param layers layers of the model
public record DropoutMasks(
    Dropout dropout, long seed, int step, int[] branches, int[] rows, int layers) {

  private boolean masked(int layer) {
    return layer >= dropout.firstLayer(layers);
  }

  /// Returns what is added to the attention scores of a layer: minus infinity for a dropped key.
  ///
  /// Position 0 of a sequence is never dropped, so that no query of a causal layer is left without
  /// a key.
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param heads query heads
  /// @param batch division of the tokens
  /// @return `(B, H, 1, T)`, or null where this layer drops no keys
  public @Nullable Tensor keys(Scope scope, int layer, int heads, Ragged batch) {
    if (dropout.keyRate() == 0 || !masked(layer)) {
      return null;
    }
    long threshold = Philox.threshold(dropout.keyRate());
    int longest = batch.longest();
    float[] mask = new float[batch.sequences() * heads * longest];
    for (int i = 0; i < batch.sequences(); i++) {
      MaskStream stream = new MaskStream(seed, step, layer, Site.KEY, branches[i], 0);
      for (int h = 0; h < heads; h++) {
        int at = (i * heads + h) * longest;
        stream.line(rows[i], h, threshold, 0, Float.NEGATIVE_INFINITY, mask, at, batch.length(i));
        mask[at] = 0;
      }
    }
    return scope.of(mask, batch.sequences(), heads, 1, longest);
  }

  /// Returns what writes the factors of a token's feed-forward output: 0 for dropped elements, 1 /
  /// (1 - p) for kept ones.
  ///
  /// @param layer the layer
  /// @param batch division of the tokens
  /// @return factors of a token, by its number in the batch, for as many channels as the array has
  ///   elements; or null where this layer drops no elements
  public @Nullable ObjLongConsumer<float[]> hidden(int layer, Ragged batch) {
    if (dropout.hiddenRate() == 0 || !masked(layer)) {
      return null;
    }
    long threshold = Philox.threshold(dropout.hiddenRate());
    float kept = (float) (1 / (1 - dropout.hiddenRate()));
    MaskStream[] streams = new MaskStream[batch.sequences()];
    for (int i = 0; i < streams.length; i++) {
      streams[i] = new MaskStream(seed, step, layer, Site.HIDDEN, branches[i], 0);
    }
    return (factors, token) -> {
      int sequence = batch.sequence((int) token);
      int position = (int) token - batch.start(sequence);
      streams[sequence].line(
          rows[sequence], position, threshold, kept, 0, factors, 0, factors.length);
    };
  }
}
