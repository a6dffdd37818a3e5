package dev.gatun.models.train;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.AdaptedTask;
import dev.gatun.models.Parity;
import dev.gatun.models.TaskCases;
import dev.gatun.models.TestDevice;
import dev.gatun.models.baseline.Adapters;
import dev.gatun.models.baseline.BitFit;
import dev.gatun.models.baseline.Bottlenecks;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.TrainResult.End;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Heads of tasks trained by the trainer that trains language models.
class TaskTrainingTest {
  private static final Dropout HIDDEN_KEY =
      Dropout.hiddenKey(0.2, 0.1, 1.5).withLayers(Dropout.Layers.ALL);

  @BeforeAll
  static void oneThread() {
    Backend.setThreads(1);
  }

  private static TrainOptions settings(String name) throws IOException {
    Path file = Parity.model(name).resolve("train/settings.json");
    JsonNode json = StrictJson.read(file, 10_000);
    return new TrainOptions(
        new LanguageModelLoss.Options(Dropout.NONE, 0, false, false),
        new AdamW.Config(
            json.path("betas").path(0).asDouble(),
            json.path("betas").path(1).asDouble(),
            json.path("eps").asDouble(),
            json.path("weight_decay").asDouble()),
        new Schedule(
            Schedule.Shape.CONSTANT, json.path("lr").asDouble(), 0, json.path("steps").asInt()),
        0,
        Runs.inOrder(json.path("micro_batch").asInt(), json.path("accumulation").asInt()),
        0,
        0,
        0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "roberta-qa", "deberta-v3", "llama-score"})
  void tenStepsEqualThoseOfPeft(String name) throws IOException {
    SafetensorsFile expected = AdaptedTask.run(name);
    double[] losses = Parity.doubles(expected, "losses");
    double[] norms = Parity.doubles(expected, "grad_norms");
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F32)) {
      Runs.Reports reports = new Runs.Reports();
      new Trainer(adapted.model(), adapted.adapter(), settings(name), null)
          .run(Runs.data(AdaptedTask.rows(name)), null, false, reports);
      assertThat(reports.steps).hasSize(10);
      for (int i = 0; i < 10; i++) {
        StepReport step = reports.steps.get(i);
        assertThat(step.loss()).as("loss %d", i).isCloseTo(losses[i], within(2e-5));
        assertThat(step.gradNorm()).as("norm %d", i).isCloseTo(norms[i], within(1e-4 * norms[i]));
      }
      for (Map.Entry<String, double[]> each : adapted.values().entrySet()) {
        if (isWithoutGradient(each.getKey())) {
          continue;
        }
        double[] reference = Parity.doubles(expected, "final." + each.getKey());
        assertThat(Parity.distance(each.getValue(), reference)).as(each.getKey()).isLessThan(1e-4);
      }
    }
  }

  /// A bias of all positions' scores changes no softmax over positions; AdamW makes steps of its
  /// rounding.
  private static boolean isWithoutGradient(String key) {
    return key.endsWith("qa_outputs.bias");
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "roberta-qa", "deberta-v3", "llama-score"})
  void gradientsOfTheFirstStepEqualThoseOfPeft(String name) throws IOException {
    SafetensorsFile expected = AdaptedTask.run(name);
    Batch batch = Batch.of(AdaptedTask.rows(name).subList(0, 4), 0);
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F32)) {
      for (boolean checkpointing : new boolean[] {false, true}) {
        Map<String, double[]> gradients =
            adapted.gradients(scope ->
                adapted
                    .loss(Dropout.NONE, 0, checkpointing, false)
                    .of(scope, batch, 0, 0.25)
                    .total());
        for (Map.Entry<String, double[]> each : gradients.entrySet()) {
          if (isWithoutGradient(each.getKey())) {
            assertThat(each.getValue()).containsExactly(new double[] {0, 0}, within(1e-6));
            continue;
          }
          double[] reference = Parity.doubles(expected, "grad." + each.getKey());
          assertThat(Parity.distance(each.getValue(), reference))
              .as(each.getKey())
              .isLessThan(1e-4);
        }
      }
    }
  }

  private static TrainOptions options(Dropout dropout, boolean oneBatch, int steps) {
    return new TrainOptions(
        new LanguageModelLoss.Options(dropout, 7, false, oneBatch),
        AdamW.Config.defaults(),
        new Schedule(Schedule.Shape.CONSTANT, 0.01, 0, steps),
        0,
        new BatchOptions(2, 2, true, true, false, 64, 11),
        0,
        0,
        0);
  }

  private static Dropout method(String name) {
    return switch (name) {
      case "hiddenkey" -> HIDDEN_KEY;
      case "both" -> HIDDEN_KEY.withBothBranches(true);
      case "js" -> HIDDEN_KEY.withAgreement(Agreement.JS, 0.7);
      case "js-twice" -> HIDDEN_KEY.withAgreement(Agreement.JS, 0.7).withInstances(2);
      case "lora-dropout" -> Dropout.loraDropout(0.3, 3);
      case "lora-dropout-kl" ->
          Dropout.loraDropout(0.3, 2).withAgreement(Agreement.KL, 1).withBothBranches(true);
      case "output" -> Dropout.of(Mask.of(Position.OUTPUT, 0.2), Mask.of(Position.INPUT, 0.1));
      default -> throw new AssertionError(name);
    };
  }

  /// Branches in one batch, gradient checkpointing and a batch cut in two are the same step.
  @ParameterizedTest
  @CsvSource({
    "roberta,hiddenkey",
    "roberta,both",
    "roberta,js",
    "roberta,js-twice",
    "roberta,lora-dropout",
    "roberta,lora-dropout-kl",
    "roberta,output",
    "xlm-roberta,hiddenkey",
    "roberta-qa,hiddenkey",
    "roberta-qa,js-twice",
    "deberta-v3,both",
    "deberta-v3,lora-dropout",
    "deberta-v3,lora-dropout-kl",
    "deberta-qa,hiddenkey",
    "llama-score,hiddenkey",
    "gpt2-score,lora-dropout-kl"
  })
  void howAStepIsDividedDoesNotMatter(String name, String method) throws IOException {
    List<Example> rows = AdaptedTask.rows(withRun(name)).subList(0, 4);
    Dropout dropout = method(method);
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F64)) {
      Batch whole = Batch.of(rows, 0);
      Map<String, double[]> expected =
          adapted.gradients(
              s -> adapted.loss(dropout, 3, false, false).of(s, whole, 5, 0.25).total());
      Map<String, double[]> checkpointed =
          adapted.gradients(
              s -> adapted.loss(dropout, 3, true, false).of(s, whole, 5, 0.25).total());
      Map<String, double[]> together =
          adapted.gradients(
              s -> adapted.loss(dropout, 3, false, true).of(s, whole, 5, 0.25).total());
      Map<String, double[]> first =
          adapted.gradients(s ->
              adapted
                  .loss(dropout, 3, false, false)
                  .of(s, Batch.of(rows.subList(0, 1), 0), 5, 0.25)
                  .total());
      Map<String, double[]> second =
          adapted.gradients(s ->
              adapted
                  .loss(dropout, 3, false, false)
                  .of(s, Batch.of(rows.subList(1, 4), 1), 5, 0.25)
                  .total());
      expected.forEach((key, values) -> {
        double bound = 1e-10;
        assertThat(checkpointed.get(key)).as(key).containsExactly(values, within(bound));
        assertThat(together.get(key)).as(key).containsExactly(values, within(bound));
        double[] sum = requireNonNull(first.get(key)).clone();
        for (int i = 0; i < sum.length; i++) {
          sum[i] += requireNonNull(second.get(key))[i];
        }
        assertThat(sum).as(key).containsExactly(values, within(bound));
      });
    }
  }

  /// Names a model of the same task whose rows a run was made with.
  private static String withRun(String name) {
    return switch (name) {
      case "deberta-qa" -> "roberta-qa";
      case "gpt2-score" -> "llama-score";
      default -> name;
    };
  }

  @ParameterizedTest
  @CsvSource({
    "roberta,hiddenkey",
    "xlm-roberta,js",
    "roberta-qa,both",
    "deberta-v3,lora-dropout",
    "llama-score,hiddenkey"
  })
  void runsSideBySideWithHeadsOfTheirOwnEqualRunsAlone(String name, String method)
      throws IOException {
    Dataset data = Runs.data(AdaptedTask.rows(name));
    try (TaskModel model = TaskCases.read(name).open(DType.F64, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      List<Dropout> dropouts = List.of(Dropout.NONE, method(method), Dropout.dropKey(0.3));
      List<SideBySide.Run> runs = new ArrayList<>();
      List<LoraAdapter> alone = new ArrayList<>();
      List<TrainResult> expected = new ArrayList<>();
      for (int i = 0; i < dropouts.size(); i++) {
        TrainOptions options = options(dropouts.get(i), false, 3);
        runs.add(new SideBySide.Run(fresh(scope, model, i), options, data, null));
        LoraAdapter own = fresh(scope, model, i);
        expected.add(new Trainer(model, own, options, null).run(data, null, false, Runs.SILENT));
        alone.add(own);
      }
      List<TrainResult> found = SideBySide.train(model, runs, (run, report) -> {});
      for (int i = 0; i < dropouts.size(); i++) {
        Map<String, dev.gatun.runtime.Tensor> parameters = runs.get(i).trained().parameters();
        assertThat(found.get(i).losses()).hasSize(3);
        for (int step = 0; step < 3; step++) {
          assertThat(found.get(i).losses().get(step))
              .isCloseTo(expected.get(i).losses().get(step), within(1e-9));
          assertThat(found.get(i).divergences().get(step))
              .isCloseTo(expected.get(i).divergences().get(step), within(1e-9));
        }
        alone
            .get(i)
            .parameters()
            .forEach((key, tensor) ->
                assertThat(Parity.doubles(requireNonNull(parameters.get(key))))
                    .as(key)
                    .containsExactly(Parity.doubles(tensor), within(1e-6)));
      }
      assertThat(found.get(0).losses()).isNotEqualTo(found.get(1).losses());
    }
  }

  private static LoraAdapter fresh(Scope scope, TaskModel model, long seed) {
    return LoraAdapter.create(
        scope, model, LoraConfig.of(2, 4, new TargetModules.AllLinear()), seed);
  }

  @ParameterizedTest
  @CsvSource({"roberta,2", "roberta-qa,3", "deberta-v3,1"})
  void cancelledRunGoesOn(String name, int step, @TempDir Path checkpoints) throws IOException {
    Runs.Reports whole = new Runs.Reports();
    Map<String, double[]> expected = trained(name, null, whole);
    trained(name, checkpoints, report -> report.step() != step);
    Runs.Reports rest = new Runs.Reports();
    Map<String, double[]> found = trained(name, checkpoints, rest);
    assertThat(rest.steps).hasSize(5 - step);
    if (TestDevice.DEVICE.isCuda() && name.startsWith("deberta")) {
      // on a GPU libtorch adds the gradients of shared positions in no fixed order
      assertThat(rest.steps.getLast().loss()).isCloseTo(whole.steps.getLast().loss(), within(1e-5));
      return;
    }
    assertThat(rest.steps.getLast().loss()).isEqualTo(whole.steps.getLast().loss());
    expected.forEach((key, values) -> assertThat(found.get(key)).as(key).isEqualTo(values));
  }

  private static Map<String, double[]> trained(
      String name, @org.jspecify.annotations.Nullable Path checkpoints, TrainListener listener)
      throws IOException {
    Dataset data = Runs.data(AdaptedTask.rows(name));
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F32)) {
      new Trainer(adapted.model(), adapted.adapter(), options(HIDDEN_KEY, false, 5), checkpoints)
          .run(data, data, true, listener);
      return adapted.values();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "roberta,lora",
    "roberta,dora",
    "roberta,adalora",
    "roberta,bitfit",
    "roberta,houlsby",
    "roberta,pfeiffer",
    "roberta,full",
    "deberta-v3,houlsby",
    "deberta-v3,dora",
    "deberta-v3,bitfit",
    "xlm-roberta,pfeiffer",
    "roberta-qa,adalora",
    "roberta-qa,bitfit",
    "llama-score,lora",
    "gpt2-score,bitfit",
    "llama-score,houlsby"
  })
  void eachMethodLearnsAndIsReadBack(String name, String method, @TempDir Path directory)
      throws IOException {
    Dataset data = Runs.data(AdaptedTask.rows(withRun(name)));
    ModelDirectory base = ModelDirectory.read(Parity.model(name));
    Use use = method.equals("full") ? Use.TRAINED : Use.FROZEN;
    Evaluation after;
    try (TaskModel model = TaskCases.read(name).open(DType.F32, use);
        Scope scope = TestDevice.open()) {
      Trained trained = make(method, scope, base, model);
      TrainResult result =
          new Trainer(model, trained, options(Dropout.hiddenCut(0.05), false, 30), null)
              .run(data, null, false, Runs.SILENT);
      assertThat(result.end()).isEqualTo(End.COMPLETED);
      after = Evaluation.of(model, trained, data, done -> {});
      Evaluation before = Evaluation.of(model, PassAddition.NONE, data, done -> {});
      if (use == Use.FROZEN) {
        assertThat(after.loss()).isLessThan(0.85 * before.loss());
      }
      trained.save(directory);
    }
    ModelDirectory source = use == Use.FROZEN ? base : ModelDirectory.read(directory);
    try (TaskModel model =
            source.openTask(
                requireNonNull(source.task()), TestDevice.DEVICE, DType.F32, Use.FROZEN, 0);
        Scope scope = TestDevice.open()) {
      PassAddition back =
          use == Use.FROZEN ? Adapters.load(scope, model, directory) : PassAddition.NONE;
      Evaluation again = Evaluation.of(model, back, data, done -> {});
      assertThat(again.loss()).isCloseTo(after.loss(), within(1e-6));
    }
  }

  private static Trained make(String method, Scope scope, ModelDirectory base, TaskModel model) {
    LoraConfig plain = LoraConfig.of(3, 6, new TargetModules.AllLinear());
    return switch (method) {
      case "lora" -> LoraAdapter.create(scope, model, plain, 1);
      case "dora" -> LoraAdapter.create(scope, model, plain.withVariant(new LoraVariant.Dora()), 1);
      case "adalora" ->
          LoraAdapter.create(
              scope,
              model,
              plain.withVariant(new LoraVariant.AdaLora(2, 5, 5, 1, 0.85, 0.85, 0.5, 30, Map.of())),
              1);
      case "bitfit" -> BitFit.create(scope, model);
      case "houlsby" -> Bottlenecks.create(scope, model, Bottlenecks.Kind.HOULSBY, 4, 1);
      case "pfeiffer" -> Bottlenecks.create(scope, model, Bottlenecks.Kind.PFEIFFER, 4, 1);
      default -> new FullWeights(base, model);
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"roberta", "xlm-roberta", "roberta-qa", "llama-score"})
  void evaluationGivesTheOutputsOfEachRowInItsOrder(String name) throws IOException {
    List<Example> rows = AdaptedTask.rows(name);
    Dataset data = Runs.data(rows);
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F64)) {
      Evaluation all = Evaluation.of(adapted.model(), adapted.adapter(), data, done -> {});
      assertThat(all.tokens()).isEqualTo(rows.size());
      double sum = 0;
      for (int i = 0; i < rows.size(); i++) {
        Evaluation one =
            Evaluation.of(
                adapted.model(), adapted.adapter(), Runs.data(rows.subList(i, i + 1)), done -> {});
        assertThat(all.outputs().get(i)).containsExactly(one.outputs().getFirst(), within(1e-6f));
        sum += one.loss();
      }
      assertThat(all.loss()).isCloseTo(sum / rows.size(), within(1e-9));
      Loss.Value value =
          adapted.loss(Dropout.NONE, 0, false, false).of(adapted.scope(), Batch.of(rows, 0), 0, 1);
      assertThat(all.loss()).isCloseTo(value.task() / rows.size(), within(1e-9));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "roberta,LOGITS",
    "roberta,PROBABILITIES",
    "xlm-roberta,PROBABILITIES",
    "roberta-qa,PROBABILITIES",
    "deberta-v3,LOGITS"
  })
  void ensembleIsTheMeanOfItsMembers(String name, Evaluation.Average average) throws IOException {
    Dataset data = Runs.data(AdaptedTask.rows(name).subList(0, 3));
    try (AdaptedTask adapted = AdaptedTask.open(name, DType.F64)) {
      Evaluation one = ensemble(adapted, data, 1, average);
      Evaluation three = ensemble(adapted, data, 3, average);
      Evaluation logits = ensemble(adapted, data, 1, Evaluation.Average.LOGITS);
      assertThat(three.outputs().getFirst()).isNotEqualTo(one.outputs().getFirst());
      if (name.equals("xlm-roberta")) {
        assertThat(three.outputs())
            .usingRecursiveComparison()
            .isEqualTo(ensemble(adapted, data, 3, Evaluation.Average.LOGITS).outputs());
        return;
      }
      assertThat(one.loss()).isCloseTo(logits.loss(), within(1e-9));
      // cross-entropy is convex, so the ensemble is not worse than its members' mean
      Loss.Value members =
          new LanguageModelLoss(
                  adapted.model(),
                  adapted.adapter(),
                  new LanguageModelLoss.Options(Dropout.loraDropout(0.4, 3), 5, false, false))
              .of(adapted.scope(), Batch.of(data.examples(), 0), 0, 1);
      assertThat(three.loss()).isLessThan(members.task() / data.size());
    }
  }

  private static Evaluation ensemble(
      AdaptedTask adapted, Dataset data, int draws, Evaluation.Average average) {
    return Evaluation.ensemble(
        adapted.model(),
        adapted.adapter(),
        data,
        Dropout.loraDropout(0.4, draws),
        5,
        average,
        done -> {});
  }

  @Test
  void labelsOfAnotherTaskAreRefused() throws IOException {
    Dataset numbers = Runs.data(AdaptedTask.rows("xlm-roberta"));
    Dataset answers = Runs.data(AdaptedTask.rows("roberta-qa"));
    Dataset tokens = Runs.data(List.of(new Example(0, 0, new int[] {5, 6, 7}, null)));
    try (AdaptedTask adapted = AdaptedTask.open("roberta", DType.F32)) {
      assertThatThrownBy(() -> evaluate(adapted, numbers))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "classification: found data with a quantity, expected a category of each row");
      assertThatThrownBy(() -> evaluate(adapted, answers))
          .hasMessage("classification: found data with a span, expected a category of each row");
      assertThatThrownBy(() -> evaluate(adapted, tokens))
          .hasMessage(
              "classification: found data with tokens to predict, expected a category of each row");
    }
    try (AdaptedModel writer = AdaptedModel.open("llama", DType.F32)) {
      assertThatThrownBy(() -> Evaluation.of(writer.model(), writer.adapter(), numbers, done -> {}))
          .hasMessage(
              "language model: found data with labels of whole rows, expected tokens to predict");
    }
    List<Example> mixed = List.of(tokens.examples().getFirst(), numbers.examples().getFirst());
    assertThatThrownBy(() -> Batch.of(mixed, 0))
        .hasMessage("batch: found 1 examples of 2 with labels as a whole, expected all or none");
  }

  private static void evaluate(AdaptedTask adapted, Dataset data) {
    Evaluation.of(adapted.model(), adapted.adapter(), data, done -> {});
  }

  @Test
  void adapterThatChangesMoreThanTheHeadDoesNotGoSideBySide() throws IOException {
    Dataset data = Runs.data(AdaptedTask.rows("roberta"));
    try (TaskModel model = TaskCases.read("roberta").open(DType.F32, Use.FROZEN);
        Scope scope = TestDevice.open()) {
      TrainOptions options = options(Dropout.NONE, false, 1);
      for (Trained other :
          List.of(
              BitFit.create(scope, model),
              Bottlenecks.create(scope, model, Bottlenecks.Kind.PFEIFFER, 4, 1))) {
        List<SideBySide.Run> runs =
            List.of(
                new SideBySide.Run(fresh(scope, model, 1), options, data, null),
                new SideBySide.Run(other, options, data, null));
        assertThatThrownBy(() -> SideBySide.train(model, runs, (run, report) -> {}))
            .hasMessageContaining("found one that changes the model for all rows");
      }
    }
  }
}
