/// Other ways to train few weights, to compare low-rank adapters with: trained biases and
/// bottlenecks.
///
/// Their folder holds `gatun_adapter.json`, one object of `format` (1), `method` (`bitfit`,
/// `houlsby` or `pfeiffer`), `model_type` of the base model and, but for BitFit, `bottleneck`, the
/// inner width; and `gatun_adapter.safetensors`, the trained tensors in f32. BitFit's have the
/// names of the model's biases. A bottleneck's are `layers.N.attention.` (Houlsby alone) or
/// `layers.N.feed_forward.`, then `down.weight` `(M, C)`, `down.bias` `(M)`, `up.weight` `(C, M)`
/// and `up.bias` `(C)`.
@NullMarked
package dev.gatun.models.baseline;

import org.jspecify.annotations.NullMarked;
