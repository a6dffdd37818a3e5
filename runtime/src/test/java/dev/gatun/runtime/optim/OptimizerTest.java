package dev.gatun.runtime.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class OptimizerTest {
  private static final AdamW.Config DEFAULTS = AdamW.Config.defaults();

  @Test
  void defaultsArePyTorchs() {
    assertThat(DEFAULTS).isEqualTo(new AdamW.Config(0.9, 0.999, 1e-8, 0.01));
    assertThat(DEFAULTS.withWeightDecay(0.1)).isEqualTo(new AdamW.Config(0.9, 0.999, 1e-8, 0.1));
  }

  @Test
  void factorsMakeOfOneOptimizerSeveral() {
    AdamW.Config config = DEFAULTS.withWeightDecay(0.2);
    List<AdamW.Factors> factors =
        List.of(
            AdamW.Factors.PLAIN,
            new AdamW.Factors(4, 0.5),
            AdamW.Factors.PLAIN,
            new AdamW.Factors(4, 0.5));
    try (Scope scope = TestDevice.open()) {
      List<Tensor> together = new ArrayList<>();
      List<Tensor> apart = new ArrayList<>();
      List<Tensor> gradients = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        together.add(scope.full(i + 1, DType.F32, 3));
        apart.add(scope.full(i + 1, DType.F32, 3));
        gradients.add(scope.full(0.5 * i - 0.7, DType.F32, 3));
      }
      try (Optimizer all = AdamW.open(together, factors, config);
          Optimizer even = AdamW.open(List.of(apart.get(0), apart.get(2)), config);
          Optimizer odd =
              AdamW.open(List.of(apart.get(1), apart.get(3)), config.withWeightDecay(0.1))) {
        for (int step = 0; step < 3; step++) {
          all.step(gradients, 0.01);
          even.step(List.of(gradients.get(0), gradients.get(2)), 0.01);
          odd.step(List.of(gradients.get(1), gradients.get(3)), 0.04);
        }
        assertThat(all.steps()).isEqualTo(3);
        assertThat(all.state()).hasSize(8);
      }
      for (int i = 0; i < 4; i++) {
        assertThat(together.get(i).toFloats()).isEqualTo(apart.get(i).toFloats());
      }
    }
  }

  @Test
  void factorsMustFitTheParameters() {
    try (Scope scope = TestDevice.open()) {
      List<Tensor> one = List.of(scope.zeros(DType.F32, 2));
      assertThatThrownBy(() -> AdamW.open(one, List.of(), DEFAULTS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("adamw: found 0 factors, expected 1");
    }
    assertThatThrownBy(() -> new AdamW.Factors(-1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("adamw factors: found -1.0 and 1.0, expected finite, 0 or more");
  }

  @Test
  void gradientsMustFitTheParameters() {
    try (Scope scope = TestDevice.open()) {
      Tensor parameter = scope.zeros(DType.F32, 2);
      Tensor other = scope.zeros(DType.F32, 3);
      Tensor wide = scope.zeros(DType.F64, 2);
      try (Optimizer adamW = AdamW.open(List.of(parameter), DEFAULTS);
          Optimizer sgd = Sgd.open(List.of(parameter), new Sgd.Config(0.9, false, 0))) {
        for (Optimizer optimizer : List.of(adamW, sgd)) {
          assertThatThrownBy(() -> optimizer.step(List.of(), 1))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("found 0 gradients, expected 1");
          assertThatThrownBy(() -> optimizer.step(List.of(other), 1))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("gradient 0: found F32 (3), expected F32 (2)");
          assertThatThrownBy(() -> optimizer.step(List.of(wide), 1))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("gradient 0: found F64 (2), expected F32 (2)");
          assertThat(optimizer.steps()).isZero();
        }
      }
      assertThat(parameter.toFloats()).containsOnly(0);
    }
  }

  @Test
  void aRefusedStepIsNotCounted() {
    try (Scope scope = TestDevice.open()) {
      Tensor parameter = scope.zeros(DType.F32, 2);
      Tensor gradient = scope.full(1, DType.F32, 2);
      try (Scope inner = TestDevice.open();
          Optimizer optimizer = AdamW.open(List.of(inner.keep(parameter)), DEFAULTS)) {
        inner.close();
        assertThatThrownBy(() -> optimizer.step(List.of(gradient), 1))
            .isInstanceOf(IllegalStateException.class);
        assertThat(optimizer.steps()).isZero();
      }
    }
  }

  @Test
  void aStepIsSeenByATapeThatSavedTheParameter() {
    try (Scope scope = TestDevice.open()) {
      Tensor parameter = scope.full(2, DType.F32, 2);
      Tensor gradient = scope.full(1, DType.F32, 2);
      try (Optimizer optimizer = AdamW.open(List.of(parameter), DEFAULTS)) {
        assertThatThrownBy(() ->
                Tape.gradients(
                    scope,
                    List.of(parameter),
                    s -> {
                      Tensor square = Elementwise.mul(s, parameter, parameter);
                      optimizer.step(List.of(gradient), 0.1);
                      return Reduce.sum(s, square);
                    }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("written to after it was recorded");
      }
    }
  }

  @Test
  void restoreRefusesMissingAndWrongTensors() {
    try (Scope scope = TestDevice.open()) {
      Tensor parameter = scope.zeros(DType.F32, 2);
      Tensor three = scope.zeros(DType.F32, 3);
      Tensor two = scope.zeros(DType.F32, 2);
      try (Optimizer optimizer = AdamW.open(List.of(parameter), DEFAULTS)) {
        assertThat(optimizer.state()).containsOnlyKeys("exp_avg.0", "exp_avg_sq.0");
        assertThatThrownBy(() -> optimizer.restore(Map.of("exp_avg.0", two), 3))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("exp_avg_sq.0: found nothing, expected F32 (2)");
        assertThatThrownBy(
                () -> optimizer.restore(Map.of("exp_avg.0", three, "exp_avg_sq.0", two), 3))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("exp_avg.0: found F32 (3), expected F32 (2)");
        assertThat(optimizer.steps()).isZero();
      }
    }
  }

  @Test
  void noParametersAreNoWork() {
    try (Optimizer adamW = AdamW.open(List.of(), DEFAULTS);
        Optimizer sgd = Sgd.open(List.of(), new Sgd.Config(0, false, 0))) {
      adamW.step(List.of(), 1);
      sgd.step(List.of(), 1);
      assertThat(adamW.state()).isEmpty();
      assertThat(sgd.state()).isEmpty();
    }
  }

  @Test
  void nesterovNeedsMomentum() {
    assertThatThrownBy(() -> Sgd.open(List.of(), new Sgd.Config(0, true, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("momentum");
  }

  @Test
  void theNormOfNothingIsZero() {
    try (Scope scope = TestDevice.open()) {
      assertThat(Clip.norm(scope, List.of())).isZero();
      assertThat(Clip.norm(scope, List.of(scope.of(new float[] {3, 4}, 2))))
          .isCloseTo(5, within(1e-6));
    }
  }

  @Test
  void schedulesRefuseWhatIsNoRun() {
    for (double rate : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new Schedule(Schedule.Shape.LINEAR, rate, 0, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("learning rate: found " + rate);
    }
    assertThatThrownBy(() -> new Schedule(Schedule.Shape.LINEAR, 1, -1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("warm-up -1");
    assertThatThrownBy(() -> new Schedule(Schedule.Shape.LINEAR, 1, 0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 steps");
  }

  @Test
  void afterTheEndARateStaysAtItsLast() {
    assertThat(new Schedule(Schedule.Shape.LINEAR, 1, 2, 10).at(100)).isZero();
    assertThat(new Schedule(Schedule.Shape.COSINE, 1, 2, 10).at(100)).isCloseTo(0, within(1e-12));
    assertThat(new Schedule(Schedule.Shape.CONSTANT, 1, 2, 10).at(100)).isEqualTo(1);
    assertThat(new Schedule(Schedule.Shape.LINEAR, 1, 10, 10).at(10)).isEqualTo(1);
  }
}
