package dev.gatun.runtime.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.LibtorchText;
import dev.gatun.runtime.NativeUses;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TorchException;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class OperatorTest {
  private static void assertRefused(Operator operator, String message, @Nullable Object... args) {
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> operator.call(scope, args))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void aWrongStackIsRefusedInJava() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.zeros(DType.F32, 2, 2);
      Operator softmax = Operator.of("_softmax");
      assertRefused(softmax, "_softmax: found 2 arguments, expected 3", x, 1);
      assertRefused(softmax, "_softmax: found 4 arguments, expected 3", x, 1, false, 1);
      assertRefused(softmax, "argument 0: found null, expected Tensor", null, 1, false);
      assertRefused(softmax, "argument 0: found Long, expected Tensor", 1L, 1, false);
      assertRefused(softmax, "argument 1: found Double, expected int", x, 1.0, false);
      assertRefused(softmax, "argument 1: found null, expected int", x, null, false);
      assertRefused(softmax, "argument 2: found Integer, expected bool", x, 1, 0);
      Operator sum = Operator.of("sum.dim_IntList");
      assertRefused(sum, "argument 1: found int[], expected int[]?", x, new int[] {0}, false, null);
      assertRefused(
          sum, "argument 3: found String, expected ScalarType?", x, new long[] {0}, false, "f32");
      assertRefused(Operator.of("gelu"), "argument 1: found Boolean, expected str", x, true);
      assertRefused(Operator.of("cat"), "argument 0: found Tensor, expected Tensor[]", x, 0);
      assertRefused(
          Operator.of("index_put_"),
          "argument 1: found long[], expected Tensor?[]",
          x,
          new long[] {0},
          x,
          false);
      assertRefused(
          Operator.of("native_layer_norm"),
          "argument 4: found Float, expected float",
          x,
          new long[] {2},
          null,
          null,
          1f);
      assertThat(NativeUses.of(x)).isEqualTo(1);
    }
  }

  @Test
  void aScalarArgumentOfASchemaIsNeverAccepted() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.zeros(DType.F32, 2, 2);
      assertRefused(
          Operator.of("linalg_norm"),
          "argument 1: found Double, expected Scalar?",
          x,
          2.0,
          null,
          false,
          null);
    }
  }

  @Test
  void everyKindOfArgumentArrives() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 4}, 2, 2);
      Operator sum = Operator.of("sum.dim_IntList");
      assertThat(sum.call(scope, x, new long[] {0}, true, null).toFloats()).containsExactly(4, 6);
      assertThat(sum.call(scope, x, null, false, DType.F64).toDoubles()).containsExactly(10);
      assertThat(sum.call(scope, x, new long[] {1, 0}, false, DType.F32).item()).isEqualTo(10);
      assertThat(Operator.of("argmax").call(scope, x, null, false).item()).isEqualTo(3);
      assertThat(Operator.of("argmax").call(scope, x, 1, true).toLongs()).containsExactly(1, 1);
      Operator gelu = Operator.of("gelu");
      float exact = gelu.call(scope, x, "none").toFloats()[0];
      float tanh = gelu.call(scope, x, "tanh").toFloats()[0];
      assertThat(exact).isEqualTo(0.8413447f).isNotEqualTo(tanh);
      assertThat(Operator.of("cat").call(scope, new Tensor[] {x, x}, 1).shape())
          .containsExactly(2, 4);
      Tensor rows = scope.of(new long[] {1}, 1);
      Operator.of("index_put_")
          .run(scope, x, new Tensor[] {rows}, scope.zeros(DType.F32, 2), false);
      assertThat(x.toFloats()).containsExactly(1, 2, 0, 0);
      assertThat(NativeUses.of(x)).isEqualTo(1);
      assertThat(NativeUses.of(rows)).isEqualTo(1);
    }
  }

  @Test
  void anOptionalTensorMayBeAbsent() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 5}, 2, 2);
      Tensor weight = scope.full(1, DType.F32, 2);
      Operator norm = Operator.of("native_layer_norm");
      @Nullable Tensor[] without = norm.callAll(scope, x, new long[] {2}, null, null, 1e-5);
      @Nullable Tensor[] with = norm.callAll(scope, x, new long[] {2}, weight, null, 1e-5);
      assertThat(without).hasSize(3);
      assertThat(Objects.requireNonNull(without[0]).toFloats())
          .containsExactly(Objects.requireNonNull(with[0]).toFloats());
      assertThat(NativeUses.of(weight)).isEqualTo(1);
    }
  }

  @Test
  void resultsThatAreMaskedOutAreNull() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 5}, 2, 2);
      Tensor weight = scope.full(1, DType.F32, 2);
      long[] over = {2};
      @Nullable Tensor[] forward =
          Operator.of("native_layer_norm").callAll(scope, x, over, weight, weight, 1e-5);
      Operator backward = Operator.of("native_layer_norm_backward");
      boolean[][] masks = {
        {true, true, true}, {true, false, false}, {false, true, false}, {false, false, true}
      };
      for (boolean[] mask : masks) {
        @Nullable Tensor[] gradients =
            backward.callAll(scope, x, x, over, forward[1], forward[2], weight, weight, mask);
        assertThat(gradients).hasSize(3);
        for (int i = 0; i < 3; i++) {
          assertThat(gradients[i] != null).isEqualTo(mask[i]);
        }
      }
      assertThat(NativeUses.of(x)).isEqualTo(1);
    }
  }

  @Test
  void aFailedCallCarriesLibtorchsTextAndLosesNothing() {
    try (Scope scope = Scope.open()) {
      Tensor a = scope.zeros(DType.F32, 2, 3);
      Tensor b = scope.zeros(DType.F32, 2, 3);
      assertThatThrownBy(() -> Operator.of("matmul").call(scope, a, b))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("matmul: ")
          .hasMessageContaining(
              LibtorchText.of("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"));
      assertThat(NativeUses.of(a)).isEqualTo(1);
      assertThat(NativeUses.of(b)).isEqualTo(1);
    }
  }

  @Test
  void aViewSharesItsArgumentsMemory() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 4}, 2, 2);
      Tensor turned = Operator.of("permute").view(scope, x, new long[] {1, 0});
      assertThat(turned.strides()).containsExactly(1, 2);
      x.segment().set(ValueLayout.JAVA_FLOAT, 0, 9);
      Tensor first = Operator.of("narrow").view(scope, turned, 0, 0, 1);
      assertThat(Operator.of("sum.dim_IntList").call(scope, first, null, false, null).item())
          .isEqualTo(12);
    }
  }
}
