package dev.gatun.models.baseline;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.TrainResult;
import dev.gatun.models.train.Trained;
import dev.gatun.models.train.Trainer;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Trained biases and bottlenecks: gradients, training, files.
class BaselinesTest {
  @MustBeClosed
  private static CausalLm open(String name, DType compute) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, compute, ModelDirectory.Use.FROZEN);
  }

  private static Trained create(String method, Scope scope, CausalLm model) {
    return switch (method) {
      case "bitfit" -> BitFit.create(scope, model);
      case "houlsby" -> Bottlenecks.create(scope, model, Bottlenecks.Kind.HOULSBY, 5, 1);
      default -> Bottlenecks.create(scope, model, Bottlenecks.Kind.PFEIFFER, 5, 1);
    };
  }

  private static void moveAll(Trained trained) {
    try (Scope scope = TestDevice.open()) {
      trained
          .parameters()
          .forEach((name, tensor) -> {
            Tensor moved =
                name.endsWith(".weight")
                    ? Elementwise.scale(scope, tensor, 30)
                    : Elementwise.add(scope, tensor, scope.full(0.1, tensor.dtype()));
            Layout.copyInPlace(tensor, moved);
          });
    }
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,bitfit",
    "qwen2,bitfit",
    "llama-bias,bitfit",
    "gpt2,houlsby",
    "llama,houlsby",
    "gpt2,pfeiffer",
    "llama,pfeiffer"
  })
  void gradientsEqualFiniteDifferences(String name, String method) throws IOException {
    Batch batch = Batch.of(Parity.examples(name), 0);
    try (CausalLm model = open(name, DType.F64);
        Scope scope = TestDevice.open()) {
      Trained trained = create(method, scope, model);
      moveAll(trained);
      LanguageModelLoss loss =
          new LanguageModelLoss(model, trained, LanguageModelLoss.Options.EVALUATION);
      Gradients gradients =
          Tape.gradients(
              scope, trained.parameters().values(), tape -> loss.of(tape, batch, 0, 0.1).total());
      trained
          .parameters()
          .forEach((key, tensor) -> {
            double[] found = requireNonNull(gradients.of(tensor), key).toDoubles();
            int at = found.length / 2;
            double value = tensor.toDoubles()[at];
            double[] around = new double[2];
            for (int i = 0; i < 2; i++) {
              double moved = value + (i == 0 ? 1e-5 : -1e-5);
              TestDevice.set(tensor, at, moved);
              around[i] = loss.of(scope, batch, 0, 0.1).total().item();
            }
            TestDevice.set(tensor, at, value);
            assertThat(found[at]).as(key).isCloseTo((around[0] - around[1]) / 2e-5, within(1e-7));
          });
      assertThat(
              trained.parameters().values().stream()
                  .mapToDouble(t -> largest(requireNonNull(gradients.of(t)).toDoubles())))
          .allSatisfy(each -> assertThat(each).isGreaterThanOrEqualTo(0))
          .anySatisfy(each -> assertThat(each).isGreaterThan(1e-3));
    }
  }

  private static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource({"gpt2,houlsby,1e-2", "llama,pfeiffer,1e-2", "gpt2,bitfit,0"})
  void newOnesChangeNextToNothing(String name, String method, double most) throws IOException {
    int[] ids = Parity.examples(name).getLast().ids();
    try (CausalLm model = open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      double[] plain = Parity.doubles(Parity.logits(scope, model, PassAddition.NONE, ids));
      Trained trained = create(method, scope, model);
      assertThat(Parity.distance(Parity.doubles(Parity.logits(scope, model, trained, ids)), plain))
          .isLessThanOrEqualTo(most);
      moveAll(trained);
      assertThat(Parity.distance(Parity.doubles(Parity.logits(scope, model, trained, ids)), plain))
          .isGreaterThan(0.01);
    }
  }

  @ParameterizedTest
  @CsvSource({"gpt2,bitfit", "gpt2,houlsby", "llama,houlsby", "llama,pfeiffer"})
  void countsOfTrainedParametersAreAsExpected(String name, String method) throws IOException {
    try (CausalLm model = open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      long c = model.head().value().size(1);
      long networks = model.layers() * (method.equals("houlsby") ? 2L : 1L);
      long expected =
          method.equals("bitfit")
              ? model.params().stream()
                  .filter(param -> param.name().endsWith(".bias"))
                  .mapToLong(param -> param.value().elements())
                  .sum()
              : networks * (2 * 5 * c + 5 + c);
      assertThat(
              create(method, scope, model).parameters().values().stream()
                  .mapToLong(Tensor::elements)
                  .sum())
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"gpt2,bitfit", "gpt2,houlsby", "llama,pfeiffer"})
  void trainedOnesAreSavedAndReadBackEqual(String name, String method, @TempDir Path directory)
      throws IOException {
    int[] ids = Parity.examples(name).getLast().ids();
    try (CausalLm model = open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      Trained trained = create(method, scope, model);
      TrainOptions options =
          new TrainOptions(
              new LanguageModelLoss.Options(Dropout.NONE, 0, true, false),
              TrainOptions.of(12, 0.02, 4, Dropout.NONE).adamW(),
              TrainOptions.of(12, 0.02, 4, Dropout.NONE).schedule(),
              1,
              BatchOptions.shuffled(4, 0),
              0,
              0,
              0);
      Dataset rows = new Dataset(AdaptedModel.trainingRows(name), 0, 0);
      TrainResult result =
          new Trainer(model, trained, options, null).run(rows, null, false, report -> true);
      assertThat(result.losses().getLast()).isLessThan(result.losses().getFirst());
      trained.save(directory);
      Trained again = Adapters.load(scope, model, directory);
      assertThat(again).hasSameClassAs(trained);
      assertThat(Parity.logits(scope, model, again, ids).toFloats())
          .isEqualTo(Parity.logits(scope, model, trained, ids).toFloats());
    }
  }

  @Test
  void peftsFormatIsReadBesideOurs() throws IOException {
    try (CausalLm model = open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      assertThat(Adapters.load(scope, model, Parity.model("llama").resolve("adapters/default")))
          .isInstanceOf(LoraAdapter.class);
    }
  }

  @Test
  void modelWithoutBiasesHasNothingToTrain() throws IOException {
    try (CausalLm model = open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      assertThatThrownBy(() -> BitFit.create(scope, model))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("bitfit: found a llama without biases, expected a model with some");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"format\":2,\"method\":\"houlsby\",\"model_type\":\"gpt2\",\"bottleneck\":5} | format: found 2,",
        "{\"format\":1,\"method\":\"other\",\"model_type\":\"gpt2\",\"bottleneck\":5} | method: found other,",
        "{\"format\":1,\"method\":\"houlsby\",\"model_type\":\"llama\",\"bottleneck\":5} | model_type: found llama,",
        "{\"format\":1,\"method\":\"houlsby\",\"model_type\":\"gpt2\",\"bottleneck\":0} | bottleneck: found 0,",
        "{\"format\":1,\"method\":\"houlsby\",\"model_type\":\"gpt2\"} | bottleneck: found none,",
        "{\"format\":1,\"method\":\"houlsby\",\"model_type\":\"gpt2\",\"bottleneck\":6} | tensor '",
        "{\"format\":1,\"method\":\"pfeiffer\",\"model_type\":\"gpt2\",\"bottleneck\":5} | tensor '",
        "{\"format\":1,\"method\":\"bitfit\",\"model_type\":\"gpt2\"} | tensor '",
        "{\"format\":1,\"method\":3,\"model_type\":\"gpt2\",\"bottleneck\":5} | method: found the number 3,",
        "{\"format\":1,\"method\":\"houlsby\",\"model_type\":\"gpt2\",\"width\":5} | keys: found [width],"
      })
  void filesThatDoNotFitAreRefusedInOneLine(String json, String message, @TempDir Path directory)
      throws IOException {
    try (CausalLm model = open("gpt2", DType.F32);
        Scope scope = TestDevice.open()) {
      create("houlsby", scope, model).save(directory);
      Files.writeString(directory.resolve("gatun_adapter.json"), json);
      assertThatThrownBy(() -> Adapters.load(scope, model, directory))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageContaining(message)
          .message()
          .doesNotContain("\n");
    }
  }
}
