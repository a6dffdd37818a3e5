package dev.gatun.models.peft;

import java.util.List;

/// What a LoRA configuration means for one base model. Immutable.
///
/// @param config the configuration as PEFT would save it: targets are names or an expression
/// @param targets the adapted layers in the model's order, at least one
/// @param savedModules modules that are trained whole, in the model's order
/// @param unusedNames names in `target_modules` that match nothing, which PEFT passes over
public record TargetMatch(
    LoraConfig config,
    List<LoraTarget> targets,
    List<String> savedModules,
    List<String> unusedNames) {
  /// Copies its arguments.
  public TargetMatch {
    targets = List.copyOf(targets);
    savedModules = List.copyOf(savedModules);
    unusedNames = List.copyOf(unusedNames);
  }
}
