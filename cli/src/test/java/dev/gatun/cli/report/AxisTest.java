package dev.gatun.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AxisTest {
  private static List<String> labels(Axis axis) {
    return axis.ticks().stream().map(Axis.Tick::label).toList();
  }

  @Test
  void valueTicksAreRoundNumbers() {
    assertThat(labels(Axis.rounded(1.9, 3.05, 6)))
        .containsExactly("1.8", "2", "2.2", "2.4", "2.6", "2.8", "3", "3.2");
    assertThat(labels(Axis.rounded(0, 2e-4, 4)))
        .containsExactly("0", "5e−5", "1e−4", "1.5e−4", "2e−4");
    assertThat(labels(Axis.rounded(0, 5_700, 4))).containsExactly("0", "2,000", "4,000", "6,000");
    assertThat(labels(Axis.rounded(0, 23_000, 4))).containsExactly("0", "10k", "20k", "30k");
    assertThat(labels(Axis.rounded(-1, 1, 4))).containsExactly("−1", "−0.5", "0", "0.5", "1");
  }

  @Test
  void aConstantHasRoomAroundIt() {
    Axis axis = Axis.rounded(312, 312, 4);
    assertThat(axis.position(312)).isBetween(0.1, 0.9);
    assertThat(labels(Axis.rounded(0, 0, 4))).startsWith("0").endsWith("1");
  }

  @Test
  void stepTicksAreWholeAndInside() {
    assertThat(labels(Axis.exact(1, 3, 8))).containsExactly("1", "2", "3");
    assertThat(labels(Axis.exact(1, 600, 8)))
        .containsExactly("100", "200", "300", "400", "500", "600");
    assertThat(labels(Axis.exact(0, 20_000, 8))).startsWith("0", "2.5k", "5k").endsWith("20k");
  }

  @Test
  void logTicksAreDecades() {
    assertThat(labels(Axis.decades(0.009, 1100)))
        .containsExactly("0.01", "0.1", "1", "10", "100", "1,000");
    assertThat(labels(Axis.decades(0.9, 60))).containsExactly("1", "2", "5", "10", "20", "50");
    assertThat(Axis.decades(1, 100).position(10)).isEqualTo(0.5);
  }
}
