package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class ScopeTest {
  private static void assertClosed(ThrowingCallable use) {
    assertThatThrownBy(use)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Already closed");
  }

  @Test
  void useAfterCloseIsAnException() {
    Tensor dead;
    try (Scope scope = Scope.open()) {
      dead = scope.of(new float[] {1, 2}, 2);
      assertThat(dead.toString()).isEqualTo("F32 (2)");
    }
    assertThat(dead.toString()).isEqualTo("closed tensor");
    try (Scope scope = Scope.open()) {
      Tensor live = scope.of(new float[] {1, 2}, 2);
      assertClosed(dead::toFloats);
      assertClosed(dead::segment);
      assertClosed(dead::handle);
      assertClosed(dead::handleAddress);
      assertClosed(dead::strides);
      assertClosed(() -> dead.handleForWriting("test"));
      assertClosed(() -> Elementwise.add(scope, live, dead));
      assertClosed(() -> Elementwise.div(scope, live, dead));
      assertClosed(() -> Elementwise.exp(scope, dead));
      assertClosed(() -> Layout.cat(scope, 0, live, dead));
      assertClosed(() -> Layout.copyInPlace(dead, live));
      assertClosed(() -> Layout.copyInPlace(live, dead));
      assertClosed(() -> Layout.transpose(scope, dead, 0, 0));
      assertClosed(() -> scope.keep(dead));
      assertThat(NativeUses.of(live)).as("handles lost by a failed call").isEqualTo(1);
    }
  }

  /// What is known of a tensor ends with it, whether it was asked for before or not.
  @Test
  void whatWasKnownEndsToo() {
    Tensor dead;
    try (Scope scope = Scope.open()) {
      dead = scope.empty(DType.F32, 2);
    }
    assertClosed(dead::shape);
    assertClosed(dead::dtype);
    assertClosed(dead::rank);
    assertClosed(dead::elements);
    assertClosed(dead::item);
    assertClosed(dead::isContiguous);
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // how it is closed is what is tested
  void aClosedScopeMakesNothing() {
    try (Scope outer = Scope.open()) {
      Tensor live = outer.of(new float[] {1, 2}, 2);
      Scope closed = Scope.open();
      Scope closedChild = outer.child();
      closed.close();
      closedChild.close();
      for (Scope scope : List.of(closed, closedChild)) {
        assertClosed(() -> scope.empty(DType.F32, 2));
        assertClosed(() -> scope.keep(live));
        assertClosed(() -> Elementwise.add(scope, live, live));
        assertClosed(() -> Elementwise.exp(scope, live));
        assertClosed(() -> Layout.reshape(scope, live, 2, 1));
      }
      assertThat(NativeUses.of(live)).as("handles lost by a failed call").isEqualTo(1);
    }
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // how it is closed is what is tested
  void closingTwiceDoesNothing() {
    Scope scope = Scope.open();
    scope.zeros(DType.F32, 2);
    scope.close();
    assertThatCode(scope::close).doesNotThrowAnyException();
    Scope shared = Scope.openShared();
    shared.zeros(DType.F32, 2);
    shared.close();
    assertThatCode(shared::close).doesNotThrowAnyException();
    assertThat(shared.size()).isZero();
  }

  @Test
  void freeEndsOneTensorOfMany() {
    try (Scope scope = Scope.open()) {
      Tensor[] all = new Tensor[20];
      for (int i = 0; i < 20; i++) {
        all[i] = scope.full(i, DType.F32);
      }
      long live = NativeMemory.liveTensors();
      for (int i = 0; i < 20; i += 3) {
        scope.free(all[i]);
      }
      assertThat(scope.size()).isEqualTo(13);
      assertThat(NativeMemory.liveTensors()).isEqualTo(live - 7);
      for (int i = 0; i < 20; i++) {
        Tensor tensor = all[i];
        if (i % 3 == 0) {
          assertClosed(tensor::item);
        } else {
          assertThat(tensor.item()).isEqualTo(i);
        }
      }
    }
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // how it is closed is what is tested
  void freeTwiceOrAfterCloseIsAnException() {
    Scope scope = Scope.open();
    Tensor first = scope.zeros(DType.F32, 2);
    Tensor second = scope.zeros(DType.F32, 2);
    scope.free(first);
    assertClosed(() -> scope.free(first));
    assertThat(second.toFloats()).containsOnly(0);
    scope.close();
    assertClosed(() -> scope.free(second));
  }

  @Test
  void freeRefusesAnotherScopesTensor() {
    try (Scope scope = Scope.open();
        Scope other = Scope.open()) {
      Tensor tensor = other.zeros(DType.F32, 2);
      assertThatThrownBy(() -> scope.free(tensor))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another scope");
    }
  }

  @Test
  void keptTensorsOutliveTheirScope() {
    try (Scope outer = Scope.open()) {
      long bytes = NativeMemory.liveBytes();
      Tensor kept;
      try (Scope inner = outer.child()) {
        Tensor made = inner.of(new float[] {1, 2}, 2);
        kept = outer.keep(made);
        assertThat(NativeMemory.liveBytes()).as("shared memory counts once").isEqualTo(bytes + 8);
      }
      assertThat(kept.toFloats()).containsExactly(1, 2);
      assertThat(NativeMemory.liveBytes()).isEqualTo(bytes + 8);
      outer.free(kept);
      assertThat(NativeMemory.liveBytes()).isEqualTo(bytes);
    }
  }

  @Test
  void aResultBelongsToTheScopeItWasMadeIn() {
    try (Scope outer = Scope.open()) {
      Tensor operand = outer.of(new float[] {1, 2}, 2);
      Tensor result;
      try (Scope inner = outer.child()) {
        result = Elementwise.add(inner, operand, operand);
      }
      assertClosed(result::toFloats);
      assertThat(operand.toFloats()).containsExactly(1, 2);
    }
  }

  @Test
  void aViewKeepsTheMemoryOfAClosedScope() {
    try (Scope outer = Scope.open()) {
      Tensor view;
      try (Scope inner = outer.child()) {
        view = Layout.narrow(outer, inner.of(new float[] {1, 2, 3}, 3), 0, 1, 2);
      }
      assertThat(view.toFloats()).containsExactly(2, 3);
    }
  }

  @Test
  void untapedRecordsNothingAndChildOnTheSameTape() {
    try (Scope plain = Scope.open();
        Tape tape = Tape.open(List.of(plain.full(1, DType.F32)));
        Scope child = tape.child();
        Scope grandchild = child.child();
        Scope untaped = child.untaped();
        Scope below = untaped.child()) {
      assertThat(plain.tape()).isNull();
      assertThat(tape.tape()).isSameAs(tape);
      assertThat(child.tape()).isSameAs(tape);
      assertThat(grandchild.tape()).isSameAs(tape);
      assertThat(untaped.tape()).isNull();
      assertThat(below.tape()).isNull();
    }
  }

  @Test
  void segmentsDieWithTheScope() {
    MemorySegment segment;
    try (Scope scope = Scope.open()) {
      segment = scope.of(new float[] {1, 2}, 2).segment();
      assertThat(segment.byteSize()).isEqualTo(8);
      assertThat(segment.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).isEqualTo(2);
    }
    assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void segmentsOfStridedTensorsAreRefused() {
    try (Scope scope = Scope.open()) {
      Tensor turned = Layout.transpose(scope, scope.zeros(DType.F32, 2, 3), 0, 1);
      assertThatThrownBy(turned::segment)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("F32 (3, 2)")
          .hasMessageContaining("not contiguous");
    }
  }

  @Test
  void arraysComeBack() {
    try (Scope scope = Scope.open()) {
      assertThat(scope.of(new float[] {1, -2}, 2).toFloats()).containsExactly(1, -2);
      assertThat(scope.of(new double[] {1, -2}, 1, 2).toDoubles()).containsExactly(1, -2);
      assertThat(scope.of(new long[] {1L << 40, -2}, 2).toLongs()).containsExactly(1L << 40, -2);
      assertThat(scope.of(new int[] {1, -2}, 2).toInts()).containsExactly(1, -2);
      assertThat(scope.of(new float[0], 0, 3).toFloats()).isEmpty();
      assertThat(scope.of(new double[] {4}).item()).isEqualTo(4);
      Tensor f32 = scope.zeros(DType.F32, 2);
      assertThatThrownBy(f32::toDoubles)
          .isInstanceOf(DTypeException.class)
          .hasMessageContaining("found F32, expected F64");
      assertThatThrownBy(() -> scope.of(new float[3], 2))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("found 3 values, expected 2");
    }
  }

  @Test
  void itemWantsOneElement() {
    try (Scope scope = Scope.open()) {
      for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.I64, DType.I32)) {
        assertThat(scope.full(-3, dtype, 1, 1).item()).as("%s", dtype).isEqualTo(-3);
      }
      Tensor two = scope.zeros(DType.F32, 2);
      assertThatThrownBy(two::item).isInstanceOf(ShapeException.class).hasMessageContaining("(2)");
    }
  }

  @Test
  void everyTypeIsAllocatedAndFilled() {
    try (Scope scope = Scope.open()) {
      for (DType dtype : DType.values()) {
        Tensor ones = scope.full(1, dtype, 3);
        assertThat(ones.dtype()).isEqualTo(dtype);
        assertThat(ones.segment().byteSize()).isEqualTo(3L * dtype.bytes());
        assertThat(Layout.to(scope, ones, DType.F64).toDoubles()).containsOnly(1);
        assertThat(DType.fromCode(dtype.code())).isEqualTo(dtype);
        assertThat(DType.fromSafetensors(dtype.safetensorsName())).isEqualTo(dtype);
      }
    }
  }

  @Test
  void shapesThatOverflowOrAreNegativeAreRefused() {
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> scope.empty(DType.F32, 2, -1))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("(2, -1)")
          .hasMessageContaining("no negative size");
      assertThatThrownBy(() -> scope.empty(DType.F32, 1L << 32, 1L << 32))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("overflow 64 bits");
      assertThatThrownBy(() -> scope.zeros(DType.F32, new long[65]))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("rank 65");
      assertThatThrownBy(() -> scope.empty(DType.F64, 1L << 56))
          .as("more than any machine has")
          .isInstanceOf(TorchException.class);
    }
  }

  /// 2^32 elements without as much memory: a view of one.
  @Test
  void moreThanTwoBillionElementsAreCounted() {
    try (Scope scope = Scope.open()) {
      Tensor wide = Layout.expand(scope, scope.full(1, DType.F32, 1, 1), 1L << 16, 1L << 16);
      assertThat(wide.elements()).isEqualTo(1L << 32);
      assertThat(wide.shape()).containsExactly(65_536, 65_536);
      Tensor corner = Layout.narrow(scope, wide, 0, 65_535, 1);
      assertThat(Reduce.sum(scope, corner).item()).isEqualTo(65_536);
    }
  }

  @Test
  void shapesAreCopies() {
    try (Scope scope = Scope.open()) {
      Tensor tensor = scope.zeros(DType.F32, 2, 3);
      tensor.shape()[0] = 9;
      assertThat(tensor.shape()).containsExactly(2, 3);
      assertThat(tensor.size(-1)).isEqualTo(3);
      assertThat(tensor.strides()).containsExactly(3, 1);
      assertThat(tensor.device()).hasToString("cpu");
      assertThatThrownBy(() -> tensor.size(2)).isInstanceOf(ShapeException.class);
    }
  }

  @Test
  void productsReadTransposedViewsInPlace() {
    try (Scope scope = Scope.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 4}, 2, 2);
      Tensor turned = Layout.transpose(scope, x, 0, 1);
      assertThat(Matmul.matmul(scope, x, turned).toFloats()).containsExactly(5, 11, 11, 25);
    }
  }
}
