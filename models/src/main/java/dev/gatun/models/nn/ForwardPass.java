package dev.gatun.models.nn;

import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Attention;
import dev.gatun.runtime.op.AttentionMask;
import dev.gatun.runtime.op.Drop;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.TokenMask;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Everything that one run of a model needs besides its weights: the tokens, how they divide, which
/// adapters and replaced weights they go through, the dropout masks, and the cache of a generation.
public final class ForwardPass {
  private final Ragged batch;
  private final Tensor ids;
  private final Tensor positions;
  private final @Nullable Tensor cos;
  private final @Nullable Tensor signedSin;
  private final List<AdapterSegment> segments;
  private final Map<Integer, Tensor> replaced;
  private final @Nullable FrozenWeights frozen;
  private final Sublayers sublayers;
  private final @Nullable DropoutMasks masks;
  private final @Nullable CachedTokens cache;

  private ForwardPass(Builder builder, Ragged batch) {
    Scope owner = builder.owner;
    Transformer model = builder.model;
    this.cache =
        builder.sequences.isEmpty() ? null : CachedTokens.of(owner, batch, builder.sequences);
    int[] places = new int[batch.tokens()];
    for (int i = 0; i < batch.sequences(); i++) {
      int past = cache == null ? 0 : cache.past(i);
      if (past + batch.length(i) > model.maxPositions()) {
        throw new ShapeException(
            "%s: found a sequence of %d tokens, expected at most %d"
                .formatted(model.modelType(), past + batch.length(i), model.maxPositions()));
      }
      for (int t = 0; t < batch.length(i); t++) {
        places[batch.start(i) + t] = past + t;
      }
    }
    this.batch = batch;
    this.ids = owner.of(widened(builder.ids), builder.ids.length);
    this.positions = owner.of(widened(places), places.length);
    Rotary rotary = model.rotary();
    if (rotary == null) {
      cos = null;
      signedSin = null;
    } else {
      int[] distinct = IntStream.of(places).sorted().distinct().toArray();
      try (Scope block = owner.untaped()) {
        Tensor rows = null; // of the tables, where they are not the tokens in order
        if (!Arrays.equals(distinct, places)) {
          long[] index =
              IntStream.of(places).mapToLong(p -> Arrays.binarySearch(distinct, p)).toArray();
          rows = block.of(index, index.length);
        }
        DType dtype = model.computeType();
        cos = owner.keep(ofTokens(block, rotary.cos(distinct), distinct.length, rows, dtype));
        signedSin =
            owner.keep(ofTokens(block, rotary.signedSin(distinct), distinct.length, rows, dtype));
      }
    }
    this.segments = List.copyOf(builder.segments);
    this.replaced = Map.copyOf(builder.replaced);
    this.frozen = builder.frozen;
    this.sublayers = builder.sublayers;
    this.masks = builder.masks;
  }

  private ForwardPass(ForwardPass other, @Nullable DropoutMasks masks) {
    this.batch = other.batch;
    this.ids = other.ids;
    this.positions = other.positions;
    this.cos = other.cos;
    this.signedSin = other.signedSin;
    this.segments = other.segments;
    this.replaced = other.replaced;
    this.frozen = other.frozen;
    this.sublayers = other.sublayers;
    this.cache = other.cache;
    this.masks = masks;
  }

  /// Returns the rows of a table of positions for each token, `(N, 1, D)`.
  private static Tensor ofTokens(
      Scope scope, float[] table, int count, @Nullable Tensor rows, DType dtype) {
    long size = table.length / count;
    Tensor typed = Layout.as(scope, scope.of(table, count, size), dtype);
    Tensor each = rows == null ? typed : Layout.rows(scope, typed, rows);
    return Layout.reshape(scope, each, each.size(0), 1, size);
  }

