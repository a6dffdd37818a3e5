package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.peft.InvalidSettingException;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.LoraVariant.AdaLora;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// AdaLoRA beside what [LoraParityTest] checks of every adapter, and the course that
/// `AdaLoraCurveTest` compares with peft's.
class AdaLoraTest {
  private static final AdaLora SETTINGS = new AdaLora(2, 2, 3, 2, 0.85, 0.85, 0.5, 12, Map.of());

  private static LoraConfig config(int rank, AdaLora settings) {
    return LoraConfig.of(rank, 8, new TargetModules.AllLinear()).withVariant(settings);
  }

  @MustBeClosed
  private static CausalLm open(String name) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void newAdapterChangesNothingYet(String name) throws IOException {
    int[] ids = Parity.examples(name).getLast().ids();
    try (CausalLm model = open(name);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.create(scope, model, config(4, SETTINGS), 1);
      assertThat(Parity.logits(scope, model, adapter, ids).toFloats())
          .isEqualTo(Parity.logits(scope, model, PassAddition.NONE, ids).toFloats());
      double squares = 0;
      long count = 0;
      for (Map.Entry<String, Tensor> each : adapter.parameters().entrySet()) {
        float[] values = each.getValue().toFloats();
        if (each.getKey().endsWith(".lora_E")) {
          assertThat(values).hasSize(4).containsOnly(0);
        } else {
          for (float value : values) {
            squares += value * value;
          }
          count += values.length;
        }
      }
      assertThat(Math.sqrt(squares / count)).isCloseTo(0.02, within(0.001));
    }
  }

