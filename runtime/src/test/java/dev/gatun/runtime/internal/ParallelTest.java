package dev.gatun.runtime.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.Scope;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(LeakCheck.class)
class ParallelTest {
  @Test
  void everyPartRunsOnce() {
    AtomicIntegerArray runs = new AtomicIntegerArray(37);
    Parallel.run(37, runs::incrementAndGet);
    for (int i = 0; i < 37; i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
  }

  /// An exception in a part comes out on the caller's thread, and the process lives.
  @Test
  void aFailureIsThrownHere() {
    assertThatThrownBy(() ->
            Parallel.run(
                4,
                part -> {
                  if (part == 3) {
                    throw new IllegalStateException("part 3");
                  }
                }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("part 3");
  }

  @ParameterizedTest
  @CsvSource({"0,4,1", "1,4,1", "1000,16,1", "1001,16,100", "35,16,1", "1000,16,5000"})
  void rangesCoverTheLoopInWholeUnits(int length, int unit, int least) {
    int threads = Backend.threads().openMp();
    Backend.setThreads(3);
    try (Scope scope = Scope.open()) {
      AtomicIntegerArray seen = new AtomicIntegerArray(Math.max(1, length));
      Parallel.ranges(
          scope,
          length,
          unit,
          least,
          (from, to) -> {
            assertThat(from % unit).isZero();
            for (long i = from; i < to; i++) {
              seen.incrementAndGet((int) i);
            }
          });
      for (int i = 0; i < length; i++) {
        assertThat(seen.get(i)).as("element %d", i).isEqualTo(1);
      }
    } finally {
      Backend.setThreads(threads);
    }
  }
}
