package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.LibtorchText;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.TorchException;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Wrong arguments are refused in Java: their exceptions are never [TorchException]s.
@ExtendWith(LeakCheck.class)
class OpErrorTest {
  static Stream<OpErrorCases.Row> rows() {
    return OpErrorCases.all();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isRefusedByName(OpErrorCases.Row row) {
    try (Scope scope = TestDevice.open()) {
      assertThatThrownBy(() -> row.call().run(scope))
          .isInstanceOf(row.type())
          .satisfies(e -> assertThat(e.getMessage()).contains(row.parts()).doesNotContain("\n"));
    }
  }

  @Test
  void anIndexOutsideIsRefusedBeforeAGpuSeesIt() {
    assumeThat(TestDevice.DEVICE.isCuda()).as("libtorch's own check").isTrue();
    try (Scope scope = TestDevice.open()) {
      Tensor table = scope.zeros(DType.F32, 4, 2);
      Tensor bad = scope.of(new long[] {1, 4}, 2);
      for (ThrowingCallable call :
          List.<ThrowingCallable>of(
              () -> Embed.embedding(scope, table, bad),
              () -> Layout.rows(scope, table, bad),
              () -> Layout.gather(scope, table, scope.of(new long[] {0, 1, 0, -1}, 4, 1)))) {
        assertThatThrownBy(call)
            .isInstanceOf(ShapeException.class)
            .hasMessageContaining("found an index of ");
      }
      assertThat(scope.full(3, DType.F32, 1).item()).isEqualTo(3);
    }
  }

  @Test
  void whatOnlyLibtorchSeesCarriesItsText() {
    assumeThat(TestDevice.DEVICE.isCuda()).as("checked before").isFalse();
    try (Scope scope = TestDevice.open()) {
      Tensor table = scope.zeros(DType.F32, 4, 2);
      assertThatThrownBy(() -> Embed.embedding(scope, table, scope.of(new long[] {1, 4}, 2)))
          .isInstanceOfSatisfying(
              TorchException.class,
              e -> {
                assertThat(e.function()).isEqualTo("embedding");
                assertThat(e.code()).isNotZero();
              })
          .hasMessageContaining("embedding: ")
          .hasMessageContaining(LibtorchText.of("index out of range in self"));
      assertThatThrownBy(() -> Embed.embedding(scope, table, scope.of(new long[] {-1}, 1)))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining(LibtorchText.of("index out of range in self"));
      assertThatThrownBy(() -> Layout.rows(scope, table, scope.of(new long[] {4}, 1)))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining(LibtorchText.of("index_select"));
    }
  }
}
