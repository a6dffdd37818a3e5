package dev.gatun.models.zoo;

import dev.gatun.models.nn.Encoder;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Weights;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Embed;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// DeBERTa v2 and v3, which share a `model_type`: layer norms after the residuals, attention with
/// relative positions, GELU by erf.
///
/// All tokens are of type 0. Source: transformers, `modeling_deberta_v2.py`.
final class DebertaV2 implements Encoder {
  private record Layer(
      Linear query,
      Linear key,
      Linear value,
      @Nullable Linear positionKey,
      @Nullable Linear positionQuery,
      Linear attentionOut,
      Param attentionNormWeight,
      Param attentionNormBias,
      Linear intermediate,
      Linear out,
      Param normWeight,
      Param normBias) {}

  /// The sizes and options.
  ///
  /// @param types rows of the token types' table, 0 for none
  /// @param absolute whether learnt positions are added to the input
  /// @param relative whether there are relative positions
  /// @param normed whether the relative embeddings are normalised
  /// @param shared whether relative positions go through the queries' and keys' own layers
  /// @param toPosition c2p: whether queries look at the keys' positions
  /// @param toContent p2c: whether the queries' positions look at keys
  /// @param taps tokens that the convolution after the first layer sees, 0 for no such
  /// @param convGelu whether its activation is GELU, not the hyperbolic tangent
  private record Spec(
      int vocabulary,
      int maxPositions,
      int types,
      int width,
      int inner,
      int layers,
      int heads,
      double eps,
      boolean absolute,
      boolean relative,
      boolean normed,
      boolean shared,
      boolean toPosition,
      boolean toContent,
      RelativePositions positions,
      int taps,
      boolean convGelu) {}

  private static final String PREFIX = "deberta.";
  private static final String EMBEDDINGS = PREFIX + "embeddings.";
  private static final String ENCODER = PREFIX + "encoder.";
  private static final String CONVOLUTION = ENCODER + "conv.";
  private static final int MOST_POSITIONS = 1 << 20;

  private final Spec spec;
  private final Weights weights;
  private final Param words;
  private final @Nullable Param places;
  private final @Nullable Param types;
  private final Param normWeight;
  private final Param normBias;
  private final List<Layer> blocks = new ArrayList<>();
  private final @Nullable Param relative;
  private final @Nullable Param relativeNormWeight;
  private final @Nullable Param relativeNormBias;
  private final DisentangledAttention attention;
  private final @Nullable TokenConvolution convolution;

  private DebertaV2(Spec spec, Weights weights) {
    this.spec = spec;
    this.weights = weights;
    this.words = weights.param(EMBEDDINGS + "word_embeddings.weight");
    this.places = optional(EMBEDDINGS + "position_embeddings.weight");
    this.types = optional(EMBEDDINGS + "token_type_embeddings.weight");
    this.normWeight = weights.param(EMBEDDINGS + "LayerNorm.weight");
    this.normBias = weights.param(EMBEDDINGS + "LayerNorm.bias");
    for (int i = 0; i < spec.layers; i++) {
      String at = layerPath(i);
      String self = at + "attention.self.";
      blocks.add(
          new Layer(
              weights.linear(self + "query_proj", false),
              weights.linear(self + "key_proj", false),
              weights.linear(self + "value_proj", false),
              own(spec.toPosition) ? weights.linear(self + "pos_key_proj", false) : null,
              own(spec.toContent) ? weights.linear(self + "pos_query_proj", false) : null,
              weights.linear(at + "attention.output.dense", false),
              weights.param(at + "attention.output.LayerNorm.weight"),
              weights.param(at + "attention.output.LayerNorm.bias"),
              weights.linear(at + "intermediate.dense", false),
              weights.linear(at + "output.dense", false),
              weights.param(at + "output.LayerNorm.weight"),
              weights.param(at + "output.LayerNorm.bias")));
    }
    this.relative = optional(ENCODER + "rel_embeddings.weight");
    this.relativeNormWeight = optional(ENCODER + "LayerNorm.weight");
    this.relativeNormBias = optional(ENCODER + "LayerNorm.bias");
    int headDim = spec.width / spec.heads;
    int products = 1 + (spec.toPosition ? 1 : 0) + (spec.toContent ? 1 : 0);
    this.attention =
        new DisentangledAttention(
            spec.heads, headDim, 1 / Math.sqrt((double) headDim * products), spec.positions);
    this.convolution = spec.taps == 0 ? null : convolution();
  }

