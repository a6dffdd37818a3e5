package dev.gatun.runtime.optim;

import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One named running tensor for each parameter, starting at zero.
final class Moments {
  private final String name;
  private final Tensor[] tensors;

  Moments(Scope owner, String name, List<Tensor> parameters) {
    this.name = name;
    this.tensors =
        parameters.stream().map(p -> owner.zeros(p.dtype(), p.shape())).toArray(Tensor[]::new);
  }

  /// Returns where an optimizer's parameters lie, and its state with them.
  static Device device(List<Tensor> parameters) {
    return parameters.isEmpty() ? Device.CPU : parameters.getFirst().device();
  }

  Tensor[] tensors() {
    return tensors;
  }

  Map<String, Tensor> named() {
    Map<String, Tensor> result = new LinkedHashMap<>();
    for (int i = 0; i < tensors.length; i++) {
      result.put(name + "." + i, tensors[i]);
    }
    return result;
  }

  void restore(Map<String, Tensor> state) {
    for (int i = 0; i < tensors.length; i++) {
      Tensor saved = state.get(name + "." + i);
      if (saved == null || !saved.hasShape(tensors[i].shape())) {
        throw new IllegalArgumentException(
            "optimizer state %s.%d: found %s, expected %s"
                .formatted(name, i, saved == null ? "nothing" : saved, tensors[i]));
      }
      Layout.copyInPlace(tensors[i], saved);
    }
  }

  static void check(List<Tensor> parameters, List<Tensor> gradients) {
    if (parameters.size() != gradients.size()) {
      throw new IllegalArgumentException(
          "optimizer step: found %d gradients, expected %d"
              .formatted(gradients.size(), parameters.size()));
    }
    for (int i = 0; i < parameters.size(); i++) {
      if (!gradients.get(i).hasShape(parameters.get(i).shape())
          || gradients.get(i).dtype() != parameters.get(i).dtype()) {
        throw new IllegalArgumentException(
            "optimizer step: gradient %d: found %s, expected %s"
                .formatted(i, gradients.get(i), parameters.get(i)));
      }
    }
  }
}
