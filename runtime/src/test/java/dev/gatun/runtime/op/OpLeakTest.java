package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.NativeUses;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// After an op, forwards or backwards, nothing native is left: neither tensors that Gatun counts
/// nor handles that it forgot.
@ExtendWith(LeakCheck.class)
class OpLeakTest {
  static Stream<OpCase> all() {
    return OpCases.all();
  }

  static Stream<OpCase> differentiable() {
    return OpCases.differentiable();
  }

  @ParameterizedTest
  @MethodSource("all")
  void forwards(OpCase row) {
    try (Scope scope = TestDevice.open()) {
      Tensor[] in = row.tensors(scope, DType.F64);
      long tensors = NativeMemory.liveTensors();
      long bytes = NativeMemory.liveBytes(TestDevice.DEVICE);
      try (Scope call = TestDevice.open()) {
        assertThat(row.operation().apply(call, in)).isNotNull();
      }
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
      assertThat(NativeMemory.liveBytes(TestDevice.DEVICE)).isEqualTo(bytes);
      assertThat(Arrays.stream(in).mapToInt(NativeUses::of)).containsOnly(1);
    }
  }

  @ParameterizedTest
  @MethodSource("differentiable")
  void backwards(OpCase row) {
    try (Scope scope = TestDevice.open()) {
      Tensor[] in = row.tensors(scope, DType.F64);
      long tensors = NativeMemory.liveTensors();
      try (Scope call = TestDevice.open()) {
        Gradients gradients =
            Tape.gradients(call, Arrays.asList(in), tape -> OpRun.scalar(row, tape, in));
        long returned = 1 + Arrays.stream(in).filter(leaf -> gradients.of(leaf) != null).count();
        assertThat(NativeMemory.liveTensors()).isEqualTo(tensors + returned);
      }
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
      assertThat(Arrays.stream(in).mapToInt(NativeUses::of)).containsOnly(1);
    }
  }
}
