package dev.gatun.runtime.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.LeakCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class SchemaTest {
  @Test
  void namesTypesAndCountsAreTaken() {
    Schema schema =
        Schema.parse(
            "op.over(Tensor(a!) self, Tensor? bias, SymInt[2] stride=1, int[1]? dim=None, *, "
                + "bool[3] mask, str mode='none', ScalarType? dtype=None, Tensor?[] indices, "
                + "Tensor(b!)[] grads) -> (Tensor output, Tensor)");
    assertThat(schema.name()).isEqualTo("op.over");
    assertThat(schema.arguments())
        .containsExactly(
            "Tensor",
            "Tensor?",
            "int[]",
            "int[]?",
            "bool[]",
            "str",
            "ScalarType?",
            "Tensor?[]",
            "Tensor[]");
    assertThat(schema.results()).isEqualTo(2);
  }

  @Test
  void resultsAreNoneOneOrMany() {
    assertThat(Schema.parse("a(Tensor x) -> ()").results()).isZero();
    assertThat(Schema.parse("a(Tensor x) -> Tensor").results()).isEqualTo(1);
    assertThat(Schema.parse("a(Tensor(a) x) -> Tensor(a)").results()).isEqualTo(1);
    assertThat(Schema.parse("aten::a(Tensor x) -> (Tensor, Tensor, Tensor)").results())
        .isEqualTo(3);
    assertThat(Schema.parse("aten::a() -> Tensor").arguments()).isEmpty();
  }

  @Test
  void theTableHoldsWhatOpsCall() {
    assertThat(Schema.of("gelu").arguments()).containsExactly("Tensor", "str");
    assertThat(Schema.of("_fused_adamw_").results()).isZero();
    assertThat(Schema.of("native_layer_norm_backward").arguments())
        .containsExactly(
            "Tensor", "Tensor", "int[]", "Tensor", "Tensor", "Tensor?", "Tensor?", "bool[]");
  }

  @Test
  void anUnknownOperatorIsRefusedByName() {
    assertThatThrownBy(() -> Schema.of("no_such_op"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no_such_op");
  }
}
