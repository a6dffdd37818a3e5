package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
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
import org.jspecify.annotations.Nullable;

/// The decoder that Llama, Mistral, Qwen2 and Qwen3 are variants of: RMS norms before attention and
/// a gated feed-forward block, rotary positions, grouped-query heads.
///
/// Read [#layer] from top to bottom for the computation. N tokens, C width, H query heads, G key
/// heads, D head size, F feed-forward width.
public final class RotaryDecoder implements CausalLm {
  /// The sizes and options in which the family differs.
  ///
  /// @param modelType `model_type`
  /// @param vocabulary V
  /// @param width C, `hidden_size`
  /// @param inner F, `intermediate_size`
  /// @param layers number of layers
  /// @param heads H
  /// @param keyHeads G
  /// @param headDim D
  /// @param eps of the norms
  /// @param rotary frequencies
  /// @param maxPositions longest sequence
  /// @param qkvBias whether q, k, v have biases
  /// @param outBias whether the attention output has one
  /// @param mlpBias whether the feed-forward layers have them
  /// @param headNorm whether q and k are normalised for each head
  /// @param windows keys that a query of each layer sees, 0 for all
  /// @param tied whether the head is the embedding
  /// @param initStd standard deviation of fresh weights
  public record Spec(
      String modelType,
      int vocabulary,
      int width,
      int inner,
      int layers,
      int heads,
      int keyHeads,
      int headDim,
      double eps,
      Rotary rotary,
      int maxPositions,
      boolean qkvBias,
      boolean outBias,
      boolean mlpBias,
      boolean headNorm,
      List<Integer> windows,
      boolean tied,
      double initStd) {

    /// {@return the weights' names and shapes}
    public Map<String, long[]> parameters() {
      Map<String, long[]> all = new LinkedHashMap<>();
      long c = width;
      long q = (long) heads * headDim;
      long kv = (long) keyHeads * headDim;
      all.put("model.embed_tokens.weight", new long[] {vocabulary, c});
      for (int i = 0; i < layers; i++) {
        String at = "model.layers." + i + ".";
        all.put(at + "input_layernorm.weight", new long[] {c});
        linear(all, at + "self_attn.q_proj", q, c, qkvBias);
        linear(all, at + "self_attn.k_proj", kv, c, qkvBias);
        linear(all, at + "self_attn.v_proj", kv, c, qkvBias);
        linear(all, at + "self_attn.o_proj", c, q, outBias);
        if (headNorm) {
          all.put(at + "self_attn.q_norm.weight", new long[] {headDim});
          all.put(at + "self_attn.k_norm.weight", new long[] {headDim});
        }
        all.put(at + "post_attention_layernorm.weight", new long[] {c});
        linear(all, at + "mlp.gate_proj", inner, c, mlpBias);
        linear(all, at + "mlp.up_proj", inner, c, mlpBias);
        linear(all, at + "mlp.down_proj", c, inner, mlpBias);
      }
      all.put("model.norm.weight", new long[] {c});
      if (!tied) {
        all.put("lm_head.weight", new long[] {vocabulary, c});
      }
      return all;
    }

    private static void linear(
        Map<String, long[]> all, String path, long out, long in, boolean bias) {
      all.put(path + ".weight", new long[] {out, in});
      if (bias) {
        all.put(path + ".bias", new long[] {out});
      }
    }
  }

  private record Layer(
      Param inputNorm,
      Linear qProj,
      Linear kProj,
      Linear vProj,
      Linear oProj,
      @Nullable Param qNorm,
      @Nullable Param kNorm,
      Param postAttentionNorm,
      Linear gateProj,
      Linear upProj,
      Linear downProj,
      SelfAttention attention) {}

  private final Spec spec;
  private final Weights weights;
  private final Param embedding;
  private final Param norm;
  private final Param head;
  private final List<Layer> blocks = new ArrayList<>();

