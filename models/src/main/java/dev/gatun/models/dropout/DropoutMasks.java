package dev.gatun.models.dropout;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.MaskStream.Site;
import dev.gatun.runtime.random.Philox;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/// The masks of one pass over one batch: a function of seed, step, pass and logical coordinates, so
/// that recomputation, resume and another grouping of the same rows draw the same bits.
///
/// @param sources what draws the masks of each sequence
/// @param layers layers of the model
public record DropoutMasks(List<Source> sources, int layers) {
  /// What a mask's counter tells apart, see [MaskStream].
  private static final int MOST_HEADS = 1 << 8;

  private static final int MOST_QUERIES = 1 << 16;

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

  /// Returns what is added to the attention scores of a layer: minus infinity for a dropped key.
  ///
  /// No query is left without a key: in a causal layer position 0 of a sequence is never dropped,
  /// in another a query that drew all its keys keeps all.
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param heads query heads
  /// @param batch division of the tokens
  /// @param causal whether queries see no further than themselves
  /// @return `(B, H, 1, T)`, or `(B, H, T, T)` where elements are dropped, or null where this layer
  ///   drops no keys
  public @Nullable Tensor keys(Scope scope, int layer, int heads, Ragged batch, boolean causal) {
    return new AttentionMask(Position.KEY, Site.KEY, layer, heads, batch, causal)
        .draw(scope, 0, Float.NEGATIVE_INFINITY);
  }

  /// Returns the factors of a layer's attention weights: 0 for dropped ones.
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param heads query heads
  /// @param batch division of the tokens
  /// @param causal as in [#keys]
  /// @return shaped as [#keys] says, or null where this layer drops no weights
  public @Nullable Tensor weights(Scope scope, int layer, int heads, Ragged batch, boolean causal) {
    return new AttentionMask(Position.WEIGHT, Site.WEIGHT, layer, heads, batch, causal)
        .draw(scope, Float.NaN, 0);
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

  /// Masks of attention: a line of keys for each head, or for each head and query.
  private final class AttentionMask {
    private final Position position;
    private final Site site;
    private final int layer;
    private final int heads;
    private final Ragged batch;
    private final boolean causal;

    AttentionMask(
        Position position, Site site, int layer, int heads, Ragged batch, boolean causal) {
      this.position = position;
      this.site = site;
      this.layer = layer;
      this.heads = heads;
      this.batch = batch;
      this.causal = causal;
    }

    private Optional<Mask> mask(int sequence) {
      Dropout dropout = sources.get(sequence).dropout;
      return dropout.mask(position).filter(mask -> dropout.rate(mask, layer, layers) > 0);
    }

    /// @param kept value of what stays; not a number for the mask's own factor
    @Nullable Tensor draw(Scope scope, float kept, float dropped) {
      boolean any = false;
      boolean elements = false;
      for (int i = 0; i < batch.sequences(); i++) {
        Mask mask = mask(i).orElse(null);
        any |= mask != null;
        elements |= mask != null && mask.pattern() == Pattern.ELEMENT;
      }
      if (!any) {
        return null;
      }
      int longest = batch.longest();
      if (elements && (longest > MOST_QUERIES || heads > MOST_HEADS)) {
        throw new IllegalArgumentException(
            "element masks of attention: found %d heads and %d tokens, expected at most %d and %d"
                .formatted(heads, longest, MOST_HEADS, MOST_QUERIES));
      }
      int queries = elements ? longest : 1;
      float[] values = new float[Math.multiplyExact(batch.sequences() * heads * queries, longest)];
      for (int i = 0; i < batch.sequences(); i++) {
        Mask mask = mask(i).orElse(null);
        int size = heads * queries * longest;
        if (mask == null) {
          Arrays.fill(values, i * size, (i + 1) * size, Float.isNaN(kept) ? 1 : kept);
        } else {
          double rate = sources.get(i).dropout.rate(mask, layer, layers);
          float stays = Float.isNaN(kept) ? mask.kept(rate) : kept;
          Line line = Line.of(sources.get(i), mask, rate, site, layer, batch.length(i));
          sequence(values, i * size, queries, line, stays, dropped);
        }
      }
      return scope.of(values, batch.sequences(), heads, queries, longest);
    }

    private void sequence(
        float[] values, int start, int queries, Line line, float kept, float dropped) {
      boolean elements = line.mask.pattern() == Pattern.ELEMENT;
      int longest = batch.longest();
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < queries; t++) {
          int at = start + (h * queries + t) * longest;
          if (!elements && t > 0) { // another sequence of the batch has a line for each query
            System.arraycopy(values, at - longest, values, at, longest);
            continue;
          }
          line.draw(elements ? h << 16 | t : h, kept, dropped, values, at);
          if (causal) {
            values[at] = kept;
          } else if (all(values, at, line.length, dropped)) {
            Arrays.fill(values, at, at + line.length, kept);
          }
        }
      }
    }

