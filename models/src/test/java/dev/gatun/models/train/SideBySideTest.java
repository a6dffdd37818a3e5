package dev.gatun.models.train;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Pattern;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Runs that share each pass become what they would alone.
class SideBySideTest {
  private static final List<Dropout> METHODS =
      List.of(
          Dropout.NONE,
          Dropout.hiddenKeyMinus(0.2, 0.1).withLayers(Dropout.Layers.ALL),
          Dropout.hiddenKey(0.2, 0.1, 1),
          Dropout.hiddenKeyMinus(0.1, 0.1).withAgreement(Agreement.JS, 0.5),
          Dropout.of(Mask.of(Position.KEY, Pattern.ELEMENT, 0.2), Mask.of(Position.WEIGHT, 0.2)),
          Dropout.loraDropout(0.3, 3));

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  /// Seeds, data, its order, batch sizes, rates, lengths: all differ.
  private static SideBySide.Run run(Scope owner, CausalLm model, int number) throws IOException {
    Dataset data = Runs.rows("llama", number, 12 + number);
    TrainOptions options =
        new TrainOptions(
            new LanguageModelLoss.Options(METHODS.get(number), 100 + number, false, false),
            AdamW.Config.defaults().withWeightDecay(0.01 * number),
            new Schedule(Schedule.Shape.LINEAR, 0.003 * (1 + number), 1, 4 + number % 3),
            number % 2,
            new BatchOptions(1 + number % 3, 1 + number % 2, true, true, false, 1, number),
            2,
            0,
            0);
    LoraConfig config = LoraConfig.of(2 + number, 8, new TargetModules.AllLinear());
    return new SideBySide.Run(
        LoraAdapter.create(owner, model, config, number), options, data, data);
  }

  @Test
  void runsSideBySideEqualRunsAlone() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope owner = TestDevice.open()) {
      List<SideBySide.Run> runs = new ArrayList<>();
      List<TrainResult> alone = new ArrayList<>();
      List<SideBySide.Run> single = new ArrayList<>();
      for (int i = 0; i < METHODS.size(); i++) {
        runs.add(run(owner, model, i));
        SideBySide.Run one = run(owner, model, i);
        single.add(one);
        alone.add(
            new Trainer(model, one.trained(), one.options(), null)
                .run(one.train(), one.heldOut(), false, report -> true));
      }
      List<List<StepReport>> reports = new ArrayList<>();
      runs.forEach(run -> reports.add(new ArrayList<>()));
      List<TrainResult> together =
          SideBySide.train(model, runs, (run, report) -> reports.get(run).add(report));
      for (int i = 0; i < runs.size(); i++) {
        double[] expected = alone.get(i).losses().stream().mapToDouble(d -> d).toArray();
        double[] found = together.get(i).losses().stream().mapToDouble(d -> d).toArray();
        assertThat(found).as("run %d", i).containsExactly(expected, within(2e-5));
        assertThat(together.get(i).divergences().stream().mapToDouble(d -> d).toArray())
            .containsExactly(
                alone.get(i).divergences().stream().mapToDouble(d -> d).toArray(), within(2e-5));
        assertThat(together.get(i).evaluations()).hasSameSizeAs(alone.get(i).evaluations());
        for (int e = 0; e < alone.get(i).evaluations().size(); e++) {
          assertThat(together.get(i).evaluations().get(e).loss())
              .isCloseTo(alone.get(i).evaluations().get(e).loss(), within(2e-5));
        }
        assertThat(reports.get(i)).hasSize(runs.get(i).options().steps());
        var parameters = single.get(i).trained().parameters();
        runs.get(i)
            .trained()
            .parameters()
            .forEach((name, tensor) ->
                assertThat(
                        Parity.distance(
                            Parity.doubles(tensor),
                            Parity.doubles(requireNonNull(parameters.get(name)))))
                    .as(name)
                    .isLessThan(1e-3));
      }
    }
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() throws IOException {
    try (CausalLm model =
            ModelDirectory.read(Parity.model("llama"))
                .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
        Scope owner = TestDevice.open()) {
      assertThatThrownBy(() -> SideBySide.train(model, List.of(), (run, report) -> {}))
          .hasMessage("side by side: found no runs, expected at least one");
      SideBySide.Run one = run(owner, model, 0);
      TrainOptions options = one.options();
      TrainOptions again =
          new TrainOptions(
              new LanguageModelLoss.Options(Dropout.NONE, 1, true, false),
              options.adamW(),
              options.schedule(),
              0,
              options.batches(),
              0,
              0,
              0);
      SideBySide.Run other = new SideBySide.Run(one.trained(), again, one.train(), null);
      assertThatThrownBy(() -> SideBySide.train(model, List.of(one, other), (run, report) -> {}))
          .hasMessageContaining("gradient checkpointing");
      TrainOptions stopping =
          new TrainOptions(
              options.lossOptions(),
              options.adamW(),
              options.schedule(),
              0,
              options.batches(),
              1,
              0,
              2);
      assertThatThrownBy(() -> new SideBySide.Run(one.trained(), stopping, one.train(), null))
          .hasMessage("side by side: found early stopping or checkpoints, expected neither");
    }
  }
}
