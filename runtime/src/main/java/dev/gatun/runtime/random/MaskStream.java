package dev.gatun.runtime.random;

import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.PhiloxLine;

/// Where in a run a dropout mask belongs; its bits are a function of this and of each element's
/// logical coordinates alone.
///
/// The bits of the Philox counter, frozen (low bits first):
///
/// | word | bits 0-23 / 0-19 / 0-21 | the rest |
/// |---|---|---|
/// | 0 | last coordinate / 4 (24) | site (8) |
/// | 1 | middle coordinate (24) | pass (8) |
/// | 2 | row of the optimizer step (20) | adapter slot (12) |
/// | 3 | step (22) | layer (10) |
///
/// The last coordinate is the channel of a mask of tokens and the position of a mask of keys. The
/// middle one is the position, or the query head; where each query has its own mask of keys, the
/// head in bits 16-23 and the query's position in bits 0-15. Masks of whole tokens have the token
/// in the last coordinate and 0 in the middle. A padded, packed or accumulated batch draws the same
/// bits.
///
/// @param seed key of the generator
/// @param step optimizer step, below 2^22
/// @param layer layer of the model, below 2^10
/// @param site what is masked
/// @param pass HiddenKey's branch or LoRA Dropout's instance, below 2^8
/// @param slot adapter that is trained, below 2^12
public record MaskStream(long seed, int step, int layer, Site site, int pass, int slot) {
  /// What a mask drops.
  public enum Site {
    /// Keys, before the softmax.
    KEY(0),
    /// Elements of a feed-forward block's output.
    HIDDEN(1),
    /// Attention weights, after the softmax.
    WEIGHT(2),
    /// Input embeddings.
    INPUT(3),
    /// What the head reads.
    OUTPUT(4),
    /// The input of an adapter's branch; the linear layer's index stands for the layer.
    BRANCH(5),
    /// Columns of an adapter's A; the linear layer's index stands for the layer.
    ADAPTER_A(6),
    /// Rows of an adapter's B.
    ADAPTER_B(7);

    private final int code;

    Site(int code) {
      this.code = code;
    }
  }

  /// Checks the ranges.
  public MaskStream {
    range("step", step, 1 << 22);
    range("layer", layer, 1 << 10);
    range("pass", pass, 1 << 8);
    range("slot", slot, 1 << 12);
  }

  private static void range(String name, int value, int end) {
    if (value < 0 || value >= end) {
      throw new IllegalArgumentException(
          name + ": found " + value + ", expected 0 to " + (end - 1));
    }
  }

  /// {@return the counter of a line's first 4 elements; its lowest word counts up by 1 for each 4
  /// that follow}
  ///
  /// @param row row of the optimizer step
  /// @param middle middle coordinate
  public int[] counter(int row, int middle) {
    range("row", row, 1 << 20);
    range("coordinate", middle, 1 << 24);
    return new int[] {site.code << 24, middle | pass << 24, row | slot << 20, step | layer << 22};
  }

  /// {@return a number drawn uniformly from 0 to below 1, for a run's place in its line}
  ///
  /// @param row row of the optimizer step
  /// @param middle middle coordinate
  public double uniform(int row, int middle) {
    int[] words = counter(row, middle);
    Philox.block(seed, words[0], words[1], words[2], words[3], words, 0);
    return Philox.uniform(words[0], words[1]);
  }

  /// Writes a value per element of one line of a mask, along its last coordinate from 0.
  ///
  /// @param row row of the optimizer step
  /// @param middle middle coordinate
  /// @param threshold from [Philox#threshold]
  /// @param kept value of elements that stay
  /// @param dropped value of elements that are dropped
  /// @param target receives the values
  /// @param at index of the line's first element
  /// @param length number of elements
  public void line(
      int row,
      int middle,
      long threshold,
      float kept,
      float dropped,
      float[] target,
      int at,
      int length) {
    range("coordinate", length / 4, 1 << 24);
    int[] c = counter(row, middle);
    if (Kernels.available()) {
      PhiloxLine.values(seed, c[0], c[1], c[2], c[3], threshold, dropped, kept, target, at, length);
      return;
    }
    int[] words = new int[4];
    for (int i = 0; i < length; i += 4) {
      Philox.block(seed, i >> 2 | c[0], c[1], c[2], c[3], words, 0);
      int end = Math.min(4, length - i);
      for (int j = 0; j < end; j++) {
        target[at + i + j] = (words[j] & 0xFFFFFFFFL) < threshold ? dropped : kept;
      }
    }
  }
}
