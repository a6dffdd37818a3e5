package dev.gatun.models.peft;

import dev.gatun.models.peft.LoraConfig.Bias;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Names of the tensors in `adapter_model.safetensors`, the adapter's own name left out as on disk.
public final class AdapterKeys {
  /// What stands before each path of the base model.
  public static final String PREFIX = "base_model.model.";

  static final String A_SUFFIX = ".lora_A.weight";
  static final String B_SUFFIX = ".lora_B.weight";

  private AdapterKeys() {}

  /// Returns the name of the matrix that reads the input, shape `(rank, in)`.
  ///
  /// @param module path of a linear layer
  /// @return for example `base_model.model.transformer.h.0.attn.c_attn.lora_A.weight`
  public static String loraA(String module) {
    return PREFIX + module + A_SUFFIX;
  }

  /// Returns the name of the matrix that makes the output, shape `(out, rank)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String loraB(String module) {
    return PREFIX + module + B_SUFFIX;
  }

  /// Returns the name of a trained bias of an adapted layer, shape `(out)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String targetBias(String module) {
    return PREFIX + module + ".base_layer.bias";
  }

  /// Returns the name of a base parameter that is trained whole.
  ///
  /// @param parameter its full name in the base model
  /// @return the name
  public static String parameter(String parameter) {
    return PREFIX + parameter;
  }

  /// Lists every tensor that an adapter has, no more and no less.
  ///
  /// @param match the adapted layers
  /// @param tree the base model
  /// @return shapes by name, sorted
  public static Map<String, List<Long>> shapes(TargetMatch match, ModuleTree tree) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    Set<String> targets =
        match.targets().stream().map(LoraTarget::module).collect(Collectors.toSet());
    for (LoraTarget target : match.targets()) {
      ModuleTree.Linear linear = tree.linear(target.module());
      shapes.put(loraA(target.module()), List.of((long) target.rank(), linear.in()));
      shapes.put(loraB(target.module()), List.of(linear.out(), (long) target.rank()));
    }
    Bias bias = match.config().bias();
    tree.parameters()
        .forEach(
            (name, shape) -> {
              int dot = name.lastIndexOf('.');
              String module = name.substring(0, Math.max(dot, 0));
              boolean isBias = name.endsWith(".bias");
              boolean isSaved =
                  match.savedModules().stream().anyMatch(saved -> name.startsWith(saved + "."));
              if (isSaved) {
                shapes.put(parameter(name), shape);
              } else if (isBias && targets.contains(module) && bias != Bias.NONE) {
                shapes.put(targetBias(module), shape);
              } else if (isBias && bias == Bias.ALL) {
                shapes.put(parameter(name), shape);
              }
            });
    return shapes;
  }
}
