package dev.gatun.models.zoo;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Rotary;
import dev.gatun.models.nn.SelfAttention;
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

/// GPT-2: layer norms, learnt positions, one fused projection for q, k and v, GELU by tanh, a tied
/// head.
///
/// Its linear layers are stored `(I, O)`, as transformers' `Conv1D`. Source: transformers,
/// `modeling_gpt2.py`.
final class Gpt2 implements CausalLm {
  private record Layer(
      Param ln1Weight,
      Param ln1Bias,
      Linear cAttn,
      Linear attnProj,
      Param ln2Weight,
      Param ln2Bias,
      Linear cFc,
      Linear mlpProj,
      SelfAttention attention) {}

  /// The sizes.
  private record Spec(
      int vocabulary, int positions, int width, int inner, int layers, int heads, double eps) {}

  private final Spec spec;
  private final Weights weights;
  private final Param wte;
  private final Param wpe;
  private final List<Layer> blocks = new ArrayList<>();
  private final Param lnWeight;
  private final Param lnBias;

  private Gpt2(Spec spec, Weights weights) {
    this.spec = spec;
    this.weights = weights;
    this.wte = weights.param("transformer.wte.weight");
    this.wpe = weights.param("transformer.wpe.weight");
    SelfAttention attention =
        new SelfAttention(spec.heads, 0, 1 / Math.sqrt((double) spec.width / spec.heads));
    for (int i = 0; i < spec.layers; i++) {
      String at = "transformer.h." + i + ".";
      blocks.add(
          new Layer(
              weights.param(at + "ln_1.weight"),
              weights.param(at + "ln_1.bias"),
              weights.linear(at + "attn.c_attn", true),
              weights.linear(at + "attn.c_proj", true),
              weights.param(at + "ln_2.weight"),
              weights.param(at + "ln_2.bias"),
              weights.linear(at + "mlp.c_fc", true),
              weights.linear(at + "mlp.c_proj", true),
              attention));
    }
    this.lnWeight = weights.param("transformer.ln_f.weight");
    this.lnBias = weights.param("transformer.ln_f.bias");
  }

  /// Reads the config and says how to build the model.
  static Architecture architecture(Config config) throws MalformedFileException {
    config.expect("activation_function", "gelu_new", "gelu_new", "gelu_pytorch_tanh");
    config.expectBoolean("scale_attn_weights", true);
    config.expectBoolean("scale_attn_by_inverse_layer_idx", false);
    config.expectBoolean("add_cross_attention", false);
    config.expectBoolean("tie_word_embeddings", true);
    int width = config.positive("n_embd", 768);
    Spec spec =
        new Spec(
            config.positive("vocab_size", 50257),
            config.positive("n_positions", 1024),
            width,
            config.positive("n_inner", 4 * width),
            config.within("n_layer", 12, 1, Architecture.MAX_LAYERS),
            config.positive("n_head", 12),
            config.positiveReal("layer_norm_epsilon", 1e-5));
    config.divides("n_embd", width, "n_head", spec.heads);
    return new Architecture(
        width,
        true,
        parameters(spec),
        Set.of(),
        "transformer.",
        "lm_head.weight",
        "(transformer\\.)?h\\.\\d+\\.attn\\.(bias|masked_bias)",
        config.positiveReal("initializer_range", 0.02),
        weights -> new Gpt2(spec, weights));
  }

  private static Map<String, long[]> parameters(Spec spec) {
    Map<String, long[]> all = new LinkedHashMap<>();
    long c = spec.width;
    all.put("transformer.wte.weight", new long[] {spec.vocabulary, c});
    all.put("transformer.wpe.weight", new long[] {spec.positions, c});
    for (int i = 0; i < spec.layers; i++) {
      String at = "transformer.h." + i + ".";
      norm(all, at + "ln_1", c);
      linear(all, at + "attn.c_attn", c, 3 * c);
      linear(all, at + "attn.c_proj", c, c);
      norm(all, at + "ln_2", c);
      linear(all, at + "mlp.c_fc", c, spec.inner);
      linear(all, at + "mlp.c_proj", spec.inner, c);
    }
    norm(all, "transformer.ln_f", c);
    return all;
  }

  private static void norm(Map<String, long[]> all, String path, long size) {
    all.put(path + ".weight", new long[] {size});
    all.put(path + ".bias", new long[] {size});
  }

  private static void linear(Map<String, long[]> all, String path, long in, long out) {
    all.put(path + ".weight", new long[] {in, out});
    all.put(path + ".bias", new long[] {out});
  }

  @Override
  public Tensor embed(Scope scope, ForwardPass pass) {
    return Elementwise.add(
        scope,
        Embed.embedding(scope, pass.value(wte), pass.ids()),
        Embed.embedding(scope, pass.value(wpe), pass.positions()));
  }

  @Override
  public Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass) {
    Layer block = blocks.get(index);
    long n = x.size(0);
    long c = spec.width;
    Tensor h = layerNorm(scope, x, block.ln1Weight, block.ln1Bias, pass); // (N, C)
    Tensor[] qkv = Layout.split(scope, block.cAttn.forward(scope, h, pass), 1, c, c, c);
    Tensor q = heads(scope, qkv[0]); // (N, H, D)
    Tensor mixed =
        block.attention.attend(scope, index, q, heads(scope, qkv[1]), heads(scope, qkv[2]), pass);
    Tensor flat = Layout.reshape(scope, mixed, n, c);
    Tensor projected = block.attnProj.forward(scope, flat, pass);
    Tensor attended =
        Elementwise.add(scope, x, pass.sublayers().afterAttention(scope, index, projected));

    Tensor m = layerNorm(scope, attended, block.ln2Weight, block.ln2Bias, pass);
    Tensor inner = Elementwise.gelu(scope, block.cFc.forward(scope, m, pass), true); // (N, F)
    Tensor down = block.mlpProj.forward(scope, inner, pass);
    Tensor out = pass.sublayers().afterFeedForward(scope, index, down);
    return Elementwise.add(scope, attended, pass.hiddenCut(scope, index, out));
  }

  @Override
  public Tensor lastNorm(Scope scope, Tensor x, ForwardPass pass) {
    return layerNorm(scope, x, lnWeight, lnBias, pass);
  }

  private Tensor layerNorm(Scope scope, Tensor x, Param weight, Param bias, ForwardPass pass) {
    return Norm.layerNorm(scope, x, pass.value(weight), pass.value(bias), spec.eps);
  }

  private Tensor heads(Scope scope, Tensor x) {
    return Layout.unflatten(scope, x, spec.heads, headDim());
  }

  @Override
  public String modelType() {
    return "gpt2";
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
  public int keyHeads() {
    return spec.heads;
  }

  @Override
  public int headDim() {
    return spec.width / spec.heads;
  }

  @Override
  public int vocabulary() {
    return spec.vocabulary;
  }

  @Override
  public int maxPositions() {
    return spec.positions;
  }

  @Override
  public DType computeType() {
    return weights.compute();
  }

  @Override
  public @Nullable Rotary rotary() {
    return null;
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
  public Param head() {
    return wte;
  }

  @Override
  public boolean isTied() {
    return true;
  }

  @Override
  public void close() {
    weights.close();
  }
}
