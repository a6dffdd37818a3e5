package dev.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class PeersSmokeTest {

  @Test
  void everyBenchmarkRunsAndComputesWhatThePlainLoopsDo() throws RunnerException {
    Options once =
        new OptionsBuilder()
            .include("[.]peers[.]")
            .param("shape", "16x16")
            .param("bytes", "1024")
            .forks(1) // two copies of libtorch do not share a process
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
        .containsExactly("dev.gatun.bench.peers.DjlBench", "dev.gatun.bench.peers.JavaCppBench");
  }
}
