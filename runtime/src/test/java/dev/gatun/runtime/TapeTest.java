package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Reduce;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class TapeTest {
  private static Tensor normal(Scope scope, int seed, long... shape) {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    double[] values = new Random(seed).doubles(elements).map(u -> 2 * u - 1).toArray();
    return Layout.to(scope, scope.of(values, shape), DType.F32);
  }

  private static float[] gradient(Gradients gradients, Tensor leaf) {
    return Objects.requireNonNull(gradients.of(leaf)).toFloats();
  }

  @Test
  void aLeafUsedTwiceGetsTheSum() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.of(new float[] {2, 3}, 2);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x),
              s -> {
                Tensor square = Elementwise.mul(s, x, x);
                return Reduce.sum(s, Elementwise.add(s, Elementwise.mul(s, square, x), x));
              });
      assertThat(found.value().item()).isEqualTo(8 + 27 + 5);
      assertThat(gradient(found, x)).containsExactly(3 * 4 + 1, 3 * 9 + 1);
    }
  }

  @Test
  void aLeafThatTheValueDoesNotDependOnHasNone() {
    try (Scope scope = TestDevice.open()) {
      Tensor used = scope.full(2, DType.F32);
      Tensor unused = scope.full(2, DType.F32);
      Tensor dead = scope.full(2, DType.F32);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(used, unused, dead),
              s -> {
                assertThat(Elementwise.exp(s, dead)).isNotNull();
                return Elementwise.exp(s, used);
              });
      assertThat(found.of(used)).isNotNull();
      assertThat(found.of(unused)).isNull();
      assertThat(found.of(dead)).isNull();
      assertThat(found.of(found.value())).isNull();
    }
  }

  @Test
  void aValueThatIsItselfALeafHasTheGradientOne() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.full(2, DType.F32, 1);
      Gradients found = Tape.gradients(scope, List.of(x), s -> x);
      assertThat(gradient(found, x)).containsExactly(1);
      assertThat(Objects.requireNonNull(found.of(x)).shape()).containsExactly(1);
    }
  }

  @Test
  void onlyAScalarIsDifferentiated() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.zeros(DType.F32, 2);
      assertThatThrownBy(() -> Tape.gradients(scope, List.of(x), s -> Elementwise.exp(s, x)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("backward: found shape (2)");
    }
  }

  @Test
  void recordingNeedsATape() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.zeros(DType.F32, 2);
      assertThat(scope.records(x)).isFalse();
      assertThat(scope.needs(x)).isFalse();
      assertThatThrownBy(() ->
              scope.record(
                  x, new Tensor[] {x}, new Tensor[0], (s, saved, g) -> new Tensor[] {g[0]}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("no tape");
    }
  }

  @Test
  void onlyWhatAGradientFlowsThroughIsRecorded() {
    try (Scope scope = TestDevice.open()) {
      Tensor leaf = scope.zeros(DType.F32, 2);
      Tensor frozen = scope.zeros(DType.F32, 2);
      try (Tape tape = Tape.open(List.of(leaf));
          Scope untaped = tape.untaped()) {
        assertThat(tape.records(leaf)).isTrue();
        assertThat(tape.records(frozen, null)).isFalse();
        assertThat(tape.records(frozen, leaf)).isTrue();
        assertThat(untaped.records(leaf)).isFalse();
        long before = NativeMemory.liveTensors();
        Tensor product = Elementwise.mul(tape, frozen, frozen);
        assertThat(tape.records(product)).isFalse();
        assertThat(NativeMemory.liveTensors()).as("nothing is saved").isEqualTo(before + 1);
        Tensor tracked = Elementwise.mul(tape, product, leaf);
        assertThat(tape.records(tracked)).isTrue();
        assertThat(NativeMemory.liveTensors()).as("one factor is saved").isEqualTo(before + 3);
      }
    }
  }

  @Test
  void childScopesRecordOnTheSameTapeAndFreeTheirTemporaries() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.of(new float[] {0.5f, -1}, 2);
      Gradients flat =
          Tape.gradients(
              scope,
              List.of(x),
              s ->
                  Reduce.sum(
                      s, Elementwise.exp(s, Elementwise.tanh(s, Elementwise.scale(s, x, 2)))));
      Gradients nested =
          Tape.gradients(
              scope,
              List.of(x),
              s -> {
                Tensor kept;
                try (Scope block = s.child();
                    Scope inner = block.child()) {
                  Tensor turned = Elementwise.tanh(inner, Elementwise.scale(inner, x, 2));
                  kept = s.keep(Elementwise.exp(block, block.keep(turned)));
                }
                return Reduce.sum(s, kept);
              });
      assertThat(nested.value().item()).isEqualTo(flat.value().item());
      assertThat(gradient(nested, x)).containsExactly(gradient(flat, x));
    }
  }

  @Test
  void untapedIsAConstant() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.full(3, DType.F32);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x),
              s -> {
                try (Scope constant = s.untaped()) {
                  return Elementwise.mul(s, Elementwise.exp(constant, x), x);
                }
              });
      assertThat(gradient(found, x)).containsExactly((float) Math.exp(3));
    }
  }

  @Test
  void writingToASavedTensorIsSeen() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.of(new float[] {1, 2}, 2);
      Tensor other = scope.full(1, DType.F32, 2);
      assertThatThrownBy(() ->
              Tape.gradients(
                  scope,
                  List.of(x),
                  s -> {
                    Tensor square = Elementwise.mul(s, x, x);
                    Layout.copyInPlace(x, other);
                    return Reduce.sum(s, square);
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("F32 (2)")
          .hasMessageContaining("written to after it was recorded");
      assertThatThrownBy(() ->
              Tape.gradients(
                  scope,
                  List.of(x),
                  s -> {
                    Tensor square = Elementwise.mul(s, x, x);
                    Tensor view = Layout.narrow(s, x, 0, 1, 1);
                    Layout.copyInPlace(view, Layout.narrow(s, other, 0, 0, 1));
                    return Reduce.sum(s, square);
                  }))
          .as("through a view")
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void writingToWhatNoGradientReadsIsAllowed() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.of(new float[] {1, 2}, 2);
      Tensor frozen = scope.full(2, DType.F32, 2);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x),
              s -> {
                Tensor product = Elementwise.mul(s, x, frozen);
                Layout.copyInPlace(x, frozen);
                return Reduce.sum(s, product);
              });
      assertThat(gradient(found, x)).containsExactly(2, 2);
    }
  }

  @Test
  void severalResultsMayFlowBackInPart() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.of(new float[] {1, 2, 3, 4}, 4);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x),
              s -> {
                Tensor[] parts = Layout.split(s, x, 0, 1, 2, 1);
                return Reduce.sum(s, Elementwise.mul(s, parts[2], Elementwise.exp(s, parts[0])));
              });
      float[] gradient = gradient(found, x);
      assertThat(gradient[0]).isEqualTo((float) (4 * Math.E));
      assertThat(gradient[1]).isZero();
      assertThat(gradient[2]).isZero();
      assertThat(gradient[3]).isEqualTo((float) Math.E);
    }
  }

  /// A block of a small model: it captures a weight that is a leaf and an activation that is not.
  private static BiFunction<Scope, Tensor, Tensor> block(Tensor weight, Tensor activation) {
    return (s, x) -> {
      Tensor hidden = Elementwise.gelu(s, Matmul.linear(s, x, weight, null), true);
      return Elementwise.add(s, Norm.softmax(s, hidden), Elementwise.mul(s, hidden, activation));
    };
  }

  private static Gradients run(
      Scope scope, Tensor x, Tensor w1, Tensor w2, boolean checkpointed, boolean nested) {
    return Tape.gradients(
        scope,
        List.of(x, w1, w2),
        s -> {
          Tensor activation = Elementwise.tanh(s, x);
          BiFunction<Scope, Tensor, Tensor> first = block(w1, activation);
          BiFunction<Scope, Tensor, Tensor> both =
              (t, in) -> {
                Tensor middle = nested ? Tape.checkpoint(t, in, first) : first.apply(t, in);
                return block(w2, activation).apply(t, middle);
              };
          Tensor out =
              checkpointed ? Tape.checkpoint(s, activation, both) : both.apply(s, activation);
          return Reduce.sum(s, Elementwise.mul(s, out, out));
        });
  }

  @Test
  void checkpointingGivesTheSameBits() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = normal(scope, 1, 5, 4);
      Tensor w1 = normal(scope, 2, 4, 4);
      Tensor w2 = normal(scope, 3, 4, 4);
      Gradients plain = run(scope, x, w1, w2, false, false);
      Gradients replayed = run(scope, x, w1, w2, true, false);
      Gradients nested = run(scope, x, w1, w2, true, true);
      for (Gradients other : List.of(replayed, nested)) {
        assertThat(other.value().item()).isEqualTo(plain.value().item());
        for (Tensor weight : List.of(w1, w2)) {
          assertThat(gradient(other, weight)).containsExactly(gradient(plain, weight));
        }
      }
    }
  }

  /// Where several paths meet in one tensor the order of the sum may differ, so bits are compared
  /// on a chain.
  @Test
  void checkpointingAChainGivesTheSameBitsForItsInput() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = normal(scope, 1, 5, 4);
      Tensor w = normal(scope, 2, 4, 4);
      BiFunction<Scope, Tensor, Tensor> chain =
          (s, in) -> Elementwise.silu(s, Matmul.linear(s, in, w, null));
      Gradients plain =
          Tape.gradients(
              scope,
              List.of(x, w),
              s -> Reduce.sum(s, chain.apply(s, chain.apply(s, Elementwise.tanh(s, x)))));
      Gradients replayed =
          Tape.gradients(
              scope,
              List.of(x, w),
              s -> {
                Tensor first = Tape.checkpoint(s, Elementwise.tanh(s, x), chain);
                return Reduce.sum(s, Tape.checkpoint(s, first, chain));
              });
      assertThat(replayed.value().item()).isEqualTo(plain.value().item());
      assertThat(gradient(replayed, x)).containsExactly(gradient(plain, x));
      assertThat(gradient(replayed, w)).containsExactly(gradient(plain, w));
    }
  }

  @Test
  void checkpointingSavesOnlyItsInput() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = normal(scope, 1, 64, 64);
      BiFunction<Scope, Tensor, Tensor> deep =
          (s, in) -> {
            Tensor at = in;
            for (int i = 0; i < 10; i++) {
              at = Elementwise.tanh(s, at);
            }
            return at;
          };
      try (Tape tape = Tape.open(List.of(x))) {
        long before = NativeMemory.liveBytes(TestDevice.DEVICE);
        Tensor result = Tape.checkpoint(tape, x, deep);
        assertThat(NativeMemory.liveBytes(TestDevice.DEVICE)).isEqualTo(before + 64 * 64 * 4);
        assertThat(tape.records(result)).isTrue();
      }
    }
  }

  @Test
  void checkpointingOutsideATapeIsTheFunction() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.full(2, DType.F32);
      assertThat(Tape.checkpoint(scope, x, (s, in) -> Elementwise.scale(s, in, 3)).item())
          .isEqualTo(6);
    }
  }

  @Test
  void checkpointedFunctionsMayReturnWhatTheyWereGivenOrCaptured() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.full(2, DType.F32);
      Tensor captured = scope.full(5, DType.F32);
      Gradients found =
          Tape.gradients(
              scope,
              List.of(x, captured),
              s -> {
                Tensor same = Tape.checkpoint(s, x, (t, in) -> in);
                Tensor other = Tape.checkpoint(s, x, (t, in) -> captured);
                return Elementwise.mul(s, same, other);
              });
      assertThat(found.value().item()).isEqualTo(10);
      assertThat(gradient(found, x)).containsExactly(5);
      assertThat(gradient(found, captured)).containsExactly(2);
    }
  }

  @Test
  void whatIsSavedIsFreedAsTheTapeRuns() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = normal(scope, 1, 4, 4);
      try (Tape tape = Tape.open(List.of(x))) {
        Tensor value = Reduce.sum(tape, Elementwise.exp(tape, Elementwise.tanh(tape, x)));
        int recorded = tape.size();
        Gradients gradients = tape.backward(scope, value);
        assertThat(gradients.of(x)).isNotNull();
        assertThat(tape.size()).as("tanh and exp saved their results").isEqualTo(recorded - 2);
      }
    }
  }

  @Test
  void aGradientThatThrowsLeavesNothing() {
    try (Scope scope = TestDevice.open()) {
      Tensor x = scope.full(2, DType.F32);
      assertThatThrownBy(() ->
              Tape.gradients(
                  scope,
                  List.of(x),
                  s -> {
                    Tensor result = s.zeros(DType.F32);
                    return s.record(
                        result,
                        new Tensor[] {x},
                        new Tensor[] {x},
                        (t, saved, g) -> {
                          throw new ArithmeticException("planted");
                        });
                  }))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("planted");
    }
  }
}
