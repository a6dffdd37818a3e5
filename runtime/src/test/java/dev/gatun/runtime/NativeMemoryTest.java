package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class NativeMemoryTest {
  @AfterEach
  void noBudget() {
    NativeMemory.setBudget(Long.MAX_VALUE);
  }

  @Test
  void countsTensorsAndTheBytesOfTheirStorages() {
    long tensors = NativeMemory.liveTensors();
    long bytes = NativeMemory.liveBytes();
    try (Scope scope = Scope.open()) {
      Tensor x = scope.zeros(DType.F32, 4, 8);
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors + 1);
      assertThat(NativeMemory.liveBytes()).isEqualTo(bytes + 128);
      Tensor view = Layout.narrow(scope, x, 0, 0, 1);
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors + 2);
      assertThat(NativeMemory.liveBytes()).as("views add no bytes").isEqualTo(bytes + 128);
      scope.free(x);
      assertThat(NativeMemory.liveBytes()).as("a view keeps all bytes").isEqualTo(bytes + 128);
      scope.free(view);
      assertThat(NativeMemory.liveBytes()).isEqualTo(bytes);
      scope.zeros(DType.I64, 3);
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
    assertThat(NativeMemory.liveBytes()).isEqualTo(bytes);
  }

  @Test
  void thePeakStaysUntilItIsReset() {
    try (Scope outer = Scope.open()) {
      outer.zeros(DType.F32, 16);
      NativeMemory.resetPeak();
      long before = NativeMemory.liveBytes();
      assertThat(NativeMemory.peakBytes()).isEqualTo(before);
      try (Scope scope = Scope.open()) {
        scope.zeros(DType.F32, 1000);
      }
      try (Scope scope = Scope.open()) {
        scope.zeros(DType.F32, 10);
      }
      assertThat(NativeMemory.liveBytes()).isEqualTo(before);
      assertThat(NativeMemory.peakBytes()).isEqualTo(before + 4000);
      NativeMemory.resetPeak();
      assertThat(NativeMemory.peakBytes()).isEqualTo(before);
    }
  }

  @Test
  void theBudgetRefusesAllocationsAndResults() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.zeros(DType.F32, 1000);
      Tensor rows = Layout.reshape(scope, x, 10, 100);
      Tensor weight = scope.zeros(DType.F32, 100);
      long live = NativeMemory.liveBytes();
      long tensors = NativeMemory.liveTensors();
      NativeMemory.setBudget(live + 4000);
      scope.free(scope.zeros(DType.F32, 1000));
      scope.free(Elementwise.add(scope, x, x));
      NativeMemory.setBudget(live + 3999);
      assertRefused(() -> scope.zeros(DType.F32, 1000), live);
      assertRefused(() -> Elementwise.add(scope, x, x), live);
      assertRefused(() -> Elementwise.exp(scope, x), live);
      assertRefused(() -> Norm.layerNorm(scope, rows, weight, weight, 1e-5), live);
      Layout.narrow(scope, x, 0, 0, 10);
      assertThat(NativeMemory.liveBytes()).isEqualTo(live);
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors + 1);
      assertThat(NativeUses.of(weight)).isEqualTo(1);
    }
  }

  private static void assertRefused(ThrowingCallable call, long live) {
    assertThatThrownBy(call)
        .isInstanceOf(MemoryBudgetException.class)
        .hasMessageContaining("asked %,d bytes with %,d live".formatted(4000, live))
        .hasMessageContaining("budget %,d".formatted(live + 3999));
  }

  @Test
  void aBudgetIsAtLeastOneByte() {
    assertThatThrownBy(() -> NativeMemory.setBudget(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found 0");
  }
}
