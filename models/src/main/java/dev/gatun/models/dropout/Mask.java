package dev.gatun.models.dropout;

/// One kind of mask: where, in which pattern, how often, and what is done to what stays.
///
/// | position | patterns | rescaling, the usual one first |
/// |---|---|---|
/// | KEY | element, column, span | none |
/// | WEIGHT | element, column, span | normalised-constant, normalised, inverted, none |
/// | HIDDEN, INPUT, OUTPUT | element | inverted, none |
/// | HIDDEN, INPUT, OUTPUT | column, span | none, inverted |
/// | BRANCH | element | inverted, none |
/// | ADAPTER | column | none |
///
/// For columns and spans of hidden elements arXiv:2403.00812 gives no scale; HiddenCut's own code
/// (arXiv:2106.00149) leaves what stays as it is, and so do we unless told otherwise.
///
/// @param position where
/// @param pattern in which pattern
/// @param rate drop rate, at least 0 and below 1
/// @param depth how the rate changes over the layers
/// @param rescaling what is done to what stays
public record Mask(
    Position position, Pattern pattern, double rate, Depth depth, Rescaling rescaling) {
  /// Checks the combination.
  ///
  /// @throws IllegalArgumentException if it is none of the above
  public Mask {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          DropoutText.name(position) + ": found rate " + rate + ", expected 0 <= p < 1");
    }
    if (position == Position.BRANCH && pattern != Pattern.ELEMENT) {
      throw refused(position, pattern, "element, as LoRA's own dropout has");
    }
    if (position == Position.ADAPTER && pattern != Pattern.COLUMN) {
      throw refused(position, pattern, "column: columns of A and rows of B");
    }
    boolean normalised =
        rescaling == Rescaling.NORMALISED || rescaling == Rescaling.NORMALISED_CONSTANT;
    if (normalised && position != Position.WEIGHT) {
      throw refused(position, rescaling, "none or inverted: only attention weights sum to 1");
    }
    if (rescaling == Rescaling.INVERTED && position == Position.KEY) {
      throw refused(position, rescaling, "none: the softmax makes up for what is dropped");
    }
    if (rescaling == Rescaling.INVERTED && position == Position.ADAPTER) {
      throw refused(position, rescaling, "none, as LoRA Dropout has");
    }
    if (depth != Depth.CONSTANT && !position.isOfLayers()) {
      throw refused(position, depth, "constant: this position is of no layer");
    }
  }

  private static IllegalArgumentException refused(Position position, Enum<?> found, String wanted) {
    return new IllegalArgumentException(
        DropoutText.name(position) + ": found " + DropoutText.name(found) + ", expected " + wanted);
  }

  /// {@return a mask with the usual pattern and rescaling of its position}
  ///
  /// @param position where
  /// @param rate drop rate
  public static Mask of(Position position, double rate) {
    return of(position, usualPattern(position), rate);
  }

  /// {@return a mask with the usual rescaling of its position}
  ///
  /// @param position where
  /// @param pattern in which pattern
  /// @param rate drop rate
  public static Mask of(Position position, Pattern pattern, double rate) {
    return new Mask(position, pattern, rate, Depth.CONSTANT, usualRescaling(position, pattern));
  }

  /// {@return the usual pattern: columns in attention and adapters, elements elsewhere}
  ///
  /// @param position where
  public static Pattern usualPattern(Position position) {
    return switch (position) {
      case KEY, WEIGHT, ADAPTER -> Pattern.COLUMN;
      case HIDDEN, INPUT, OUTPUT, BRANCH -> Pattern.ELEMENT;
    };
  }

  /// {@return the usual rescaling, the first of the table above}
  ///
  /// @param position where
  /// @param pattern in which pattern
  public static Rescaling usualRescaling(Position position, Pattern pattern) {
    return switch (position) {
      case KEY, ADAPTER -> Rescaling.NONE;
      case WEIGHT -> Rescaling.NORMALISED_CONSTANT;
      case BRANCH -> Rescaling.INVERTED;
      case HIDDEN, INPUT, OUTPUT ->
          pattern == Pattern.ELEMENT ? Rescaling.INVERTED : Rescaling.NONE;
    };
  }

  /// {@return the factor of elements that stay, before any normalisation}
  ///
  /// @param p the layer's rate
  float kept(double p) {
    return rescaling == Rescaling.INVERTED ? (float) (1 / (1 - p)) : 1;
  }
}
