package dev.gatun.runtime.op;

import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Gpu;
import org.jspecify.annotations.Nullable;

/// The weight of a linear layer that nothing trains, in a form made for products.
public abstract sealed class FrozenWeight permits StoredWeight, PackedWeight, Int8Weight {
  private final Tensor weight;

  FrozenWeight(Tensor weight) {
    this.weight = weight;
  }

  /// Brings a weight into a form.
  ///
  /// @param scope owner of the copy
  /// @param w `(O, I)`, any strides; outlives the result, and is not written meanwhile
  /// @param form the form
  /// @return the weight
  /// @throws dev.gatun.runtime.ShapeException if it is no matrix
  /// @throws dev.gatun.runtime.DTypeException if it is not of a floating-point type
  /// @throws DeviceException if integers are asked for of a weight that is not on the host
  public static FrozenWeight of(Scope scope, Tensor w, WeightForm form) {
    Checks.rank("frozen weight", "weight", w, 2);
    Checks.floating("frozen weight", w);
    return switch (form) {
      case STORED -> new StoredWeight(w);
      case PACKED -> PackedWeight.takes(w) ? PackedWeight.of(scope, w) : new StoredWeight(w);
      case INT8 -> {
        if (Gpu.holds(w)) {
          throw new DeviceException("int8 weight: found " + w.device() + ", expected cpu");
        }
        yield Int8Weight.of(scope, w);
      }
    };
  }

  /// Returns x wᵀ + bias; nothing is recorded.
  ///
  /// @param scope owner of the result
  /// @param x `(N, I)` of the weight's type
  /// @param bias `(O)`, or null
  /// @return `(N, O)`
  /// @throws dev.gatun.runtime.ShapeException if the sizes do not fit
  /// @throws dev.gatun.runtime.DTypeException if the types of `x` and the weight differ
  public final Tensor linear(Scope scope, Tensor x, @Nullable Tensor bias) {
    Matmul.checkLinear(x, weight, bias);
    try (Scope block = scope.untaped()) {
      return scope.keep(product(block, x, bias));
    }
  }

  /// {@return the weight itself, `(O, I)`}
  public final Tensor weight() {
    return weight;
  }

  /// Returns x wᵀ + bias, of arguments that fit.
  abstract Tensor product(Scope block, Tensor x, @Nullable Tensor bias);
}
