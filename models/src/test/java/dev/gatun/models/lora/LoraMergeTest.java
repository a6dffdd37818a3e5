package dev.gatun.models.lora;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.data.Example;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Adapters added to the weights, taken out again, and folded for other consumers.
class LoraMergeTest {
  static Stream<Arguments> adapters() throws IOException {
    return LoraParityTest.adapters();
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergedModelOnDiskEqualsItsAdapter(String name, String variant, @TempDir Path target)
      throws IOException {
    Example example = Parity.examples(name).getLast();
    ModelDirectory source = ModelDirectory.read(Parity.model(name));
    long before = NativeMemory.liveTensors();
    try (AdaptedModel adapted = AdaptedModel.open(name, variant, DType.F32);
        Scope scope = TestDevice.open()) {
      double[] base = logits(scope, adapted.model(), PassAddition.NONE, example);
      double[] expected = logits(scope, adapted.model(), adapted.adapter(), example);
      assertThat(Parity.distance(expected, base)).isGreaterThan(1e-3);
      source.write(target, adapted.adapter().merged(scope, adapted.model()));
      try (CausalLm merged =
          ModelDirectory.read(target)
              .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN)) {
        assertThat(Parity.distance(logits(scope, merged, PassAddition.NONE, example), expected))
            .isLessThan(1e-5);
        Map<String, Tensor> restored = adapted.adapter().unmerged(scope, merged);
        adapted
            .model()
            .params()
            .forEach(param -> {
              if (!adapted.adapter().replaced().containsKey(param.index())) {
                assertThat(
                        Parity.distance(
                            Parity.doubles(restored.get(param.name())),
                            Parity.doubles(param.value())))
                    .as(param.name())
                    .isLessThan(1e-6);
              }
            });
      }
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({"gpt2,all-linear", "llama,rslora"})
  void mergingIntoBf16RoundsOnce(String name, String variant) throws IOException {
    try (AdaptedModel wide = AdaptedModel.open(name, variant, DType.F32);
        AdaptedModel narrow = AdaptedModel.open(name, variant, DType.BF16);
        Scope scope = TestDevice.open()) {
      Map<String, Tensor> expected = wide.adapter().merged(scope, wide.model());
      Map<String, Tensor> found = narrow.adapter().merged(scope, narrow.model());
      narrow
          .model()
          .params()
          .forEach(param -> {
            Tensor tensor = requireNonNull(found.get(param.name()));
            assertThat(tensor.dtype()).isEqualTo(param.value().dtype());
            assertThat(
                    Parity.distance(
                        Parity.doubles(tensor), Parity.doubles(expected.get(param.name()))))
                .as(param.name())
                .isLessThan(1e-2);
          });
    }
  }

  static Stream<Arguments> portable() throws IOException {
    return adapters().filter(arguments -> !arguments.get()[1].equals("adalora"));
  }

  @ParameterizedTest
  @MethodSource("portable")
  void portableAdapterGivesTheSameLogits(String name, String variant, @TempDir Path target)
      throws IOException {
    Example example = Parity.examples(name).getLast();
    try (AdaptedModel adapted = AdaptedModel.open(name, variant, DType.F32);
        Scope scope = TestDevice.open()) {
      adapted.adapter().savePortable(target);
      LoraAdapter portable = LoraAdapter.load(scope, adapted.model(), target);
      assertThat(portable.match().config().rsLora()).isFalse();
      assertThat(portable.match().config().rankPattern()).isEmpty();
      assertThat(portable.match().config().alphaPattern()).isEmpty();
      assertThat(
              Parity.distance(
                  logits(scope, adapted.model(), portable, example),
                  logits(scope, adapted.model(), adapted.adapter(), example)))
          .isLessThan(1e-6);
    }
  }

  private static double[] logits(
      Scope scope, CausalLm model, PassAddition addition, Example example) {
    return Parity.doubles(Parity.logits(scope, model, addition, example.ids()));
  }
}
