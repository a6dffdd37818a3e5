package dev.gatun.models.zoo;

import dev.gatun.models.nn.Transformer;
import dev.gatun.models.nn.Weights;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// How to build a model of one config: the weights it wants and the code over them.
///
/// @param width C, the size of an activation
/// @param causal whether it is a language model, with a head over the vocabulary
/// @param parameters names and shapes of all weights
/// @param head names among them that a checkpoint may lack: those of a task's head
/// @param prefix start of the names that a bare backbone's checkpoint leaves out, such as `model.`
/// @param tiedHead name under which a checkpoint may store the tied head, or empty where it is not
///   tied
/// @param ignored regular expression of stored tensors that are no weights
/// @param initStd standard deviation of fresh weights
/// @param build makes the model of complete weights
public record Architecture(
    int width,
    boolean causal,
    Map<String, long[]> parameters,
    Set<String> head,
    String prefix,
    String tiedHead,
    String ignored,
    double initStd,
    Function<Weights, Transformer> build) {
  /// Layers that a dropout mask's counter tells apart, and far more than any model has.
  static final int MAX_LAYERS = 1 << 10;
}
