package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.peft.InvalidSettingException;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Reduce;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// New adapters, what they may train, and several of them in one batch.
class LoraAdapterTest {
  private static LoraConfig config(LoraConfig.Init init, List<String> saved, String... targets) {
    LoraConfig plain = LoraConfig.of(4, 8, new TargetModules.Names(List.of(targets)));
    return new LoraConfig(
        plain.variant(),
        plain.r(),
        plain.alpha(),
        0,
        plain.selection(),
        Map.of(),
        Map.of(),
        false,
        LoraConfig.Bias.NONE,
        saved,
        init,
        false,
        plain.origin());
  }

  @MustBeClosed
  private static CausalLm open(String name, DType compute) throws IOException {
    return ModelDirectory.read(Parity.model(name))
        .open(TestDevice.DEVICE, compute, ModelDirectory.Use.FROZEN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-bias", "mistral", "qwen3"})
  void newAdapterChangesNothingYet(String name) throws IOException {
    int[] ids = Parity.examples(name).getLast().ids();
    try (CausalLm model = open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      LoraAdapter adapter =
          LoraAdapter.create(scope, model, LoraConfig.of(4, 8, new TargetModules.AllLinear()), 1);
      assertThat(Parity.logits(scope, model, adapter, ids).toFloats())
          .isEqualTo(Parity.logits(scope, model, PassAddition.NONE, ids).toFloats());
      long expected = model.linears().stream().mapToLong(l -> 4 * (l.inputs() + l.outputs())).sum();
      assertThat(adapter.parameters().values().stream().mapToLong(Tensor::elements).sum())
          .isEqualTo(expected);
    }
  }

  @Test
  void matricesStartAsInPeft() throws IOException {
    try (CausalLm model = open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      LoraConfig kaiming = config(LoraConfig.Init.KAIMING, List.of(), "q_proj", "down_proj");
      LoraAdapter adapter = LoraAdapter.create(scope, model, kaiming, 3);
      LoraAdapter same = LoraAdapter.create(scope, model, kaiming, 3);
      LoraAdapter other = LoraAdapter.create(scope, model, kaiming, 4);
      adapter
          .parameters()
          .forEach((key, tensor) -> {
            float[] values = tensor.toFloats();
            assertThat(requireNonNull(same.parameters().get(key)).toFloats()).isEqualTo(values);
            if (key.endsWith("lora_B.weight")) {
              assertThat(values).containsOnly(0);
              return;
            }
            assertThat(requireNonNull(other.parameters().get(key)).toFloats()).isNotEqualTo(values);
            float bound = (float) (1 / Math.sqrt((double) tensor.size(1)));
            float largest = 0;
            for (float value : values) {
              largest = Math.max(largest, Math.abs(value));
            }
            assertThat(largest).isBetween(0.9f * bound, bound);
          });
      LoraAdapter gaussian =
          LoraAdapter.create(
              scope, model, config(LoraConfig.Init.GAUSSIAN, List.of(), "q_proj", "v_proj"), 3);
      double squares = 0;
      int count = 0;
      for (Map.Entry<String, Tensor> each : gaussian.parameters().entrySet()) {
        if (each.getKey().endsWith("lora_A.weight")) {
          for (float value : each.getValue().toFloats()) {
            squares += value * value;
            count++;
          }
        }
      }
      assertThat(Math.sqrt(squares / count)).isCloseTo(0.25, within(0.02));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2,lm_head",
    "gpt2,wte",
    "qwen3,lm_head",
    "qwen3,embed_tokens",
    "llama-bias,embed_tokens"
  })
  void tiedHeadOrEmbeddingIsNotTrainedWhole(String name, String saved) throws IOException {
    String target = name.equals("gpt2") ? "c_attn" : "q_proj";
    try (CausalLm model = open(name, DType.F32);
        Scope scope = TestDevice.open()) {
      LoraConfig config = config(LoraConfig.Init.KAIMING, List.of(saved), target);
      assertThatThrownBy(() -> LoraAdapter.create(scope, model, config, 1))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageStartingWith("modules_to_save: found ")
          .hasMessageContaining(saved)
          .hasMessageContaining("tied");
    }
  }

  @Test
  void headIsNoTarget() throws IOException {
    try (CausalLm model = open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      LoraConfig config = config(LoraConfig.Init.KAIMING, List.of(), "q_proj", "lm_head");
      assertThatThrownBy(() -> LoraAdapter.create(scope, model, config, 1))
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageStartingWith("target_modules: found lm_head, expected ");
    }
  }

  @Test
  void embeddingHeadAndNormOfAnUntiedModelAreTrainedWhole(@TempDir Path target) throws IOException {
    Batch batch = Batch.of(Parity.examples("llama"), 0);
    try (CausalLm model = open("llama", DType.F64);
        Scope scope = TestDevice.open()) {
      // a name matches the end of a path, as in PEFT: "norm" is each of the nine norms
      List<String> saved = List.of("embed_tokens", "lm_head", "norm");
      LoraConfig config = config(LoraConfig.Init.KAIMING, saved, "q_proj");
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, 1);
      assertThat(adapter.replaced()).hasSize(11);
      LanguageModelLoss loss =
          new LanguageModelLoss(model, adapter, LanguageModelLoss.Options.EVALUATION);
      Gradients gradients =
          Tape.gradients(
              scope, adapter.parameters().values(), tape -> loss.of(tape, batch, 0, 1).total());
      int compared = 0;
      for (Map.Entry<String, Tensor> each : adapter.parameters().entrySet()) {
        if (each.getKey().contains("lora_")) {
          continue;
        }
        // a row of the embedding whose id comes in the data
        int width = 32;
        int at = each.getValue().rank() == 1 ? 3 : batch.ids()[2] * width + 3;
        double found = Parity.doubles(gradients.of(each.getValue()))[at];
        double value = each.getValue().toDoubles()[at];
        double[] around = new double[2];
        for (int i = 0; i < 2; i++) {
          double moved = value + (i == 0 ? 1e-5 : -1e-5);
          TestDevice.set(each.getValue(), at, moved);
          around[i] = loss.of(scope, batch, 0, 1).total().item();
        }
        TestDevice.set(each.getValue(), at, value);
        assertThat(found).as(each.getKey()).isCloseTo((around[0] - around[1]) / 2e-5, within(1e-6));
        assertThat(Math.abs(found)).as(each.getKey()).isGreaterThan(1e-4);
        compared++;
      }
      assertThat(compared).isEqualTo(11);
    }
    try (CausalLm model = open("llama", DType.F32);
        Scope scope = TestDevice.open()) {
      LoraConfig config =
          config(LoraConfig.Init.KAIMING, List.of("embed_tokens", "lm_head"), "q_proj");
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, 1);
      adapter.save(target);
      LoraAdapter back = LoraAdapter.load(scope, model, target);
      assertThat(back.parameters().keySet())
          .containsExactlyInAnyOrderElementsOf(adapter.parameters().keySet());
      assertThat(back.replaced()).hasSameSizeAs(adapter.replaced());
    }
  }