  /// Builds the decoder over its weights.
  ///
  /// @param spec sizes
  /// @param weights complete, by the names of [Spec#parameters]
  public RotaryDecoder(Spec spec, Weights weights) {
    this.spec = spec;
    this.weights = weights;
    this.embedding = weights.param("model.embed_tokens.weight");
    for (int i = 0; i < spec.layers; i++) {
      String at = "model.layers." + i + ".";
      blocks.add(
          new Layer(
              weights.param(at + "input_layernorm.weight"),
              weights.linear(at + "self_attn.q_proj", false),
              weights.linear(at + "self_attn.k_proj", false),
              weights.linear(at + "self_attn.v_proj", false),
              weights.linear(at + "self_attn.o_proj", false),
              spec.headNorm ? weights.param(at + "self_attn.q_norm.weight") : null,
              spec.headNorm ? weights.param(at + "self_attn.k_norm.weight") : null,
              weights.param(at + "post_attention_layernorm.weight"),
              weights.linear(at + "mlp.gate_proj", false),
              weights.linear(at + "mlp.up_proj", false),
              weights.linear(at + "mlp.down_proj", false),
              new SelfAttention(spec.heads, spec.windows.get(i), 1 / Math.sqrt(spec.headDim))));
    }
    this.norm = weights.param("model.norm.weight");
    // under the head of a task there is none over the vocabulary
    this.head = weights.has("lm_head.weight") ? weights.param("lm_head.weight") : embedding;
  }

  @Override
  public Tensor embed(Scope scope, ForwardPass pass) {
    return Embed.embedding(scope, pass.value(embedding), pass.ids());
  }

  @Override
  public Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass) {
    Layer block = blocks.get(index);
    Tensor h = rmsNorm(scope, x, block.inputNorm, pass); // (N, C)
    Tensor q = heads(scope, block.qProj.forward(scope, h, pass), spec.heads); // (N, H, D)
    Tensor k = heads(scope, block.kProj.forward(scope, h, pass), spec.keyHeads); // (N, G, D)
    Tensor v = heads(scope, block.vProj.forward(scope, h, pass), spec.keyHeads);
    if (block.qNorm != null && block.kNorm != null) {
      q = rmsNorm(scope, q, block.qNorm, pass);
      k = rmsNorm(scope, k, block.kNorm, pass);
    }
    q = Embed.rope(scope, q, pass.cos(), pass.signedSin());
    k = Embed.rope(scope, k, pass.cos(), pass.signedSin());
    Tensor mixed = block.attention.attend(scope, index, q, k, v, pass); // (N, H, D)
    Tensor flat = Layout.reshape(scope, mixed, x.size(0), (long) spec.heads * spec.headDim);
    Tensor projected = block.oProj.forward(scope, flat, pass); // (N, C)
    Tensor attended =
        Elementwise.add(scope, x, pass.sublayers().afterAttention(scope, index, projected));

    Tensor m = rmsNorm(scope, attended, block.postAttentionNorm, pass);
    Tensor gated =
        Elementwise.swiglu(
            scope,
            block.gateProj.forward(scope, m, pass),
            block.upProj.forward(scope, m, pass)); // (N, F)
    Tensor down = block.downProj.forward(scope, gated, pass); // (N, C)
    Tensor out = pass.sublayers().afterFeedForward(scope, index, down);
    return Elementwise.add(scope, attended, pass.hiddenCut(scope, index, out));
  }

  @Override
  public Tensor lastNorm(Scope scope, Tensor x, ForwardPass pass) {
    return rmsNorm(scope, x, norm, pass);
  }

  private Tensor rmsNorm(Scope scope, Tensor x, Param weight, ForwardPass pass) {
    return Norm.rmsNorm(scope, x, pass.value(weight), spec.eps);
  }

  private Tensor heads(Scope scope, Tensor x, int count) {
    return Layout.reshape(scope, x, x.size(0), count, spec.headDim);
  }

  @Override
  public String modelType() {
    return spec.modelType;
  }

  @Override
  public int width() {
    return spec.width();
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
    return spec.keyHeads;
  }

  @Override
  public int headDim() {
    return spec.headDim;
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
  public Rotary rotary() {
    return spec.rotary;
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
    return head;
  }

  @Override
  public boolean isTied() {
    return head.index() == embedding.index();
  }

  @Override
  public void close() {
    weights.close();
  }
}
