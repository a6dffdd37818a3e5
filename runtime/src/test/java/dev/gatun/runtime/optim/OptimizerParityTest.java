package dev.gatun.runtime.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Fixture;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.op.Layout;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Five steps of each optimizer against PyTorch, one parameter and two at once, in f64 and f32.
@ExtendWith(LeakCheck.class)
class OptimizerParityTest {
  private static final int WIDTH = 7;
  private static final int STEPS = 5;

  @MustBeClosed
  static Optimizer open(String fixture, List<Tensor> parameters) {
    JsonNode settings = Fixture.settings(fixture);
    double decay = settings.get("weight_decay").asDouble();
    if (fixture.startsWith("adamw")) {
      JsonNode betas = settings.get("betas");
      return AdamW.open(
          parameters,
          new AdamW.Config(
              betas.get(0).asDouble(),
              betas.get(1).asDouble(),
              settings.get("eps").asDouble(),
              decay));
    }
    return Sgd.open(
        parameters,
        new Sgd.Config(
            settings.get("momentum").asDouble(), settings.get("nesterov").asBoolean(), decay));
  }

  static double[] row(String name, int step) {
    return Arrays.copyOfRange(Fixture.doubles(name), step * WIDTH, (step + 1) * WIDTH);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adamw", "adamw_large_eps", "sgd", "sgd_momentum", "sgd_nesterov"})
  void inF64(String fixture) {
    check(fixture, DType.F64, 1e-12);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adamw", "adamw_large_eps", "sgd", "sgd_momentum", "sgd_nesterov"})
  void inF32(String fixture) {
    check(fixture, DType.F32, 2e-6);
  }

  private static void check(String fixture, DType dtype, double tolerance) {
    double rate = Fixture.settings(fixture).get("lr").asDouble();
    try (Scope scope = TestDevice.open()) {
      Tensor whole = Layout.to(scope, scope.of(Fixture.doubles(fixture + ".start"), WIDTH), dtype);
      Tensor head = Layout.copy(scope, Layout.narrow(scope, whole, 0, 0, 3));
      Tensor tail = Layout.copy(scope, Layout.narrow(scope, whole, 0, 3, 4));
      try (Optimizer one = open(fixture, List.of(whole));
          Optimizer two = open(fixture, List.of(head, tail))) {
        for (int step = 0; step < STEPS; step++) {
          Tensor gradient = Layout.to(scope, scope.of(row(fixture + ".grads", step), WIDTH), dtype);
          double[] before = doubles(scope, gradient);
          one.step(List.of(gradient), rate);
          two.step(
              List.of(
                  Layout.copy(scope, Layout.narrow(scope, gradient, 0, 0, 3)),
                  Layout.copy(scope, Layout.narrow(scope, gradient, 0, 3, 4))),
              rate);
          double[] expected = row(fixture + ".values", step);
          assertThat(doubles(scope, whole)).containsExactly(expected, within(tolerance));
          assertThat(doubles(scope, Layout.cat(scope, 0, head, tail)))
              .containsExactly(expected, within(tolerance));
          assertThat(doubles(scope, gradient)).as("gradients stay").containsExactly(before);
          assertThat(one.steps()).isEqualTo(step + 1);
        }
        state(scope, fixture, one.state(), tolerance);
      }
    }
  }

  private static void state(
      Scope scope, String fixture, Map<String, Tensor> state, double tolerance) {
    int found = 0;
    for (String name : List.of("exp_avg", "exp_avg_sq", "momentum_buffer")) {
      String key = fixture + "." + name;
      if (Fixture.has(key)) {
        Tensor tensor = Objects.requireNonNull(state.get(name + ".0"), name);
        assertThat(doubles(scope, tensor)).containsExactly(Fixture.doubles(key), within(tolerance));
        found++;
      }
    }
    assertThat(state).hasSize(found);
  }

  private static double[] doubles(Scope scope, Tensor tensor) {
    return Layout.to(scope, tensor, DType.F64).toDoubles();
  }

  /// Two steps, then a new optimizer from the saved state: the rest gives the same bits.
  @ParameterizedTest
  @ValueSource(strings = {"adamw", "sgd_momentum", "sgd_nesterov"})
  void continuesFromItsStateBitForBit(String fixture) {
    try (Scope scope = TestDevice.open()) {
      Tensor straight = scope.of(Fixture.doubles(fixture + ".start"), WIDTH);
      Tensor broken = Layout.copy(scope, straight);
      try (Optimizer optimizer = open(fixture, List.of(straight))) {
        for (int step = 0; step < STEPS; step++) {
          step(scope, fixture, optimizer, step);
        }
      }
      try (Optimizer first = open(fixture, List.of(broken))) {
        step(scope, fixture, first, 0);
        step(scope, fixture, first, 1);
        try (Optimizer second = open(fixture, List.of(broken))) {
          second.restore(first.state(), first.steps());
          for (int step = 2; step < STEPS; step++) {
            step(scope, fixture, second, step);
          }
          assertThat(second.steps()).isEqualTo(STEPS);
        }
      }
      assertThat(broken.toDoubles()).containsExactly(straight.toDoubles());
    }
  }

  private static void step(Scope scope, String fixture, Optimizer optimizer, int step) {
    optimizer.step(List.of(scope.of(row(fixture + ".grads", step), WIDTH)), 0.05);
  }

  @ParameterizedTest
  @ValueSource(strings = {"clip", "clip_not_met"})
  void clipsByTheJointNorm(String fixture) {
    double max = Fixture.settings(fixture).get("max_norm").asDouble();
    try (Scope scope = TestDevice.open()) {
      List<Tensor> gradients =
          List.of(
              scope.of(Fixture.doubles(fixture + ".grad_0"), 3, 4),
              scope.of(Fixture.doubles(fixture + ".grad_1"), 5));
      double norm = Clip.norm(scope, gradients);
      assertThat(norm).isCloseTo(Fixture.doubles(fixture + ".norm")[0], within(1e-12));
      List<Tensor> clipped = Clip.clip(scope, gradients, norm, max);
      for (int i = 0; i < 2; i++) {
        assertThat(clipped.get(i).toDoubles())
            .containsExactly(Fixture.doubles(fixture + ".clipped_" + i), within(1e-12));
        assertThat(gradients.get(i).toDoubles())
            .as("not changed")
            .containsExactly(Fixture.doubles(fixture + ".grad_" + i));
      }
      if (fixture.equals("clip_not_met")) {
        assertThat(clipped).isSameAs(gradients);
      }
      assertThat(Clip.clip(scope, gradients, norm, 0)).as("0 is no limit").isSameAs(gradients);
    }
  }

  @ParameterizedTest
  @EnumSource(Schedule.Shape.class)
  void schedulesAreThoseOfTransformers(Schedule.Shape shape) {
    int compared = 0;
    for (JsonNode row : Fixture.json("schedules.json").get("schedules")) {
      if (row.get("name").asString().equals(shape.name().toLowerCase(Locale.ROOT))) {
        Schedule schedule =
            new Schedule(shape, 0.4, row.get("warmup").asInt(), row.get("total").asInt());
        JsonNode factors = row.get("factors");
        for (int step = 0; step < factors.size(); step++) {
          assertThat(schedule.at(step))
              .as("%s", step)
              .isCloseTo(0.4 * factors.get(step).asDouble(), within(1e-12));
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(40);
  }
}