  private TokenConvolution convolution() {
    return new TokenConvolution(
        weights.param(CONVOLUTION + "conv.weight"),
        weights.param(CONVOLUTION + "conv.bias"),
        weights.param(CONVOLUTION + "LayerNorm.weight"),
        weights.param(CONVOLUTION + "LayerNorm.bias"),
        spec.convGelu,
        spec.eps);
  }

  private @Nullable Param optional(String name) {
    return weights.has(name) ? weights.param(name) : null;
  }

  /// Returns whether positions go through a layer of their own for this product.
  private boolean own(boolean product) {
    return spec.relative && product && !spec.shared;
  }

  private static String layerPath(int index) {
    return ENCODER + "layer." + index + ".";
  }

  /// Reads the config and says how to build the model.
  static Architecture architecture(Config config) throws MalformedFileException {
    config.expect("hidden_act", "gelu", "gelu");
    int taps = config.within("conv_kernel_size", 0, 0, 99);
    if (taps > 0 && taps % 2 == 0) {
      throw config.refused("conv_kernel_size", "an odd number, or 0 for no convolution");
    }
    if (config.positive("conv_groups", 1) != 1) {
      throw config.refused("conv_groups", "1");
    }
    config.expect("conv_act", "tanh", "tanh", "gelu");
    int width = config.positive("hidden_size", 1536);
    for (String key : List.of("embedding_size", "pooler_hidden_size")) {
      if (config.positive(key, width) != width) {
        throw config.refused(key, "hidden_size = " + width);
      }
    }
    int heads = config.positive("num_attention_heads", 24);
    config.divides("hidden_size", width, "num_attention_heads", heads);
    if (config.positive("attention_head_size", width / heads) != width / heads) {
      throw config.refused("attention_head_size", "hidden_size / num_attention_heads");
    }
    Set<String> products = config.words("pos_att_type");
    if (!Set.of("c2p", "p2c").containsAll(products)) {
      throw config.refused("pos_att_type", "c2p, p2c or both");
    }
    int longest = config.positive("max_position_embeddings", 512);
    int farthest = config.within("max_relative_positions", -1, -1, MOST_POSITIONS);
    int buckets = config.within("position_buckets", -1, -1, MOST_POSITIONS);
    RelativePositions positions =
        new RelativePositions(Math.max(buckets, 0), farthest < 1 ? longest : farthest);
    if (buckets == 1 || (buckets > 1 && positions.farthest() - 1 <= buckets / 2)) {
      throw config.refused(
          "position_buckets", "2 or more, with half of them below the greatest distance");
    }
    Spec spec =
        new Spec(
            config.positive("vocab_size", 128100),
            longest,
            config.within("type_vocab_size", 0, 0, MOST_POSITIONS),
            width,
            config.positive("intermediate_size", 6144),
            config.within("num_hidden_layers", 24, 1, Architecture.MAX_LAYERS),
            heads,
            config.positiveReal("layer_norm_eps", 1e-7),
            config.flag("position_biased_input", true),
            config.flag("relative_attention", false),
            config.words("norm_rel_ebd").contains("layer_norm"),
            config.flag("share_att_key", false),
            products.contains("c2p"),
            products.contains("p2c"),
            positions,
            taps,
            "gelu".equals(config.text("conv_act")));
    return new Architecture(
        width,
        false,
        parameters(spec),
        Set.of(),
        PREFIX,
        "",
        "(lm_predictions|mask_predictions|cls)\\..*"
            + "|(deberta\\.)?embeddings\\.position_(ids|embeddings\\.weight)",
        config.positiveReal("initializer_range", 0.02),
        weights -> new DebertaV2(spec, weights));
  }

  private static Map<String, long[]> parameters(Spec spec) {
    Map<String, long[]> all = new LinkedHashMap<>();
    long c = spec.width;
    all.put(EMBEDDINGS + "word_embeddings.weight", new long[] {spec.vocabulary, c});
    if (spec.absolute) {
      all.put(EMBEDDINGS + "position_embeddings.weight", new long[] {spec.maxPositions, c});
    }
    if (spec.types > 0) {
      all.put(EMBEDDINGS + "token_type_embeddings.weight", new long[] {spec.types, c});
    }
    Heads.norm(all, EMBEDDINGS + "LayerNorm", c);
    for (int i = 0; i < spec.layers; i++) {
      String at = layerPath(i);
      for (String part : List.of("query_proj", "key_proj", "value_proj")) {
        Heads.linear(all, at + "attention.self." + part, c, c);
      }
      if (spec.relative && !spec.shared) {
        if (spec.toPosition) {
          Heads.linear(all, at + "attention.self.pos_key_proj", c, c);
        }
        if (spec.toContent) {
          Heads.linear(all, at + "attention.self.pos_query_proj", c, c);
        }
      }
      Heads.linear(all, at + "attention.output.dense", c, c);
      Heads.norm(all, at + "attention.output.LayerNorm", c);
      Heads.linear(all, at + "intermediate.dense", spec.inner, c);
      Heads.linear(all, at + "output.dense", c, spec.inner);
      Heads.norm(all, at + "output.LayerNorm", c);
    }
    if (spec.relative) {
      all.put(ENCODER + "rel_embeddings.weight", new long[] {2L * spec.positions.span(), c});
    }
    if (spec.normed) {
      Heads.norm(all, ENCODER + "LayerNorm", c);
    }
    if (spec.taps > 0) {
      all.put(CONVOLUTION + "conv.weight", new long[] {c, c, spec.taps});
      all.put(CONVOLUTION + "conv.bias", new long[] {c});
      Heads.norm(all, CONVOLUTION + "LayerNorm", c);
    }
    return all;
  }

