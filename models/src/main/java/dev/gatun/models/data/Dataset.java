package dev.gatun.models.data;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;

/// Examples in the order of the data, and what was lost on the way. Immutable.
///
/// @param examples each with its index as [Example#row]
/// @param truncated rows that were cut off at the maximum length
/// @param skipped empty texts, and files of a folder that are no text
public record Dataset(List<Example> examples, int truncated, int skipped) {
  /// Takes a copy of the list and numbers the examples.
  public Dataset {
    List<Example> numbered = new ArrayList<>(examples.size());
    for (Example example : examples) {
      int row = numbered.size();
      numbered.add(example.row() == row ? example : example.withRow(row));
    }
    examples = List.copyOf(numbered);
  }

  /// The two sides of a split.
  ///
  /// @param train what is trained on
  /// @param heldOut what is only measured
  public record Split(Dataset train, Dataset heldOut) {}

  /// Returns the number of examples.
  ///
  /// @return examples
  public int size() {
    return examples.size();
  }

  /// Returns the number of tokens.
  ///
  /// @return tokens of all examples
  public long tokens() {
    return examples.stream().mapToLong(Example::length).sum();
  }

  /// Returns how often the loss counts.
  ///
  /// @return predicted tokens of all examples, or labels of whole ones
  public long targets() {
    return examples.stream().mapToLong(Example::targets).sum();
  }

  /// Returns the number of examples nothing is learnt from, because every label is masked or cut
  /// off.
  ///
  /// @return examples
  public int withoutTargets() {
    return (int) examples.stream().filter(e -> e.targets() == 0).count();
  }

  /// Returns the length of the longest example.
  ///
  /// @return tokens, 0 if there are no examples
  public int longest() {
    return examples.stream().mapToInt(Example::length).max().orElse(0);
  }

  /// Returns what tells this data from other data: the number of examples and a hash of all ids and
  /// labels, in their order.
  ///
  /// @return one line
  public String fingerprint() {
    MessageDigest sha = sha256();
    for (Example example : examples) {
      ByteBuffer bytes = ByteBuffer.allocate(4 + 8 * example.length()).putInt(example.length());
      for (int i = 0; i < example.length(); i++) {
        bytes.putInt(example.ids()[i]).putInt(example.label(i));
      }
      sha.update(bytes.flip());
      SequenceLabel label = example.sequenceLabel();
      if (label != null) {
        sha.update(label.toString().getBytes(StandardCharsets.UTF_8));
      }
    }
    return size() + " rows, sha256 " + HexFormat.of().formatHex(sha.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /// Holds a share of the data out.
  ///
  /// Lines and files stay whole, so no piece of a held-out text is trained on; only data of one
  /// single text is split between its pieces, its end being held out. Counts are rounded up. Both
  /// sides keep the order of the data.
  ///
  /// @param share of the lines or files, between 0 and 1, both excluded
  /// @param shuffle whether to choose at random; else the last ones are held out
  /// @param seed of the choice
  /// @return both sides, neither empty
  /// @throws IllegalArgumentException if the share is not between 0 and 1 or there are fewer than
  ///   two examples
  public Split split(double share, boolean shuffle, long seed) {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException(
          "evaluation split: found " + share + ", expected a number between 0 and 1");
    }
    if (size() < 2) {
      throw new IllegalArgumentException(
          "evaluation split: found data of %d example(s), expected at least 2".formatted(size()));
    }
    int[] documents = examples.stream().mapToInt(Example::document).distinct().toArray();
    boolean whole = documents.length > 1;
    int units = whole ? documents.length : size();
    int held =
        BigDecimal.valueOf(share)
            .multiply(BigDecimal.valueOf(units))
            .setScale(0, RoundingMode.CEILING)
            .intValueExact();
    held = Math.min(held, units - 1);

    BitSet heldUnits = new BitSet();
    if (shuffle && whole) {
      int[] order = documents.clone();
      new Shuffle(seed, Shuffle.SPLIT).apply(order);
      for (int i = 0; i < held; i++) {
        heldUnits.set(order[i]);
      }
    } else {
      for (int i = units - held; i < units; i++) {
        heldUnits.set(whole ? documents[i] : i);
      }
    }
    List<Example> train = new ArrayList<>();
    List<Example> heldOut = new ArrayList<>();
    for (Example example : examples) {
      boolean out = heldUnits.get(whole ? example.document() : example.row());
      (out ? heldOut : train).add(example);
    }
    return new Split(new Dataset(train, 0, 0), new Dataset(heldOut, 0, 0));
  }
}
