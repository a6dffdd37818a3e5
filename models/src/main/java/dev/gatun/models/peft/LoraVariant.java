package dev.gatun.models.peft;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How an adapter of the LoRA family writes the change of a weight.
public sealed interface LoraVariant {
  /// LoRA: W + scaling B A. Source: Hu et al., arXiv:2106.09685.
  record Plain() implements LoraVariant {}

  /// DoRA: m ⊙ (W + scaling B A) / ‖W + scaling B A‖, row by row: `use_dora` in the file. Source:
  /// Liu et al., arXiv:2402.09353.
  record Dora() implements LoraVariant {}

  /// AdaLoRA: W + scaling P diag(λ) Q, where training moves a shrinking number of λ's between the
  /// layers: `peft_type` ADALORA. Source: Zhang et al., arXiv:2303.10512; P, λ and Q are PEFT's
  /// `lora_B`, `lora_E` and `lora_A`, the configuration's `r` is its `init_r`.
  ///
  /// Steps count from 1; after each, the ranks may change.
  ///
  /// @param targetRank mean rank at the end, at least 1: `target_r`
  /// @param initialSteps steps before any λ is masked: `tinit`
  /// @param finalSteps steps at the end with the ranks fixed: `tfinal`
  /// @param interval steps between two maskings, at least 1: `deltaT`
  /// @param beta1 decay of the smoothed importance, between 0 and 1
  /// @param beta2 decay of its uncertainty, between 0 and 1
  /// @param orthogonality weight of the penalty on P and Q, 0 or more: `orth_reg_weight`
  /// @param totalSteps steps of the whole training: `total_step`
  /// @param kept for each layer by its path, which of its `r` triplets were kept: `rank_pattern`;
  ///   empty before the first masking
  record AdaLora(
      int targetRank,
      int initialSteps,
      int finalSteps,
      int interval,
      double beta1,
      double beta2,
      double orthogonality,
      int totalSteps,
      Map<String, List<Boolean>> kept)
      implements LoraVariant {
    /// Checks the ranges.
    ///
    /// @throws InvalidSettingException if one is left, or no step is left for masking
    public AdaLora {
      atLeast("target_r", targetRank, 1);
      atLeast("tinit", initialSteps, 0);
      atLeast("tfinal", finalSteps, 0);
      atLeast("deltaT", interval, 1);
      atLeast("total_step", totalSteps, 1);
      decay("beta1", beta1);
      decay("beta2", beta2);
      if (!(orthogonality >= 0) || Double.isInfinite(orthogonality)) {
        throw new InvalidSettingException(
            "orth_reg_weight", Double.toString(orthogonality), "0 or more");
      }
      if (initialSteps >= totalSteps - finalSteps) {
        throw new InvalidSettingException(
            "total_step",
            "%d with tinit %d and tfinal %d".formatted(totalSteps, initialSteps, finalSteps),
            "more than both together");
      }
      Map<String, List<Boolean>> copy = new LinkedHashMap<>();
      kept.forEach((module, pattern) -> copy.put(module, List.copyOf(pattern)));
      kept = Collections.unmodifiableMap(copy);
    }

    private static void atLeast(String place, int value, int least) {
      if (value < least) {
        throw new InvalidSettingException(place, Integer.toString(value), "at least " + least);
      }
    }

    private static void decay(String place, double value) {
      if (!(value > 0 && value < 1)) {
        throw new InvalidSettingException(place, Double.toString(value), "0 < beta < 1");
      }
    }

    /// {@return the last step that chooses ranks; later ones keep them}
    public int lastChoice() {
      return totalSteps - finalSteps;
    }

    /// {@return whether ranks are chosen after a step}
    ///
    /// @param step steps made, from 1
    public boolean choosesAfter(int step) {
      return step == lastChoice()
          || (step > initialSteps && step < lastChoice() && step % interval == 0);
    }

    /// {@return how many λ's stay after a step: the initial number, then falling along a cubic
    /// curve to the target}
    ///
    /// @param step steps made, from 1
    /// @param initial number of triplets of all layers
    /// @param target number that stays in the end
    public int budget(int step, int initial, int target) {
      if (step <= initialSteps) {
        return initial;
      }
      double left = 1 - (double) (step - initialSteps) / (lastChoice() - initialSteps);
      return (int) ((initial - target) * Math.pow(Math.max(0, left), 3) + target);
    }

    /// Returns the number of triplets that a layer has on disk.
    ///
    /// @param module path of the layer
    /// @param initialRank rank that training began with
    /// @return the number kept, or the initial rank
    /// @throws InvalidSettingException if the pattern of the layer has another length
    int rank(String module, int initialRank) {
      List<Boolean> pattern = kept.get(module);
      if (pattern == null) {
        return initialRank;
      }
      if (pattern.size() != initialRank) {
        throw new InvalidSettingException(
            "rank_pattern '" + module + "'",
            pattern.size() + " entries",
            initialRank + ", as init_r says");
      }
      return (int) pattern.stream().filter(each -> each).count();
    }

    /// {@return a copy with other triplets kept}
    ///
    /// @param kept for each layer by its path, which of its triplets were kept
    public AdaLora withKept(Map<String, List<Boolean>> kept) {
      return new AdaLora(
          targetRank,
          initialSteps,
          finalSteps,
          interval,
          beta1,
          beta2,
          orthogonality,
          totalSteps,
          kept);
    }
  }
}
