package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class ShapesTest {
  @Test
  void elements() {
    assertThat(Shapes.elements("op")).isEqualTo(1);
    assertThat(Shapes.elements("op", 2, 0, 3)).isZero();
    assertThat(Shapes.elements("op", 3_000_000_000L)).isEqualTo(3_000_000_000L);
    assertThatThrownBy(() -> Shapes.elements("op", 1L << 31, 1L << 31))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("op: the elements of (2147483648, 2147483648) overflow");
    assertThatThrownBy(() -> Shapes.elements("op", 0, -1))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("op: found shape (0, -1)");
    assertThatThrownBy(() -> Shapes.elements("op", Long.MIN_VALUE))
        .isInstanceOf(ShapeException.class);
  }

  @Test
  void strides() {
    assertThat(Shapes.strides()).isEmpty();
    assertThat(Shapes.strides(2, 3, 4)).containsExactly(12, 4, 1);
    assertThat(Shapes.strides(2, 0, 4)).containsExactly(4, 4, 1);
  }

  @Test
  void broadcast() {
    assertThat(Shapes.broadcast("op", new long[] {3, 1}, new long[] {2, 1, 4}))
        .containsExactly(2, 3, 4);
    assertThat(Shapes.broadcast("op", new long[] {}, new long[] {2})).containsExactly(2);
    assertThat(Shapes.broadcast("op", new long[] {1}, new long[] {0})).containsExactly(0);
    assertThatThrownBy(() -> Shapes.broadcast("op", new long[] {2}, new long[] {3}))
        .isInstanceOf(ShapeException.class)
        .hasMessage("op: cannot broadcast (2) with (3)");
  }

  @Test
  void dimensions() {
    long[] shape = {4, 5};
    assertThat(Shapes.dim("op", shape, -2)).isZero();
    assertThat(Shapes.dim("op", shape, 1)).isEqualTo(1);
    assertThatThrownBy(() -> Shapes.dim("op", shape, -3))
        .isInstanceOf(ShapeException.class)
        .hasMessage("op: found dimension -3, expected one of the 2 of (4, 5)");
    assertThatThrownBy(() -> Shapes.dim("op", new long[0], 0)).isInstanceOf(ShapeException.class);
  }
}
