package dev.gatun.models.peft;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The module paths of a base model, as Hugging Face names them. Immutable.
///
/// @param modelType `model_type` of config.json
/// @param modules paths of all modules in the model's order, containers included
/// @param linear the linear layers among them
/// @param outputHead path of the output head, which `all-linear` leaves out; `null` if none
/// @param parameters shapes by full name, tied ones under each of their names
/// @param fanInFanOut whether the weights of its linear layers are stored `(in, out)`
public record ModuleTree(
    String modelType,
    List<String> modules,
    Map<String, Linear> linear,
    @Nullable String outputHead,
    Map<String, List<Long>> parameters,
    boolean fanInFanOut) {

  /// A linear layer.
  ///
  /// @param in size of its input
  /// @param out size of its output
  public record Linear(long in, long out) {}

  /// Copies its arguments.
  public ModuleTree {
    modules = List.copyOf(modules);
    linear = Collections.unmodifiableMap(new LinkedHashMap<>(linear));
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /// Returns a linear layer that must be there.
  ///
  /// @param module its path
  /// @return its sizes
  /// @throws IllegalArgumentException if there is none
  public Linear linear(String module) {
    Linear layer = linear.get(module);
    if (layer == null) {
      throw new IllegalArgumentException(
          "module '" + module + "': found no linear layer of this path, expected one");
    }
    return layer;
  }
}
