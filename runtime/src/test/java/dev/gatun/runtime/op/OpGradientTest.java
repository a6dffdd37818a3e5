package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tape's gradients against central differences in f64.
@ExtendWith(LeakCheck.class)
class OpGradientTest {
  static Stream<OpCase> rows() {
    return OpCases.differentiable();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isThatOfCentralDifferences(OpCase row) {
    boolean[] differentiated = OpRun.differentiated(row);
    double[] @Nullable [] found = OpRun.gradients(row, DType.F64, differentiated);
    for (int i = 0; i < differentiated.length; i++) {
      if (differentiated[i]) {
        compare(row, i, Objects.requireNonNull(found[i], row.inputs().get(i).name()));
      } else {
        assertThat(found[i]).isNull();
      }
    }
  }

  private static void compare(OpCase row, int input, double[] found) {
    double[][] values =
        row.inputs().stream().map(in -> in.values().clone()).toArray(double[][]::new);
    double[] moved = values[input];
    for (int i = 0; i < moved.length; i++) {
      double at = moved[i];
      moved[i] = at + row.step();
      double above = OpRun.scalar(row, values);
      moved[i] = at - row.step();
      double below = OpRun.scalar(row, values);
      moved[i] = at;
      double difference = (above - below) / (2 * row.step());
      assertThat(found[i])
          .as("%s[%d]", row.inputs().get(input).name(), i)
          .isCloseTo(difference, within(row.tolerance() * (1 + Math.abs(difference))));
    }
  }

  /// Ops save and compute only what the wanted gradients need: each alone must be as in company.
  @ParameterizedTest
  @MethodSource("rows")
  void ofOneInputAloneIsTheSame(OpCase row) {
    boolean[] differentiated = OpRun.differentiated(row);
    double[] @Nullable [] all = OpRun.gradients(row, DType.F64, differentiated);
    for (int i = 0; i < differentiated.length; i++) {
      if (differentiated[i]) {
        boolean[] alone = new boolean[differentiated.length];
        alone[i] = true;
        double[] @Nullable [] found = OpRun.gradients(row, DType.F64, alone);
        assertThat(found[i])
            .as(row.inputs().get(i).name())
            .containsExactly(Objects.requireNonNull(all[i]), within(1e-14));
      }
    }
  }
}