  private static long[] widened(int[] values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /// Starts the description of a pass.
  ///
  /// @param owner owner of the pass's own tensors; outlives the pass
  /// @param model the model
  /// @param ids N token ids, all sequences one after the other
  /// @param offsets start of each sequence, then N
  /// @return the description
  public static Builder of(Scope owner, Transformer model, int[] ids, int... offsets) {
    return new Builder(owner, model, ids, offsets);
  }

  /// {@return this pass with other masks: HiddenKey's second branch}
  ///
  /// @param other the masks, or null for none
  public ForwardPass withMasks(@Nullable DropoutMasks other) {
    return new ForwardPass(this, other);
  }

  /// {@return how the tokens divide into sequences}
  public Ragged batch() {
    return batch;
  }

  /// {@return the token ids, i64 `(N)`}
  public Tensor ids() {
    return ids;
  }

  /// {@return the positions, i64 `(N)`}
  public Tensor positions() {
    return positions;
  }

  /// Returns the cosines of the positions, `(N, 1, D)`.
  Tensor cos() {
    return present(cos);
  }

  /// Returns the sines, negated in the first half, `(N, 1, D)`.
  Tensor signedSin() {
    return present(signedSin);
  }

  private static Tensor present(@Nullable Tensor table) {
    if (table == null) {
      throw new IllegalStateException("this model has no rotary positions");
    }
    return table;
  }

  /// {@return which rows go through which adapter}
  public List<AdapterSegment> segments() {
    return segments;
  }

  /// {@return what replaces weights in this pass, by [Param#index()]}
  public Map<Integer, Tensor> replaced() {
    return replaced;
  }

  /// {@return a weight, or what replaces it in this pass}
  ///
  /// @param param a weight of the model
  public Tensor value(Param param) {
    Tensor other = replaced.get(param.index());
    return other == null ? param.value() : other;
  }

  /// Returns x wᵀ + bias with a weight as this pass has it. Recorded as the operations are.
  ///
  /// @param scope owner of the result
  /// @param x `(N, I)`
  /// @param weight `(O, I)`, or `(I, O)` where `transposed`
  /// @param w its [#value], in the type of `x`
  /// @param bias `(O)`, or null
  /// @return `(N, O)`
  Tensor product(
      Scope scope, Tensor x, Param weight, Tensor w, boolean transposed, @Nullable Tensor bias) {
    if (frozen != null && w == weight.value() && !scope.records(x, w, bias)) {
      return frozen.of(weight, transposed).linear(scope, x, bias);
    }
    return Matmul.linear(scope, x, transposed ? Layout.transpose(scope, w, 0, 1) : w, bias);
  }

  /// {@return what stands after attention and feed-forward blocks}
  public Sublayers sublayers() {
    return sublayers;
  }

  /// {@return the dropout masks, or null outside training}
  public @Nullable DropoutMasks masks() {
    return masks;
  }

  /// {@return a feed-forward output with HiddenCut's elements dropped, or itself where this layer
  /// drops none}
  ///
  /// @param scope owner of the result
  /// @param layer the layer
  /// @param output `(N, C)`, before the residual is added
  public Tensor hiddenCut(Scope scope, int layer, Tensor output) {
    return dropped(scope, output, masks == null ? null : masks.hidden(layer, batch));
  }

  /// {@return input embeddings with some dropped, where the pass has masks of them}
  ///
  /// @param scope owner of the result
  /// @param embedded `(N, C)`
  public Tensor dropInput(Scope scope, Tensor embedded) {
    return dropped(scope, embedded, masks == null ? null : masks.input(batch));
  }

  /// {@return what the head reads with some dropped, where the pass has masks of it}
  ///
  /// @param scope owner of the result
  /// @param hidden `(N, C)`
  public Tensor dropOutput(Scope scope, Tensor hidden) {
    return dropped(scope, hidden, masks == null ? null : masks.output(batch));
  }

  /// Returns the mask of what adapters of a linear layer read, or null where none is dropped.
  @Nullable TokenMask branchMask(int linear) {
    return masks == null ? null : masks.branch(linear, batch);
  }

  private static Tensor dropped(Scope scope, Tensor x, @Nullable TokenMask mask) {
    return mask == null ? x : Drop.tokens(scope, x, mask);
  }

  /// {@return the factors of a layer's attention weights, or null where it drops none}
  ///
  /// @param scope owner of the factors
  /// @param layer the layer
  /// @param heads query heads
  /// @param causal whether queries see no further than themselves
  public Attention.@Nullable WeightFactors weightFactors(
      Scope scope, int layer, int heads, boolean causal) {
    if (masks == null) {
      return null;
    }
    AttentionMask mask = masks.weights(layer, heads, batch, causal);
    if (mask == null) {
      return null;
    }
    Attention.Rescaling rescaling =
        switch (masks.weightRescaling()) {
          case NORMALISED -> Attention.Rescaling.NORMALISED;
          case NORMALISED_CONSTANT -> Attention.Rescaling.NORMALISED_CONSTANT;
          case NONE, INVERTED -> Attention.Rescaling.NONE; // 1 / (1 - p) is in the factors
        };
    return new Attention.WeightFactors(mask.draw(scope), rescaling);
  }

  /// Returns the cache that this pass goes over, or null.
  @Nullable CachedTokens cache() {
    return cache;
  }

  /// Describes a pass.
  public static final class Builder {
    private final Scope owner;
    private final Transformer model;
    private final int[] ids;
    private final int[] offsets;
    private List<AdapterSegment> segments = List.of();
    private Map<Integer, Tensor> replaced = Map.of();
    private @Nullable FrozenWeights frozen;
    private Sublayers sublayers = Sublayers.NONE;
    private @Nullable DropoutMasks masks;
    private List<KvCache.Sequence> sequences = List.of();

    private Builder(Scope owner, Transformer model, int[] ids, int[] offsets) {
      this.owner = owner;
      this.model = model;
      this.ids = ids;
      this.offsets = offsets;
    }

    /// {@return the owner of the pass's own tensors: a tape where the pass is differentiated}
    public Scope owner() {
      return owner;
    }

    /// Sends rows through adapters.
    ///
    /// @param value the segments
    /// @return this builder
    public Builder segments(List<AdapterSegment> value) {
      this.segments = value;
      return this;
    }

    /// Replaces weights, by [Param#index()].
    ///
    /// @param value tensors in place of weights, by index
    /// @return this builder
    public Builder replaced(Map<Integer, Tensor> value) {
      this.replaced = value;
      return this;
    }

    /// Reads weights of linear layers in another form.
    ///
    /// @param value their forms, or null to read them as they are
    /// @return this builder
    public Builder frozen(@Nullable FrozenWeights value) {
      this.frozen = value;
      return this;
    }

    /// {@return the form of weights of linear layers, or null}
    public @Nullable FrozenWeights frozen() {
      return frozen;
    }

    /// {@return which rows go through which adapter}
    public List<AdapterSegment> segments() {
      return segments;
    }

    /// {@return what replaces weights, by [Param#index()]}
    public Map<Integer, Tensor> replaced() {
      return replaced;
    }

    /// {@return what stands after attention and feed-forward blocks}
    public Sublayers sublayers() {
      return sublayers;
    }

    /// Puts something after attention and feed-forward blocks.
    ///
    /// @param value what stands there
    /// @return this builder
    public Builder sublayers(Sublayers value) {
      this.sublayers = value;
      return this;
    }

    /// Draws dropout masks.
    ///
    /// @param value the masks, or null for none
    /// @return this builder
    public Builder masks(@Nullable DropoutMasks value) {
      this.masks = value;
      return this;
    }

    /// Continues generations.
    ///
    /// @param value what each sequence of the pass continues, in one cache; none for a pass without
    ///   a cache
    /// @return this builder
    public Builder cache(List<KvCache.Sequence> value) {
      this.sequences = value;
      return this;
    }

    /// {@return the pass}
    ///
    /// @throws ShapeException if a sequence is longer than the model's positions, or the cache has
    ///   other sequences or too few free pages
    public ForwardPass build() {
      return new ForwardPass(this, Ragged.of(owner, offsets));
    }
  }
}