    private static boolean all(float[] values, int at, int length, float value) {
      for (int i = at; i < at + length; i++) {
        if (values[i] != value) {
          return false;
        }
      }
      return true;
    }
  }

  /// A line of a mask along its last coordinate, of `length` places.
  private record Line(MaskStream stream, int row, Mask mask, double rate, int length) {
    static Line of(Source source, Mask mask, double rate, Site site, int layer, int length) {
      return new Line(source.stream(site, layer), source.row, mask, rate, length);
    }

    void draw(int middle, float kept, float dropped, float[] target, int at) {
      if (mask.pattern() == Pattern.SPAN) {
        Arrays.fill(target, at, at + length, kept);
        int run = (int) Math.round(rate * length);
        int start = (int) (stream.uniform(row, middle) * (length - run + 1));
        Arrays.fill(target, at + start, at + start + run, dropped);
      } else {
        elements(middle, kept, dropped, target, at, length);
      }
    }

    void elements(int middle, float kept, float dropped, float[] target, int at, int count) {
      stream.line(row, middle, Philox.threshold(rate), kept, dropped, target, at, count);
    }
  }

  /// Returns what writes the factors of a token's feed-forward output: 0 for dropped elements.
  ///
  /// @param layer the layer
  /// @param batch division of the tokens
  /// @return factors of a token, by its number in the batch, for as many channels as the array has
  ///   elements; or null where this layer drops none
  public @Nullable ObjLongConsumer<float[]> hidden(int layer, Ragged batch) {
    return tokens(Position.HIDDEN, Site.HIDDEN, layer, batch);
  }

  /// As [#hidden], of the input embeddings.
  ///
  /// @param batch division of the tokens
  /// @return factors of a token, or null
  public @Nullable ObjLongConsumer<float[]> input(Ragged batch) {
    return tokens(Position.INPUT, Site.INPUT, 0, batch);
  }

  /// As [#hidden], of what the head reads.
  ///
  /// @param batch division of the tokens
  /// @return factors of a token, or null
  public @Nullable ObjLongConsumer<float[]> output(Ragged batch) {
    return tokens(Position.OUTPUT, Site.OUTPUT, 0, batch);
  }

  /// As [#hidden], of the input of an adapter's branch.
  ///
  /// @param linear index of the linear layer
  /// @param batch division of the tokens
  /// @return factors of a token, or null
  public @Nullable ObjLongConsumer<float[]> branch(int linear, Ragged batch) {
    return tokens(Position.BRANCH, Site.BRANCH, linear, batch);
  }

  private @Nullable ObjLongConsumer<float[]> tokens(
      Position position, Site site, int layer, Ragged batch) {
    boolean any = false;
    @Nullable Tokens[] all = new Tokens[batch.sequences()];
    for (int i = 0; i < all.length; i++) {
      Source source = sources.get(i);
      Mask mask = source.dropout.mask(position).orElse(null);
      double rate = 0;
      if (mask != null) {
        rate = position.isOfLayers() ? source.dropout.rate(mask, layer, layers) : mask.rate();
      }
      if (mask != null && rate > 0) {
        all[i] = Tokens.of(Line.of(source, mask, rate, site, layer, batch.length(i)));
        any = true;
      }
    }
    if (!any) {
      return null;
    }
    return (factors, token) -> {
      int sequence = batch.sequence((int) token);
      Tokens tokens = all[sequence];
      if (tokens == null) {
        Arrays.fill(factors, 1);
      } else {
        tokens.factors((int) token - batch.start(sequence), factors);
      }
    };
  }

  /// The factors of a sequence's tokens.
  ///
  /// @param whole a factor for each token, or null where each element has its own
  private record Tokens(Line line, float kept, float @Nullable [] whole) {
    static Tokens of(Line line) {
      float kept = line.mask.kept(line.rate);
      if (line.mask.pattern() == Pattern.ELEMENT) {
        return new Tokens(line, kept, null);
      }
      float[] whole = new float[line.length];
      line.draw(0, kept, 0, whole, 0);
      return new Tokens(line, kept, whole);
    }

    void factors(int position, float[] factors) {
      if (whole != null) {
        Arrays.fill(factors, whole[position]);
        return;
      }
      line.elements(position, kept, 0, factors, 0, factors.length);
    }
  }
}
