package dev.gatun.models.lora;

import java.util.LinkedHashMap;
import java.util.Map;

/// How an adapter is trained, as far as its configuration does not say.
///
/// @param plusRatio LoRA+'s factor of B's learning rate; 1 for none. Parameters of one dimension
///   (magnitudes, biases) have it too, and biases no weight decay then, as PEFT's
///   `create_loraplus_optimizer` does. Source: Hayou et al., arXiv:2402.12354
/// @param sparsity weight of ‖ΔW‖² in the loss, summed over the adapted layers, with ΔW = scale B
///   A; 0 for none
/// @param squaredOrthogonality whether AdaLoRA's penalty is the sum of squared norms, as its paper
///   has it, and not PEFT's mean of norms
public record LoraTraining(double plusRatio, double sparsity, boolean squaredOrthogonality) {
  /// Nothing beside the configuration.
  public static final LoraTraining PLAIN = new LoraTraining(1, 0, false);

  /// Checks the ranges.
  public LoraTraining {
    if (!(plusRatio > 0) || Double.isInfinite(plusRatio)) {
      throw new IllegalArgumentException(
          "LoRA+ ratio: found " + plusRatio + ", expected a finite number above 0");
    }
    if (!(sparsity >= 0) || Double.isInfinite(sparsity)) {
      throw new IllegalArgumentException(
          "sparsity: found " + sparsity + ", expected a finite number, 0 or more");
    }
  }

  /// {@return the weight of ‖ΔW‖² that stands for dropout of A's columns and B's rows}
  ///
  /// An entry of the masked ΔW is 0 with probability 2p - p². Source: Lin et al., arXiv:2404.09610,
  /// section 4.1.
  ///
  /// @param lambda strength, 0 or more
  /// @param p drop rate, from 0 to 1
  public static double sparsity(double lambda, double p) {
    return lambda * (2 * p - p * p);
  }

  Map<String, String> fingerprint() {
    Map<String, String> all = new LinkedHashMap<>();
    if (plusRatio != 1) {
      all.put("lora-plus-ratio", Double.toString(plusRatio));
    }
    if (sparsity != 0) {
      all.put("sparsity", Double.toString(sparsity));
    }
    if (squaredOrthogonality) {
      all.put("squared-orthogonality", "true");
    }
    return all;
  }
}
