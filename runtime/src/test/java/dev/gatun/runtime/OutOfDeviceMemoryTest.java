package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.cuda.Driver;
import dev.gatun.runtime.op.Elementwise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Memory of a GPU that is out is an exception that says so, and the process goes on.
@Tag("gpu")
@ExtendWith(LeakCheck.class)
class OutOfDeviceMemoryTest {
  @BeforeEach
  void onAGpu() {
    assumeTrue(Gpu.isReal(TestDevice.DEVICE), "no GPU: -Dgatun.test.device names none");
  }

  private static void works(Scope scope) {
    Tensor x = scope.full(2, DType.F32, 1000);
    assertThat(Elementwise.mul(scope, x, x).toFloats()).hasSize(1000).containsOnly(4f);
  }

  @Test
  void anAllocationOfATebibyte() {
    try (Scope scope = TestDevice.open()) {
      for (int i = 0; i < 3; i++) {
        assertThatExceptionOfType(OutOfDeviceMemoryException.class)
            .isThrownBy(() -> scope.empty(DType.F32, 1L << 38))
            .satisfies(e -> {
              assertThat(e.asked()).isEqualTo(1L << 40);
              assertThat(e.free()).isPositive().isLessThanOrEqualTo(e.total());
              assertThat(e.total()).isLessThan(1L << 40);
            });
        works(scope);
      }
    }
  }

  @Test
  void anOperationWhoseResultDoesNotFit() {
    try (Scope scope = TestDevice.open()) {
      works(scope);
      Tensor large = scope.empty(DType.F32, Driver.memory().free() / 4 * 6 / 10);
      assertThatExceptionOfType(OutOfDeviceMemoryException.class)
          .isThrownBy(() -> Elementwise.mul(scope, large, large))
          .satisfies(e -> assertThat(e.free()).isLessThan(e.asked()));
      assertThatExceptionOfType(OutOfDeviceMemoryException.class)
          .isThrownBy(() -> Elementwise.tanh(scope, large));
      scope.free(large);
      works(scope);
    }
  }
}
