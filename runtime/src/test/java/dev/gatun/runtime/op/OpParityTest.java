package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.LeakCheck;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Values against the slow reference or PyTorch's, gradients against PyTorch's autograd.
@ExtendWith(LeakCheck.class)
class OpParityTest {
  /// Rounding of f64 sums of a few terms.
  private static final double F64 = 1e-12;

  /// Rounding of f32, inputs included.
  private static final double F32 = 2e-5;

  static Stream<OpCase> all() {
    return OpCases.all();
  }

  static Stream<OpCase> fixtures() {
    return OpCases.differentiable().filter(row -> row.fixture() != null);
  }

  @ParameterizedTest
  @MethodSource("all")
  void valueInF64(OpCase row) {
    compare("value", OpRun.value(row, DType.F64), row.expected(), F64);
  }

  @ParameterizedTest
  @MethodSource("all")
  void valueInF32(OpCase row) {
    compare("value", OpRun.value(row, DType.F32), row.expected(), F32);
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientInF64(OpCase row) {
    gradients(row, DType.F64, F64);
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientInF32(OpCase row) {
    gradients(row, DType.F32, 10 * F32);
  }

  private static void gradients(OpCase row, DType dtype, double tolerance) {
    boolean[] differentiated = OpRun.differentiated(row);
    double[] @Nullable [] found = OpRun.gradients(row, dtype, differentiated);
    for (int i = 0; i < differentiated.length; i++) {
      if (differentiated[i]) {
        String name = row.inputs().get(i).name();
        compare(
            name,
            Objects.requireNonNull(found[i], name),
            Fixture.doubles(row.fixture() + ".grad." + name),
            tolerance);
      }
    }
  }

  private static void compare(String what, double[] found, double[] expected, double tolerance) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i])
          .as("%s[%d]", what, i)
          .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
    }
  }
}
