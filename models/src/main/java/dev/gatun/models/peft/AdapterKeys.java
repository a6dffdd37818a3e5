package dev.gatun.models.peft;

import dev.gatun.models.peft.LoraConfig.Bias;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Names of the tensors in `adapter_model.safetensors`, the adapter's own name left out as on disk.
public final class AdapterKeys {
  /// What stands before each path of the base model.
  public static final String PREFIX = "base_model.model.";

  static final String A_SUFFIX = ".lora_A.weight";
  static final String B_SUFFIX = ".lora_B.weight";
  static final String MAGNITUDE_SUFFIX = ".lora_magnitude_vector";

  // AdaLoRA's are parameters, not modules.
  private static final String Q_SUFFIX = ".lora_A";
  private static final String P_SUFFIX = ".lora_B";
  private static final String LAMBDA_SUFFIX = ".lora_E";

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

  /// Returns the name of DoRA's magnitude, shape `(out)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String magnitude(String module) {
    return PREFIX + module + MAGNITUDE_SUFFIX;
  }

  /// Returns the name of AdaLoRA's Q, shape `(rank, in)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String svdQ(String module) {
    return PREFIX + module + Q_SUFFIX;
  }

  /// Returns the name of AdaLoRA's λ, shape `(rank, 1)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String svdLambda(String module) {
    return PREFIX + module + LAMBDA_SUFFIX;
  }

  /// Returns the name of AdaLoRA's P, shape `(out, rank)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String svdP(String module) {
    return PREFIX + module + P_SUFFIX;
  }

  /// Returns the name of a trained bias of an adapted layer, shape `(out)`.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String targetBias(String module) {
    return PREFIX + module + ".base_layer.bias";
  }

  /// Returns the name of a base weight that PEFT adds for an adapted output head. It stands for the
  /// one of the base model; the adapter is complete without it.
  ///
  /// @param module path of a linear layer
  /// @return the name
  public static String baseWeight(String module) {
    return PREFIX + module + ".base_layer.weight";
  }

  /// Returns the name of a base parameter that is trained whole.
  ///
  /// @param parameter its full name in the base model
  /// @return the name
  public static String parameter(String parameter) {
    return PREFIX + parameter;
  }

  /// Returns the path of the layer that a tensor is a part of, or null where it belongs to no
  /// branch.
  static @Nullable String module(String name) {
    for (String suffix :
        List.of(A_SUFFIX, B_SUFFIX, MAGNITUDE_SUFFIX, Q_SUFFIX, P_SUFFIX, LAMBDA_SUFFIX)) {
      if (name.startsWith(PREFIX) && name.endsWith(suffix)) {
        return name.substring(PREFIX.length(), name.length() - suffix.length());
      }
    }
    return null;
  }

  /// Lists the tensors that an adapter must have.
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
      long rank = target.rank();
      boolean svd = match.config().variant() instanceof LoraVariant.AdaLora;
      shapes.put(svd ? svdQ(target.module()) : loraA(target.module()), List.of(rank, linear.in()));
      shapes.put(svd ? svdP(target.module()) : loraB(target.module()), List.of(linear.out(), rank));
      if (svd) {
        shapes.put(svdLambda(target.module()), List.of(rank, 1L));
      }
      if (match.config().variant() instanceof LoraVariant.Dora) {
        shapes.put(magnitude(target.module()), List.of(linear.out()));
      }
    }
    Bias bias = match.config().bias();
    tree.parameters()
        .forEach((name, shape) -> {
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

  /// Lists the tensors that PEFT adds in some cases and that an adapter is complete without: base
  /// weights of an adapted output head, and second copies of biases that are trained twice over, by
  /// `bias` and by `modules_to_save`.
  ///
  /// @param match the adapted layers
  /// @param tree the base model
  /// @return shapes by name, sorted
  public static Map<String, List<Long>> optionalShapes(TargetMatch match, ModuleTree tree) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    for (LoraTarget target : match.targets()) {
      List<Long> shape = tree.parameters().get(target.module() + ".weight");
      if (shape != null) {
        shapes.put(baseWeight(target.module()), shape);
      }
    }
    if (match.config().bias() == Bias.ALL) {
      for (String saved : match.savedModules()) {
        tree.parameters()
            .forEach((name, shape) -> {
              if (name.startsWith(saved + ".") && name.endsWith(".bias")) {
                String inside = name.substring(saved.length());
                shapes.put(parameter(saved + ".original_module" + inside), shape);
                shapes.put(parameter(saved + ".modules_to_save" + inside), shape);
              }
            });
      }
    }
    return shapes;
  }
}
