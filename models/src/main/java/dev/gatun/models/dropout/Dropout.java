package dev.gatun.models.dropout;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A dropout method as data: its masks, an extra loss, and how many times they are drawn in a step.
///
/// The methods of the papers are values of this record. Sources: "LoRA Meets Dropout under a
/// Unified Framework" (HiddenKey), arXiv:2403.00812, sections 3 and 4; LoRA Dropout,
/// arXiv:2404.09610.
///
/// @param masks at most one for each position
/// @param agreement the extra loss, where `lambda` is above 0
/// @param lambda weight of the extra loss; 0 for none
/// @param bothBranches whether KL's gradient flows through both branches; the paper's through the
///   first alone
/// @param layers which layers KEY, WEIGHT and HIDDEN mask
/// @param instances how many times the masks are drawn in a step, whose loss is the mean over them;
///   1 to 100
public record Dropout(
    List<Mask> masks,
    Agreement agreement,
    double lambda,
    boolean bothBranches,
    Layers layers,
    int instances) {
  /// Which layers are masked.
  public enum Layers {
    /// Every layer: what the HiddenKey paper does for encoders.
    ALL,
    /// The latter half: what it does for decoders, where masking all of them gains little.
    LATTER_HALF
  }

  private static final int MOST_INSTANCES = 100;

  /// No dropout at all.
  public static final Dropout NONE = of();

  /// Checks the parts.
  ///
  /// @throws IllegalArgumentException if a position is masked twice, a number is out of its range,
  ///   or two branches are asked for where there is one
  public Dropout {
    masks = List.copyOf(masks);
    Set<Position> seen = EnumSet.noneOf(Position.class);
    for (Mask mask : masks) {
      if (!seen.add(mask.position())) {
        throw new IllegalArgumentException(
            "dropout: found two masks for " + mask.position() + ", expected one");
      }
    }
    if (!(lambda >= 0) || Double.isInfinite(lambda)) {
      throw new IllegalArgumentException("lambda: found " + lambda + ", expected 0 or more");
    }
    if (instances < 1 || instances > MOST_INSTANCES) {
      throw new IllegalArgumentException(
          "instances: found " + instances + ", expected 1 to " + MOST_INSTANCES);
    }
    if (bothBranches && agreement == Agreement.JS) {
      throw new IllegalArgumentException(
          "both branches: found JS, expected KL: JS's other branch is without masks");
    }
  }

  /// {@return a method of these masks, over the latter half of the layers}
  ///
  /// @param masks at most one for each position
  public static Dropout of(Mask... masks) {
    return new Dropout(List.of(masks), Agreement.KL, 0, false, Layers.LATTER_HALF, 1);
  }

  /// {@return this method with another drop rate of all its masks}
  ///
  /// @param rate at least 0 and below 1
  public Dropout withRate(double rate) {
    List<Mask> rated =
        masks.stream()
            .map(m -> new Mask(m.position(), m.pattern(), rate, m.depth(), m.rescaling()))
            .toList();
    return new Dropout(rated, agreement, lambda, bothBranches, layers, instances);
  }

  /// HiddenKey⁻: column-wise DropKey and element-wise HiddenCut, no extra loss.
  ///
  /// @param keyRate drop rate of keys, at least 0 and below 1
  /// @param hiddenRate drop rate of feed-forward elements, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenKeyMinus(double keyRate, double hiddenRate) {
    return of(Mask.of(Position.KEY, keyRate), Mask.of(Position.HIDDEN, hiddenRate));
  }

  /// HiddenKey: HiddenKey⁻ and the bidirectional KL divergence.
  ///
  /// @param keyRate drop rate of keys, at least 0 and below 1
  /// @param hiddenRate drop rate of feed-forward elements, at least 0 and below 1
  /// @param lambda weight of the divergence, 0 or more; 0 for one branch
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenKey(double keyRate, double hiddenRate, double lambda) {
    return hiddenKeyMinus(keyRate, hiddenRate).withAgreement(Agreement.KL, lambda);
  }

  /// DropKey alone, by columns.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout dropKey(double rate) {
    return of(Mask.of(Position.KEY, rate));
  }

  /// DropAttention alone, by columns, normalised by a sum that the gradient takes as constant.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout dropAttention(double rate) {
    return of(Mask.of(Position.WEIGHT, rate));
  }

  /// HiddenCut alone, by elements.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @return the method, over the latter half of the layers
  public static Dropout hiddenCut(double rate) {
    return of(Mask.of(Position.HIDDEN, rate));
  }

  /// LoRA Dropout: columns of A and rows of B, several times a step.
  ///
  /// @param rate drop rate, at least 0 and below 1
  /// @param instances times that the masks are drawn in a step
  /// @return the method
  public static Dropout loraDropout(double rate, int instances) {
    return of(Mask.of(Position.ADAPTER, rate)).withInstances(instances);
  }

  /// {@return this method over other layers}
  ///
  /// @param where which layers are masked
  public Dropout withLayers(Layers where) {
    return new Dropout(masks, agreement, lambda, bothBranches, where, instances);
  }

  /// {@return this method with the divergence's gradient through both branches, or the first alone}
  ///
  /// @param both whether through both branches
  public Dropout withBothBranches(boolean both) {
    return new Dropout(masks, agreement, lambda, both, layers, instances);
  }

  /// {@return this method with another extra loss}
  ///
  /// @param kind which
  /// @param weight its weight; 0 for none
  public Dropout withAgreement(Agreement kind, double weight) {
    return new Dropout(masks, kind, weight, bothBranches, layers, instances);
  }

  /// {@return this method with its masks drawn another number of times in a step}
  ///
  /// @param count how many times
  public Dropout withInstances(int count) {
    return new Dropout(masks, agreement, lambda, bothBranches, layers, count);
  }

  /// {@return the mask of a position, where there is one that drops anything}
  ///
  /// @param position the position
  public Optional<Mask> mask(Position position) {
    return masks.stream().filter(m -> m.position() == position && m.rate() > 0).findFirst();
  }

  /// {@return the rate of a position's mask in a layer; 0 where it is not masked}
  ///
  /// @param mask one of this method's masks of KEY, WEIGHT or HIDDEN
  /// @param layer the layer
  /// @param modelLayers number of layers of the model
  double rate(Mask mask, int layer, int modelLayers) {
    int first = firstMasked(modelLayers);
    return layer < first ? 0 : mask.depth().rate(mask.rate(), layer - first, modelLayers - first);
  }

  private int firstMasked(int modelLayers) {
    return layers == Layers.ALL ? 0 : modelLayers / 2;
  }

  /// {@return whether anything is masked}
  public boolean drops() {
    return masks.stream().anyMatch(mask -> mask.rate() > 0);
  }

  /// {@return how many times masks are drawn in a step; 1 where there are none}
  public int draws() {
    return drops() ? instances : 1;
  }

  /// {@return whether a second branch is computed}
  public boolean twoBranches() {
    return lambda > 0 && drops();
  }

  /// {@return how many of the model's layers, from the first on, give all branches and instances
  /// the same activation}
  ///
  /// @param modelLayers number of layers of the model
  public int sharedLayers(int modelLayers) {
    boolean below =
        masks.stream()
            .anyMatch(mask ->
                mask.rate() > 0
                    && (mask.position() == Position.INPUT
                        || mask.position() == Position.BRANCH
                        || mask.position() == Position.ADAPTER));
    boolean inLayers = masks.stream().anyMatch(m -> m.rate() > 0 && m.position().isOfLayers());
    if (below) {
      return 0;
    }
    return inLayers ? firstMasked(modelLayers) : modelLayers;
  }
}