  @Override
  public Tensor embed(Scope scope, ForwardPass pass) {
    Tensor x = Embed.embedding(scope, pass.value(words), pass.ids()); // (N, C)
    if (places != null) {
      x = Elementwise.add(scope, x, Embed.embedding(scope, pass.value(places), pass.positions()));
    }
    if (types != null) {
      x = Elementwise.add(scope, x, Layout.narrow(scope, pass.value(types), 0, 0, 1));
    }
    return layerNorm(scope, x, normWeight, normBias, pass);
  }

  @Override
  public Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass) {
    Layer block = blocks.get(index);
    Tensor q = block.query.forward(scope, x, pass); // (N, C)
    Tensor k = block.key.forward(scope, x, pass);
    Tensor v = block.value.forward(scope, x, pass);
    Tensor table = relative == null ? null : relativeTable(scope, relative, pass); // (R, C)
    Tensor positionKeys = null;
    Tensor positionQueries = null;
    if (table != null && spec.toPosition) {
      Linear through = block.positionKey == null ? block.key : block.positionKey;
      positionKeys = through.shared(scope, table, pass);
    }
    if (table != null && spec.toContent) {
      Linear through = block.positionQuery == null ? block.query : block.positionQuery;
      positionQueries = through.shared(scope, table, pass);
    }
    Tensor mixed = attention.attend(scope, index, q, k, v, positionKeys, positionQueries, pass);
    Tensor projected = block.attentionOut.forward(scope, mixed, pass);
    Tensor sum =
        Elementwise.add(scope, pass.sublayers().afterAttention(scope, index, projected), x);
    Tensor attended =
        layerNorm(scope, sum, block.attentionNormWeight, block.attentionNormBias, pass);

    Tensor inner = // (N, F)
        Elementwise.gelu(scope, block.intermediate.forward(scope, attended, pass), false);
    Tensor down = block.out.forward(scope, inner, pass);
    Tensor out =
        pass.hiddenCut(scope, index, pass.sublayers().afterFeedForward(scope, index, down));
    Tensor added = Elementwise.add(scope, out, attended);
    Tensor last = layerNorm(scope, added, block.normWeight, block.normBias, pass);
    return index == 0 && convolution != null ? convolution.forward(scope, x, last, pass) : last;
  }

  private Tensor relativeTable(Scope scope, Param table, ForwardPass pass) {
    if (relativeNormWeight == null || relativeNormBias == null) {
      return pass.value(table);
    }
    return layerNorm(scope, pass.value(table), relativeNormWeight, relativeNormBias, pass);
  }

  private Tensor layerNorm(Scope scope, Tensor x, Param weight, Param bias, ForwardPass pass) {
    return Norm.layerNorm(scope, x, pass.value(weight), pass.value(bias), spec.eps);
  }

  @Override
  public String modelType() {
    return "deberta-v2";
  }

  /// {@return whether no adapter changes the relative positions, which all sequences share}
  @Override
  public boolean mixesAdapters() {
    return !spec.relative;
  }

  @Override
  public boolean masksWeights() {
    return false;
  }

  @Override
  public int width() {
    return spec.width;
  }

  @Override
  public int layers() {
    return spec.layers;
  }

  @Override
  public int heads() {
    return spec.heads;
  }

  @Override
  public int vocabulary() {
    return spec.vocabulary;
  }

  @Override
  public int maxPositions() {
    return spec.maxPositions;
  }

  @Override
  public DType computeType() {
    return weights.compute();
  }

  @Override
  public List<Param> params() {
    return weights.params();
  }

  @Override
  public List<Linear> linears() {
    return weights.linears();
  }

  @Override
  public void close() {
    weights.close();
  }
}
