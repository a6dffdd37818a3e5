package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Optimizer;
import dev.gatun.runtime.optim.Sgd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class BorrowTest {
  @Test
  void sharesTheMemoryBothWays() {
    try (Arena arena = Arena.ofConfined();
        Scope scope = Scope.open()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4, 5);
      long bytes = NativeMemory.liveBytes();
      Tensor tensor = scope.borrow(segment, DType.F32, 2, 2);
      assertThat(NativeMemory.liveBytes()).as("borrowed memory is not counted").isEqualTo(bytes);
      assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4);
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 9);
      assertThat(tensor.toFloats()).startsWith(9);
      Layout.copyInPlace(tensor, scope.full(7, DType.F32, 2, 2));
      assertThat(segment.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(7, 7, 7, 7, 5);
      assertThat(tensor.segment().address()).isEqualTo(segment.address());
      assertThat(tensor.isReadOnly()).isFalse();
    }
  }

  /// On a simulated GPU, whose memory is the host's; on one: `CudaDeviceTest`.
  @Test
  @EnabledIfSystemProperty(named = "gatun.cuda.simulated", matches = "true")
  void aScopeOfAGpuViewsMemoryOfIt() {
    try (Scope scope = Scope.open(Device.CUDA)) {
      Arena arena = Arena.ofConfined();
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4);
      Tensor tensor = scope.borrow(segment, DType.F32, 2, 2);
      assertThat(tensor.device()).isEqualTo(Device.CUDA);
      assertThat(tensor.toFloats()).containsExactly(1, 2, 3, 4);
      Layout.copyInPlace(tensor, scope.full(7, DType.F32, 2, 2));
      assertThat(segment.toArray(ValueLayout.JAVA_FLOAT)).containsOnly(7);
      arena.close();
      assertEnded(tensor::handle);
    }
  }

  @Test
  void refusesHeapAndSmallSegments() {
    try (Arena arena = Arena.ofConfined();
        Scope scope = Scope.open()) {
      MemorySegment heap = MemorySegment.ofArray(new float[4]);
      assertThatThrownBy(() -> scope.borrow(heap, DType.F32, 4))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("heap segment");
      MemorySegment small = arena.allocate(15);
      assertThatThrownBy(() -> scope.borrow(small, DType.F32, 2, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("15 bytes, expected at least 16 for F32 (2, 2)");
      assertThatThrownBy(() -> scope.borrow(small, DType.F32, 2, -2))
          .isInstanceOf(ShapeException.class);
      assertThatThrownBy(() -> scope.borrow(small, DType.F32, 1L << 32, 1L << 32))
          .isInstanceOf(ShapeException.class);
    }
  }

  @Test
  void theEndOfTheArenaIsSeenAtEachUseViewsIncluded() {
    try (Scope scope = Scope.open()) {
      Tensor plain = scope.full(1, DType.F32, 2, 2);
      Arena arena = Arena.ofConfined();
      Tensor borrowed = scope.borrow(arena.allocate(16, 4), DType.F32, 2, 2);
      Tensor view = Layout.narrow(scope, Layout.transpose(scope, borrowed, 0, 1), 0, 1, 1);
      Tensor kept = scope.keep(borrowed);
      MemorySegment segment = borrowed.segment();
      assertThat(Elementwise.add(scope, plain, borrowed).toFloats()).containsOnly(1);
      assertThat(view.shape()).containsExactly(1, 2);
      arena.close();
      for (Tensor dead : List.of(borrowed, view, kept)) {
        assertEnded(() -> dead.handle());
        assertEnded(() -> dead.segment());
        assertEnded(() -> dead.handleForWriting("test"));
        assertEnded(() -> Layout.copy(scope, dead));
        assertEnded(() -> Elementwise.exp(scope, dead));
        assertEnded(() -> Elementwise.add(scope, plain, dead));
        assertEnded(() -> Layout.transpose(scope, dead, 0, 1));
      }
      assertEnded(borrowed::toFloats);
      assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_FLOAT, 0))
          .as("a segment over the tensor")
          .isInstanceOf(IllegalStateException.class);
      assertThat(NativeUses.of(plain)).isEqualTo(1);
      scope.free(view);
    }
  }

  private static void assertEnded(ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("borrowed memory");
  }

  /// An in-place write to a read-only mapping would end the process.
  @Test
  void readOnlyMemoryIsNotWritten(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("weights");
    Files.write(file, new byte[16]);
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        Scope scope = Scope.open()) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 16, arena);
      Tensor weight = scope.borrow(mapped, DType.F32, 2, 2);
      Tensor view = Layout.transpose(scope, weight, 0, 1);
      Tensor kept = scope.keep(weight);
      Tensor other = scope.full(1, DType.F32, 2, 2);
      for (Tensor readOnly : List.of(weight, view, kept)) {
        assertThat(readOnly.isReadOnly()).isTrue();
        assertThat(readOnly.shape()).containsExactly(2, 2);
        assertRefused(() -> Layout.copyInPlace(readOnly, other));
        assertRefused(() -> Matmul.addProductInPlace(scope, readOnly, 1, other, other));
        assertRefused(() -> sgdStep(readOnly, other));
        assertRefused(() -> adamWStep(readOnly, other));
      }
      assertThat(weight.segment().isReadOnly()).isTrue();
      assertThat(weight.toFloats()).containsOnly(0);
      assertThat(Elementwise.add(scope, weight, other).toFloats()).containsOnly(1);
      assertThat(Layout.copy(scope, weight).isReadOnly()).isFalse();
    }
  }

  private static void sgdStep(Tensor parameter, Tensor gradient) {
    try (Optimizer sgd = Sgd.open(List.of(parameter), new Sgd.Config(0, false, 0))) {
      sgd.step(List.of(gradient), 0.1);
    }
  }

  private static void adamWStep(Tensor parameter, Tensor gradient) {
    try (Optimizer adamW = AdamW.open(List.of(parameter), AdamW.Config.defaults())) {
      adamW.step(List.of(gradient), 0.1);
    }
  }

  private static void assertRefused(ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("F32 (2, 2) is read-only");
  }
}
