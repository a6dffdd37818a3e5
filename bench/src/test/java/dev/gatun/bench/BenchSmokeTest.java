package dev.gatun.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Matmul;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class BenchSmokeTest {

  @Test
  void everyBenchmarkRuns() throws RunnerException {
    Options once =
        new OptionsBuilder()
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(1))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    System.setProperty("jmh.ignoreLock", "true"); // another JMH on this machine does no harm here
    Collection<RunResult> results = new Runner(once).run();

    Set<String> classes = new TreeSet<>();
    for (RunResult result : results) {
      String benchmark = result.getParams().getBenchmark();
      classes.add(benchmark.substring(0, benchmark.lastIndexOf('.')));
      assertThat(result.getPrimaryResult().getScore()).as(benchmark).isPositive();
    }
    assertThat(classes)
        .containsExactly(
            "dev.gatun.bench.BorrowBench",
            "dev.gatun.bench.ChainBench",
            "dev.gatun.bench.CopyBench",
            "dev.gatun.bench.DowncallBench",
            "dev.gatun.bench.MaskBench",
            "dev.gatun.bench.OpBench",
            "dev.gatun.bench.SafetensorsBench",
            "dev.gatun.bench.ScopeBench",
            "dev.gatun.bench.TokenizerBench",
            "dev.gatun.bench.ViewBench");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1x64", "16x16", "64x64"})
  void everyWayComputesTheSame(String shape) {
    Operands operands = new Operands();
    operands.shape = shape;
    operands.open();
    Scope scope = operands.scope;
    Offset<Float> close = Offset.offset(1e-5f);
    assertThat(operands.add())
        .containsExactly(Elementwise.add(scope, operands.x, operands.y).toFloats());
    assertThat(operands.mul())
        .containsExactly(Elementwise.mul(scope, operands.x, operands.y).toFloats());
    float[] product = operands.matmul();
    assertThat(Matmul.matmul(scope, operands.x, operands.w).toFloats())
        .containsExactly(product, close);
    new OpBench().matmulShim(operands);
    assertThat(operands.kept.toFloats()).containsExactly(product, close);
    operands.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1x64", "16x16", "64x64"})
  void everyWayComputesTheSameChain(String shape) {
    Operands operands = new Operands();
    operands.shape = shape;
    operands.open();
    Scope scope = operands.scope;
    Offset<Float> close = Offset.offset(1e-5f);
    float[] gelu = scope.adopt(ChainBench.gelu(operands)).toFloats();
    assertThat(operands.gelu(false)).containsExactly(gelu, close);
    assertThat(ChainBench.gelu(scope, operands, false).toFloats()).containsExactly(gelu, close);
    assertThat(ChainBench.gelu(scope, operands, true).toFloats())
        .containsExactly(operands.gelu(true), close);

    ChainBench.lora(operands);
    float[] lora = operands.kept.toFloats();
    assertThat(operands.lora()).containsExactly(lora, close);
    assertThat(ChainBench.lora(scope, operands).toFloats()).containsExactly(lora, close);
    operands.close();
  }
}
