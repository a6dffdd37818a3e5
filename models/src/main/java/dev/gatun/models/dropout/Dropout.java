package dev.gatun.models.dropout;

/// A dropout method: what is masked, how often, and what makes up for the gap between training and
/// inference.
///
/// The named ones are values of this record. Source: "LoRA Meets Dropout under a Unified
/// Framework", arXiv:2403.00812, sections 3 and 4; rates are drop rates.
///
/// @param name the name on the command line
/// @param keyRate rate at which whole keys are dropped before the softmax (column-wise DropKey),
///   per sequence and query head
/// @param hiddenRate rate at which elements of the feed-forward output are dropped, before the
///   residual (element-wise HiddenCut, kept ones scaled by 1 / (1 - p))
/// @param lambda weight of the bidirectional KL divergence between two branches; 0 for one branch
/// @param bothBranches whether the divergence's gradient flows through both branches; the paper's
///   through the first alone
/// @param layers which layers are masked
public record Dropout(
    String name,
    double keyRate,
    double hiddenRate,
    double lambda,
    boolean bothBranches,
    Layers layers) {
  /// Which layers are masked.
  public enum Layers {
    /// Every layer: what the paper does for encoders.
    ALL,
    /// The latter half: what the paper does for decoders, where masking all of them gains little.
    LATTER_HALF
  }

  /// No dropout at all.
  public static final Dropout NONE = new Dropout("none", 0, 0, 0, false, Layers.LATTER_HALF);

  /// Checks the ranges.
  public Dropout {
    rate("p_key", keyRate);
    rate("p_hidden", hiddenRate);
    if (!(lambda >= 0) || Double.isInfinite(lambda)) {
      throw new IllegalArgumentException("lambda: found " + lambda + ", expected 0 or more");
    }
  }

  private static void rate(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(name + ": found " + value + ", expected 0 <= p < 1");
    }
  }

  /// HiddenKey⁻: column-wise DropKey and element-wise HiddenCut, no extra loss.
  ///
  /// @param keyRate drop rate of keys, at least 0 and below 1
  /// @param hiddenRate drop rate of feed-forward elements, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenKeyMinus(double keyRate, double hiddenRate) {
    return new Dropout("hiddenkey-minus", keyRate, hiddenRate, 0, false, Layers.LATTER_HALF);
  }

  /// HiddenKey: HiddenKey⁻ and the bidirectional KL divergence.
  ///
  /// @param keyRate drop rate of keys, at least 0 and below 1
  /// @param hiddenRate drop rate of feed-forward elements, at least 0 and below 1
  /// @param lambda weight of the divergence, 0 or more; 0 for one branch
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenKey(double keyRate, double hiddenRate, double lambda) {
    return new Dropout("hiddenkey", keyRate, hiddenRate, lambda, false, Layers.LATTER_HALF);
  }

  /// DropKey alone, by columns.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout dropKey(double rate) {
    return new Dropout("dropkey", rate, 0, 0, false, Layers.LATTER_HALF);
  }

  /// HiddenCut alone, by elements.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenCut(double rate) {
    return new Dropout("hiddencut", 0, rate, 0, false, Layers.LATTER_HALF);
  }

  /// {@return this method over other layers}
  ///
  /// @param where which layers are masked
  public Dropout withLayers(Layers where) {
    return new Dropout(name, keyRate, hiddenRate, lambda, bothBranches, where);
  }

  /// {@return this method with the divergence's gradient through both branches, or the first alone}
  ///
  /// @param both whether through both branches
  public Dropout withBothBranches(boolean both) {
    return new Dropout(name, keyRate, hiddenRate, lambda, both, layers);
  }

  /// {@return whether anything is masked}
  public boolean masks() {
    return keyRate > 0 || hiddenRate > 0;
  }

  /// {@return whether a second branch is computed}
  public boolean twoBranches() {
    return lambda > 0 && masks();
  }

  /// {@return the first masked layer of a model: the layers below give both branches the same
  /// activation}
  ///
  /// @param modelLayers number of layers of the model
  public int firstLayer(int modelLayers) {
    return layers == Layers.ALL ? 0 : modelLayers / 2;
  }
}