  @Test
  void budgetFallsFromTheInitialToTheTargetNumber() {
    int before = 40;
    for (int step = 1; step <= 12; step++) {
      int budget = SETTINGS.budget(step, 40, 20);
      assertThat(budget).isBetween(20, before);
      before = budget;
    }
    assertThat(SETTINGS.budget(2, 40, 20)).isEqualTo(40);
    // 1 - 2/7 to the third is 0.364, of 20
    assertThat(SETTINGS.budget(4, 40, 20)).isEqualTo(27);
    assertThat(SETTINGS.budget(9, 40, 20)).isEqualTo(20);
    assertThat(SETTINGS.budget(12, 40, 20)).isEqualTo(20);
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,false", "3,false", "4,true", "7,false", "8,true", "9,true", "10,false"})
  void ranksAreChosenAtTheIntervalAndAtTheEnd(int step, boolean expected) {
    assertThat(SETTINGS.choosesAfter(step)).isEqualTo(expected);
  }

  @Test
  void maskedTripletComesBackWhereItMattersAgain() {
    AdaLora settings = new AdaLora(1, 0, 1, 1, 0.5, 0.5, 0, 6, Map.of());
    try (Scope scope = TestDevice.open()) {
      Tensor q = scope.full(1, DType.F32, 2, 3);
      Tensor lambda = scope.full(1, DType.F32, 2, 1);
      Tensor p = scope.full(1, DType.F32, 4, 2);
      RankAllocation ranks =
          new RankAllocation(
              scope, settings, List.of(new RankAllocation.Triplets("layer", q, lambda, p)));
      assertThat(ranks.kept()).isEmpty();
      afterStep(ranks, 1, lambda, 1, 0.1f);
      assertThat(ranks.kept()).isEqualTo(Map.of("layer", List.of(true, false)));
      assertThat(lambda.toFloats()).containsExactly(1, 0);
      // the optimizer moves it away from zero
      Layout.copyInPlace(lambda, scope.of(new float[] {1, 2}, 2, 1));
      afterStep(ranks, 2, lambda, 0.01f, 5);
      assertThat(ranks.kept()).isEqualTo(Map.of("layer", List.of(false, true)));
      assertThat(lambda.toFloats()).containsExactly(0, 2);
    }
  }

  private static void afterStep(RankAllocation ranks, int step, Tensor lambda, float... gradients) {
    try (Scope scope = TestDevice.open()) {
      Tensor ofLambda = scope.of(gradients, 2, 1);
      ranks.afterStep(
          step,
          tensor -> tensor == lambda ? ofLambda : scope.zeros(tensor.dtype(), tensor.shape()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0,2,3,2,0.85,0.5,12,target_r",
    "2,-1,3,2,0.85,0.5,12,tinit",
    "2,2,-1,2,0.85,0.5,12,tfinal",
    "2,2,3,0,0.85,0.5,12,deltaT",
    "2,2,3,2,1,0.5,12,beta1",
    "2,2,3,2,0,0.5,12,beta1",
    "2,2,3,2,0.85,-1,12,orth_reg_weight",
    "2,2,3,2,0.85,0.5,5,total_step",
    "2,2,3,2,0.85,0.5,0,total_step"
  })
  void settingsOutOfRangeAreRefusedByPeftsName(
      int target,
      int first,
      int last,
      int every,
      double beta,
      double weight,
      int total,
      String name) {
    assertThatThrownBy(
            () -> new AdaLora(target, first, last, every, beta, beta, weight, total, Map.of()))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageStartingWith(name + ": found ");
  }

  @Test
  void targetAboveTheInitialRankCannotBeTrained() throws IOException {
    try (CausalLm model = open("llama");
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.create(scope, model, config(1, SETTINGS), 1);
      assertThatThrownBy(adapter::state)
          .isInstanceOf(InvalidSettingException.class)
          .hasMessage("target_r: found 2, expected at most the initial ranks, whose mean is 1.0");
    }
  }

  @Test
  void penaltyOfThePaperIsTheSumOfSquares() throws IOException {
    try (CausalLm model = open("gpt2");
        Scope scope = TestDevice.open()) {
      LoraAdapter peft = LoraAdapter.create(scope, model, config(4, SETTINGS), 1);
      LoraAdapter paper = peft.with(new LoraTraining(1, 0, true));
      double ofPeft = value(peft);
      double ofPaper = value(paper);
      double sum = 0;
      double squares = 0;
      int count = 0;
      for (Map.Entry<String, Tensor> each : peft.parameters().entrySet()) {
        if (!each.getKey().endsWith(".lora_E")) {
          boolean columns = each.getKey().endsWith(".lora_B");
          double norm = Penalties.orthogonality(scope, each.getValue(), columns, 1, false).item();
          sum += norm;
          squares += norm * norm;
          count++;
        }
      }
      assertThat(ofPeft).isCloseTo(0.5 * sum / count, within(1e-5));
      assertThat(ofPaper).isCloseTo(0.5 * squares, within(1e-4));
    }
  }

  private static double value(LoraAdapter adapter) {
    try (Tape tape = Tape.open(adapter.parameters().values())) {
      return requireNonNull(adapter.penalty(tape)).item();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void prunedAdapterOfPeftIsWrittenAsItWasRead(String name, @TempDir Path directory)
      throws IOException {
    Path source = Parity.model(name).resolve("adapters/adalora");
    try (CausalLm model = open(name);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter = LoraAdapter.load(scope, model, source);
      List<Integer> ranks =
          adapter.match().targets().stream().map(LoraTarget::rank).distinct().sorted().toList();
      assertThat(ranks).contains(0, 5).hasSizeGreaterThan(2);
      assertThat(adapter.match().targets())
          .allSatisfy(target -> assertThat(target.scaling()).isEqualTo(8 / 5.00001));
      adapter.save(directory);
      assertThat(directory.resolve("adapter_model.safetensors"))
          .hasSameBinaryContentAs(source.resolve("adapter_model.safetensors"));
      assertThat(LoraAdapter.load(scope, model, directory).match()).isEqualTo(adapter.match());
      assertThatThrownBy(() -> adapter.savePortable(directory))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessage("peft_type: found ADALORA, expected LORA, to be portable");
    }
  }

  @Test
  void settingsThatDoNotGoWithAdaLoraAreRefused() {
    LoraConfig plain = LoraConfig.of(4, 8, new TargetModules.AllLinear());
    LoraVariant variant = SETTINGS;
    assertThatThrownBy(() ->
            plain.withScaling(4, 8, Map.of("q_proj", 2), Map.of(), false).withVariant(variant))
        .hasMessage("rank_pattern: found {q_proj=2}, expected none with AdaLoRA");
    assertThatThrownBy(() -> plain.withScaling(4, 8, Map.of(), Map.of(), true).withVariant(variant))
        .hasMessage("use_rslora: found true, expected none with AdaLoRA");
  }
}
