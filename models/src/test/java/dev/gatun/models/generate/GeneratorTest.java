package dev.gatun.models.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.Parity;
import dev.gatun.models.TestDevice;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Where a generation ends, and what it refuses.
class GeneratorTest {
  private CausalLm model;
  private long live;

  @BeforeEach
  @SuppressWarnings("MustBeClosedChecker") // closed after each test
  void open() throws IOException {
    live = NativeMemory.liveTensors();
    model =
        ModelDirectory.read(Parity.model("gpt2"))
            .open(TestDevice.DEVICE, DType.F32, ModelDirectory.Use.FROZEN);
  }

  @AfterEach
  void close() {
    model.close();
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
  }

  private Generator generator(Integer... stops) {
    return new Generator(model, PassAddition.NONE, Set.of(stops));
  }

  @Test
  void everyStopIdEndsTheTextAndIsNoPartOfIt() {
    int[] all = generator().generate(new int[] {34, 63}, Sampling.greedy(12), id -> true).ids();
    assertThat(all).hasSize(12);
    for (int stop : all) {
      int first = 0;
      while (all[first] != stop) {
        first++;
      }
      Generator.Generated found =
          generator(95, stop).generate(new int[] {34, 63}, Sampling.greedy(12), id -> true);
      if (stop != 95) {
        assertThat(found.stopped()).isTrue();
        assertThat(found.ids()).containsExactly(Arrays.copyOf(all, first));
      }
    }
  }

  @Test
  void generationEndsAtTheLastPosition() {
    int[] prompt = new int[45];
    Arrays.fill(prompt, 9);
    Generator.Generated found = generator().generate(prompt, Sampling.greedy(100), id -> true);
    assertThat(found.ids()).hasSize(4);
    assertThat(found.stopped()).isFalse();
    assertThat(generator().generate(new int[48], Sampling.greedy(9), id -> true).ids()).hasSize(1);
  }

  @Test
  void listenerSeesEachIdAndMayEndIt() {
    List<Integer> seen = new ArrayList<>();
    Generator.Generated found =
        generator()
            .generate(
                new int[] {8},
                Sampling.greedy(12),
                id -> {
                  seen.add(id);
                  return seen.size() < 5;
                });
    assertThat(found.ids()).hasSize(5);
    assertThat(found.stopped()).isFalse();
    assertThat(found.tokensPerSecond()).isPositive();
    assertThat(Arrays.stream(found.ids()).boxed().toList()).isEqualTo(seen);
  }

  @Test
  void sampledTextIsAFunctionOfItsSeed() {
    Sampling sampling = Sampling.greedy(20).withChoice(1.5, 0, 1, 0).withSeed(3);
    int[] one = generator().generate(new int[] {8}, sampling, id -> true).ids();
    assertThat(generator().generate(new int[] {8}, sampling, id -> true).ids()).isEqualTo(one);
    Sampling other = Sampling.greedy(20).withChoice(1.5, 0, 1, 0).withSeed(4);
    assertThat(generator().generate(new int[] {8}, other, id -> true).ids()).isNotEqualTo(one);
  }

  @Test
  void promptsThatCannotBeRunAreRefused() {
    assertRefused(new int[0], "empty prompt");
    assertRefused(new int[] {5, 96}, "found id 96, expected 0 to 95");
    assertRefused(new int[] {-1}, "found id -1");
    assertRefused(new int[49], "a prompt of 49 ids, expected at most 48");
  }

  private void assertRefused(int[] prompt, String part) {
    assertThatThrownBy(() -> generator().generate(prompt, Sampling.greedy(1), id -> true))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("generate: ")
        .hasMessageContaining(part);
  }
}
