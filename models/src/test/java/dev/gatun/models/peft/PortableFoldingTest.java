package dev.gatun.models.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PortableFoldingTest {
  private static final ModuleTree LLAMA = PeftFixture.tree("llama");

  static Stream<LoraConfig> configs() {
    LoraConfig plain = LoraConfig.of(4, 6, new TargetModules.Names(List.of("q_proj", "down_proj")));
    Map<String, Integer> ranks = Map.of("down_proj", 7, "0.self_attn.q_proj", 3);
    Map<String, Double> alphas = Map.of("1.mlp.down_proj", 2.5);
    return Stream.of(
        plain,
        plain.withScaling(4, 6, Map.of(), Map.of(), true),
        plain.withScaling(4, 6.5, Map.of(), Map.of(), false),
        plain.withScaling(4, 6, Map.of(), alphas, false),
        plain.withScaling(4, 6, ranks, alphas, false),
        plain.withScaling(4, 6, ranks, alphas, true));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void everyReaderGetsTheSameDelta(LoraConfig config) {
    TargetMatch before = TargetMatcher.match(config, LLAMA);
    PortableFolding folding = PortableFolding.of(before);
    TargetMatch after = TargetMatcher.match(folding.config(), LLAMA);
    assertThat(folding.config().rankPattern()).isEmpty();
    assertThat(folding.config().alphaPattern()).isEmpty();
    assertThat(folding.config().alpha()).isEqualTo(Math.rint(folding.config().alpha()));
    Random random = new Random(1);
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < before.targets().size(); i++) {
        LoraTarget target = before.targets().get(i);
        PortableFolding.Fold fold = folding.folds().get(i);
        ModuleTree.Linear linear = LLAMA.linear(target.module());
        TensorEntry a = randomMatrix(arena, random, target.rank(), linear.in());
        TensorEntry b = randomMatrix(arena, random, linear.out(), target.rank());
        double[] expected = delta(a, b, target.scaling());

        TensorEntry foldedA = fold.a(a, arena);
        TensorEntry foldedB = fold.b(b, arena);
        long shapeRank = foldedA.shape().get(0);
        double peft = after.targets().get(i).scaling();
        double llamaCpp = folding.config().alpha() / shapeRank;
        double vllm = folding.config().alpha() / folding.config().r();
        for (double scaling : List.of(peft, llamaCpp, vllm)) {
          assertThat(delta(foldedA, foldedB, scaling)).containsExactly(expected, within(1e-6));
        }
        assertThat(AdapterKeys.shapes(after, LLAMA))
            .containsEntry(AdapterKeys.loraA(target.module()), foldedA.shape())
            .containsEntry(AdapterKeys.loraB(target.module()), foldedB.shape());
      }
    }
  }

  @Test
  void whatAllReadAlikeIsLeftAsItIs() {
    LoraConfig config = LoraConfig.of(4, 6, new TargetModules.Names(List.of("q_proj")));
    PortableFolding folding = PortableFolding.of(TargetMatcher.match(config, LLAMA));
    assertThat(folding.config()).isEqualTo(config);
    assertThat(folding.folds())
        .allSatisfy(fold -> {
          assertThat(fold.factor()).isEqualTo(1);
          assertThat(fold.paddedRank()).isEqualTo(fold.rank()).isEqualTo(4);
        });
    assertThat(folding.warnings()).isEmpty();
  }

  @Test
  void refusesMatricesOfAnotherRankOrType() {
    PortableFolding.Fold fold = new PortableFolding.Fold("m", 2, 2, 4);
    try (Arena arena = Arena.ofConfined()) {
      TensorEntry wrongRank = randomMatrix(arena, new Random(1), 3, 5);
      assertThatThrownBy(() -> fold.a(wrongRank, arena))
          .hasMessage("tensor 'w': found F32 [3, 5], expected F32 of rank 2");
      TensorEntry half = new TensorEntry("h", DType.F16, List.of(5L, 2L), arena.allocate(20));
      assertThatThrownBy(() -> fold.b(half, arena))
          .hasMessage("tensor 'h': found F16 [5, 2], expected F32 of rank 2");
    }
  }

  private static TensorEntry randomMatrix(Arena arena, Random random, long rows, long columns) {
    MemorySegment data = arena.allocate(ValueLayout.JAVA_FLOAT, rows * columns);
    for (long i = 0; i < rows * columns; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
    }
    return new TensorEntry("w", DType.F32, List.of(rows, columns), data);
  }

  private static double[] delta(TensorEntry a, TensorEntry b, double scaling) {
    int out = b.shape().get(0).intValue();
    int rank = b.shape().get(1).intValue();
    int in = a.shape().get(1).intValue();
    double[] delta = new double[out * in];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        for (int r = 0; r < rank; r++) {
          delta[o * in + i] +=
              scaling
                  * b.data().getAtIndex(ValueLayout.JAVA_FLOAT, (long) o * rank + r)
                  * a.data().getAtIndex(ValueLayout.JAVA_FLOAT, (long) r * in + i);
        }
      }
    }
    return delta;
  }
}