  @Test
  void aMappedAdapterComputesAsACopyDoesAndCannotBeWritten() throws IOException {
    Path directory = Parity.model("gpt2").resolve("adapters/default");
    int[] ids = Parity.examples("gpt2").getFirst().ids();
    try (CausalLm model = open("gpt2", DType.F32);
        Scope scope = TestDevice.open()) {
      LoraAdapter copied = LoraAdapter.load(scope, model, directory);
      LoraAdapter mapped = LoraAdapter.map(scope, model, directory);
      assertThat(Parity.logits(scope, model, mapped, ids).toFloats())
          .containsExactly(Parity.logits(scope, model, copied, ids).toFloats());
      if (!scope.device().isCuda()) {
        for (Tensor each : mapped.parameters().values()) {
          assertThatThrownBy(() -> Layout.copyInPlace(each, each))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("read-only");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama3"})
  void rowsOfABatchGoThroughTheirOwnAdapters(String name) throws IOException {
    List<Example> examples = Parity.examples(name);
    Batch batch = Batch.of(examples, 0);
    int[] ends = batch.offsets();
    try (AdaptedModel one = AdaptedModel.open(name, "all-linear", DType.F32);
        Scope scope = TestDevice.open()) {
      CausalLm model = one.model();
      LoraAdapter other =
          LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters/default"));
      PassAddition mixed =
          (pass, tokens) ->
              pass.segments(
                  List.of(
                      new AdapterSegment(0, ends[1], one.adapter().layers(pass.owner())),
                      new AdapterSegment(ends[2], ends[3], other.layers(pass.owner()))));
      ForwardPass pass =
          mixed.join(ForwardPass.of(scope, model, batch.ids(), ends), batch.tokens()).build();
      double[] found = Parity.doubles(model.logits(scope, model.hidden(scope, pass, false), pass));
      List<PassAddition> additions = List.of(one.adapter(), PassAddition.NONE, other);
      for (int i = 0; i < 3; i++) {
        double[] alone =
            Parity.doubles(Parity.logits(scope, model, additions.get(i), examples.get(i).ids()));
        double[] own =
            Arrays.copyOfRange(
                found, ends[i] * model.vocabulary(), ends[i + 1] * model.vocabulary());
        assertThat(Parity.distance(own, alone)).as("row %d", i).isLessThan(1e-5);
      }
      assertOwnGradients(scope, model, one.adapter(), other, mixed, batch);
    }
  }

  /// The gradient of each adapter is that of its own rows alone.
  private static void assertOwnGradients(
      Scope scope,
      CausalLm model,
      LoraAdapter first,
      LoraAdapter last,
      PassAddition mixed,
      Batch batch) {
    List<Tensor> leaves = new ArrayList<>(first.parameters().values());
    leaves.addAll(last.parameters().values());
    Gradients together = Tape.gradients(scope, leaves, tape -> energy(tape, model, mixed, batch));
    for (int i = 0; i < 3; i += 2) {
      LoraAdapter adapter = i == 0 ? first : last;
      int[] ids = Arrays.copyOfRange(batch.ids(), batch.offsets()[i], batch.offsets()[i + 1]);
      Batch alone = Batch.of(List.of(new Example(0, 0, ids, null)), 0);
      Gradients own =
          Tape.gradients(
              scope, adapter.parameters().values(), tape -> energy(tape, model, adapter, alone));
      adapter
          .parameters()
          .forEach((key, tensor) ->
              assertThat(
                      Parity.distance(
                          Parity.doubles(together.of(tensor)), Parity.doubles(own.of(tensor))))
                  .as(key)
                  .isLessThan(1e-4));
    }
  }

  private static Tensor energy(Scope scope, CausalLm model, PassAddition addition, Batch batch) {
    ForwardPass pass =
        addition
            .join(ForwardPass.of(scope, model, batch.ids(), batch.offsets()), batch.tokens())
            .build();
    Tensor hidden = model.hidden(scope, pass, false);
    return Reduce.sum(scope, Elementwise.mul(scope, hidden, Elementwise.tanh(scope, hidden)));
  }
}
