package dev.gatun.models.zoo;

import dev.gatun.models.nn.Encoder;
import dev.gatun.models.nn.EncoderAttention;
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

/// RoBERTa and XLM-RoBERTa: layer norms after the residuals, learnt positions that start behind
/// that of the padding id, GELU by erf.
///
/// All tokens are of type 0, the only one that RoBERTa has. Source: transformers,
/// `modeling_roberta.py`.
final class Roberta implements Encoder {
  private record Layer(
      Linear query,
      Linear key,
      Linear value,
      Linear attentionOut,
      Param attentionNormWeight,
      Param attentionNormBias,
      Linear intermediate,
      Linear out,
      Param normWeight,
      Param normBias) {}

  /// The sizes; `positions` and `types` are rows of their tables.
  private record Spec(
      String modelType,
      int vocabulary,
      int positions,
      int types,
      int padId,
      int width,
      int inner,
      int layers,
      int heads,
      double eps) {}

  private static final String PREFIX = "roberta.";
  private static final String EMBEDDINGS = PREFIX + "embeddings.";

  private final Spec spec;
  private final Weights weights;
  private final Param words;
  private final Param positions;
  private final Param types;
  private final Param normWeight;
  private final Param normBias;
  private final List<Layer> blocks = new ArrayList<>();
  private final EncoderAttention attention;

  private Roberta(Spec spec, Weights weights) {
    this.spec = spec;
    this.weights = weights;
    this.words = weights.param(EMBEDDINGS + "word_embeddings.weight");
    this.positions = weights.param(EMBEDDINGS + "position_embeddings.weight");
    this.types = weights.param(EMBEDDINGS + "token_type_embeddings.weight");
    this.normWeight = weights.param(EMBEDDINGS + "LayerNorm.weight");
    this.normBias = weights.param(EMBEDDINGS + "LayerNorm.bias");
    for (int i = 0; i < spec.layers; i++) {
      String at = layerPath(i);
      blocks.add(
          new Layer(
              weights.linear(at + "attention.self.query", false),
              weights.linear(at + "attention.self.key", false),
              weights.linear(at + "attention.self.value", false),
              weights.linear(at + "attention.output.dense", false),
              weights.param(at + "attention.output.LayerNorm.weight"),
              weights.param(at + "attention.output.LayerNorm.bias"),
              weights.linear(at + "intermediate.dense", false),
              weights.linear(at + "output.dense", false),
              weights.param(at + "output.LayerNorm.weight"),
              weights.param(at + "output.LayerNorm.bias")));
    }
    this.attention =
        new EncoderAttention(spec.heads, 1 / Math.sqrt((double) spec.width / spec.heads));
  }

  private static String layerPath(int index) {
    return PREFIX + "encoder.layer." + index + ".";
  }

  /// Reads the config and says how to build the model.
  static Architecture architecture(Config config) throws MalformedFileException {
    config.expect("hidden_act", "gelu", "gelu");
    config.expect("position_embedding_type", "absolute", "absolute");
    config.expectBoolean("is_decoder", false);
    config.expectBoolean("add_cross_attention", false);
    String type = config.text("model_type");
    int width = config.positive("hidden_size", 768);
    int rows = config.positive("max_position_embeddings", 512);
    Spec spec =
        new Spec(
            type == null ? "" : type,
            config.positive("vocab_size", 50265),
            rows,
            config.positive("type_vocab_size", 2),
            config.within("pad_token_id", 1, 0, rows - 2),
            width,
            config.positive("intermediate_size", 3072),
            config.within("num_hidden_layers", 12, 1, Architecture.MAX_LAYERS),
            config.positive("num_attention_heads", 12),
            config.positiveReal("layer_norm_eps", 1e-12));
    config.divides("hidden_size", width, "num_attention_heads", spec.heads);
    return new Architecture(
        width,
        false,
        parameters(spec),
        Set.of(),
        PREFIX,
        "",
        "(roberta\\.)?(embeddings\\.(position_ids|token_type_ids)|pooler\\..*)",
        config.positiveReal("initializer_range", 0.02),
        weights -> new Roberta(spec, weights));
  }

  private static Map<String, long[]> parameters(Spec spec) {
    Map<String, long[]> all = new LinkedHashMap<>();
    long c = spec.width;
    all.put(EMBEDDINGS + "word_embeddings.weight", new long[] {spec.vocabulary, c});
    all.put(EMBEDDINGS + "position_embeddings.weight", new long[] {spec.positions, c});
    all.put(EMBEDDINGS + "token_type_embeddings.weight", new long[] {spec.types, c});
    Heads.norm(all, EMBEDDINGS + "LayerNorm", c);
    for (int i = 0; i < spec.layers; i++) {
      String at = layerPath(i);
      for (String part : List.of("query", "key", "value")) {
        Heads.linear(all, at + "attention.self." + part, c, c);
      }
      Heads.linear(all, at + "attention.output.dense", c, c);
      Heads.norm(all, at + "attention.output.LayerNorm", c);
      Heads.linear(all, at + "intermediate.dense", spec.inner, c);
      Heads.linear(all, at + "output.dense", c, spec.inner);
      Heads.norm(all, at + "output.LayerNorm", c);
    }
    return all;
  }

  @Override
  public Tensor embed(Scope scope, ForwardPass pass) {
    Tensor x = Embed.embedding(scope, pass.value(words), pass.ids()); // (N, C)
    x = Elementwise.add(scope, x, Layout.narrow(scope, pass.value(types), 0, 0, 1));
    Tensor places = Layout.narrow(scope, pass.value(positions), 0, spec.padId + 1L, maxPositions());
    x = Elementwise.add(scope, x, Embed.embedding(scope, places, pass.positions()));
    return layerNorm(scope, x, normWeight, normBias, pass);
  }

  @Override
  public Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass) {
    Layer block = blocks.get(index);
    Tensor q = heads(scope, block.query.forward(scope, x, pass)); // (N, H, D)
    Tensor k = heads(scope, block.key.forward(scope, x, pass));
    Tensor v = heads(scope, block.value.forward(scope, x, pass));
    Tensor mixed = attention.attend(scope, index, q, k, v, pass);
    Tensor flat = Layout.reshape(scope, mixed, x.size(0), spec.width);
    Tensor projected = block.attentionOut.forward(scope, flat, pass);
    Tensor sum =
        Elementwise.add(scope, pass.sublayers().afterAttention(scope, index, projected), x);
    Tensor attended =
        layerNorm(scope, sum, block.attentionNormWeight, block.attentionNormBias, pass);

    Tensor inner = // (N, F)
        Elementwise.gelu(scope, block.intermediate.forward(scope, attended, pass), false);
    Tensor down = block.out.forward(scope, inner, pass);
    Tensor out =
        pass.hiddenCut(scope, index, pass.sublayers().afterFeedForward(scope, index, down));
    Tensor last = Elementwise.add(scope, out, attended);
    return layerNorm(scope, last, block.normWeight, block.normBias, pass);
  }

  private Tensor layerNorm(Scope scope, Tensor x, Param weight, Param bias, ForwardPass pass) {
    return Norm.layerNorm(scope, x, pass.value(weight), pass.value(bias), spec.eps);
  }

  private Tensor heads(Scope scope, Tensor x) {
    return Layout.unflatten(scope, x, spec.heads, spec.width / spec.heads);
  }

  @Override
  public String modelType() {
    return spec.modelType;
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

  /// {@return the rows of the position table behind the padding's}
  @Override
  public int maxPositions() {
    return spec.positions - spec.padId - 1;
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
