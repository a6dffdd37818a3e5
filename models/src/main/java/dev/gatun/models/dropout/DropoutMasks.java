package dev.gatun.models.dropout;

import dev.gatun.runtime.op.AttentionMask;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.TokenMask;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.MaskStream.Site;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.random.SequenceMask;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The masks of one pass over one batch: a function of seed, step, pass and logical coordinates, so
/// that recomputation, resume and another grouping of the same rows draw the same bits.
///
/// @param sources what draws the masks of each sequence
/// @param layers layers of the model
public record DropoutMasks(List<Source> sources, int layers) {
  /// What draws the masks of a sequence. Sequences of a batch may have methods of their own.
  ///
  /// @param dropout the method
  /// @param seed seed of the run
  /// @param step optimizer step
  /// @param pass branch and instance
  /// @param row row of the optimizer step
  public record Source(Dropout dropout, long seed, int step, int pass, int row) {
    private MaskStream stream(Site site, int layer) {
      return new MaskStream(seed, step, layer, site, pass, 0);
    }

    /// {@return factors, 0 or 1, for the columns of an adapter's A and for the rows of its B; null
    /// where the method leaves adapters alone}
    ///
    /// @param linear index of the linear layer
    /// @param columns columns of A
    /// @param rows rows of B
    public float @Nullable [][] adapter(int linear, int columns, int rows) {
      Mask mask = dropout.mask(Position.ADAPTER).orElse(null);
      if (mask == null) {
        return null;
      }
      long threshold = Philox.threshold(mask.rate());
      float[][] factors = {new float[columns], new float[rows]};
      stream(Site.ADAPTER_A, linear).line(0, 0, threshold, 1, 0, factors[0], 0, columns);
      stream(Site.ADAPTER_B, linear).line(0, 0, threshold, 1, 0, factors[1], 0, rows);
      return factors;
    }
  }

  /// Copies the list.
  public DropoutMasks {
    sources = List.copyOf(sources);
  }

  /// {@return what is added to the attention scores of a layer: minus infinity for a dropped key;
  /// or null where this layer drops no keys}
  ///
  /// @param layer the layer
  /// @param heads query heads
  /// @param batch division of the tokens
  /// @param causal whether queries see no further than themselves
  public @Nullable AttentionMask keys(int layer, int heads, Ragged batch, boolean causal) {
    List<SequenceMask> masks = sequences(Position.KEY, Site.KEY, layer, 0, Float.NEGATIVE_INFINITY);
    return masks.stream().noneMatch(SequenceMask::drops)
        ? null
        : new AttentionMask(batch, masks, heads, causal);
  }

  /// {@return the factors of a layer's attention weights, 0 for dropped ones; or null where this
  /// layer drops no weights}
  ///
  /// @param layer the layer
  /// @param heads query heads
  /// @param batch division of the tokens
  /// @param causal as in [#keys]
  public @Nullable AttentionMask weights(int layer, int heads, Ragged batch, boolean causal) {
    List<SequenceMask> masks = sequences(Position.WEIGHT, Site.WEIGHT, layer, 1, 0);
    return masks.stream().noneMatch(SequenceMask::drops)
        ? null
        : new AttentionMask(batch, masks, heads, causal);
  }

  /// @param neutral value that changes nothing; where it is a factor, a mask's own comes on top
  private List<SequenceMask> sequences(
      Position position, Site site, int layer, float neutral, float dropped) {
    List<SequenceMask> masks = new ArrayList<>();
    for (Source source : sources) {
      Mask mask = source.dropout.mask(position).orElse(null);
      double rate = 0;
      SequenceMask.Shape shape = SequenceMask.Shape.COLUMN;
      float kept = neutral;
      if (mask != null) {
        rate = position.isOfLayers() ? source.dropout.rate(mask, layer, layers) : mask.rate();
        shape = shape(mask.pattern());
        kept *= mask.kept(rate);
      }
      masks.add(
          new SequenceMask(source.stream(site, layer), source.row, rate, shape, kept, dropped));
    }
    return masks;
  }

  private static SequenceMask.Shape shape(Pattern pattern) {
    return switch (pattern) {
      case ELEMENT -> SequenceMask.Shape.ELEMENT;
      case COLUMN -> SequenceMask.Shape.COLUMN;
      case SPAN -> SequenceMask.Shape.SPAN;
    };
  }

  /// {@return how what stays of the attention weights is rescaled; all sequences must agree}
  public Rescaling weightRescaling() {
    List<Rescaling> found =
        sources.stream()
            .flatMap(source -> source.dropout.mask(Position.WEIGHT).stream())
            .map(Mask::rescaling)
            .distinct()
            .toList();
    if (found.size() > 1) {
      throw new IllegalArgumentException(
          "attention weights: found " + found + " in one pass, expected one way to rescale them");
    }
    return found.isEmpty() ? Rescaling.NONE : found.getFirst();
  }

  /// {@return the factors of the tokens' feed-forward outputs, 0 for dropped elements; or null
  /// where this layer drops none}
  ///
  /// @param layer the layer
  /// @param batch division of the tokens
  public @Nullable TokenMask hidden(int layer, Ragged batch) {
    return tokens(Position.HIDDEN, Site.HIDDEN, layer, batch);
  }

  /// {@return as [#hidden], of the input embeddings}
  ///
  /// @param batch division of the tokens
  public @Nullable TokenMask input(Ragged batch) {
    return tokens(Position.INPUT, Site.INPUT, 0, batch);
  }

  /// {@return as [#hidden], of what the head reads}
  ///
  /// @param batch division of the tokens
  public @Nullable TokenMask output(Ragged batch) {
    return tokens(Position.OUTPUT, Site.OUTPUT, 0, batch);
  }

  /// {@return as [#hidden], of the input of an adapter's branch}
  ///
  /// @param linear index of the linear layer
  /// @param batch division of the tokens
  public @Nullable TokenMask branch(int linear, Ragged batch) {
    return tokens(Position.BRANCH, Site.BRANCH, linear, batch);
  }

  private @Nullable TokenMask tokens(Position position, Site site, int layer, Ragged batch) {
    List<SequenceMask> masks = sequences(position, site, layer, 1, 0);
    return masks.stream().noneMatch(SequenceMask::drops) ? null : new TokenMask(batch, masks);
  }
}
