package dev.gatun.bindings.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class NativeThreadsTest {
  private final NativeThreads threads = LibTorch.load().threads();

  @Test
  void setsTheCallingThreadOnly() throws Exception {
    int outside = onNewThread(() -> threads.read().openMp());

    assertThat(onNewThread(() -> setAndRead(outside + 1))).isEqualTo(outside + 1);
    assertThat(onNewThread(() -> setAndRead(1))).isEqualTo(1);
    assertThat(onNewThread(() -> threads.read().openMp())).isEqualTo(outside);
  }

  @Test
  void setsOpenBlasForTheProcess() throws Exception {
    OptionalInt before = threads.read().openBlas();
    if (before.isPresent()) {
      threads.setOpenBlas(2);
      assertThat(onNewThread(() -> threads.read().openBlas())).hasValue(2);
      threads.setOpenBlas(before.getAsInt());
      assertThat(threads.read().openBlas()).isEqualTo(before);
    }
  }

  @Test
  void refusesLessThanOne() {
    assertThatThrownBy(() -> threads.set(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads: found 0, expected at least 1");
    assertThatThrownBy(() -> threads.setOpenBlas(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads: found -1, expected at least 1");
  }

  private int setAndRead(int count) {
    threads.set(count);
    return threads.read().openMp();
  }

  private static <T> T onNewThread(Callable<T> task)
      throws InterruptedException, ExecutionException {
    FutureTask<T> future = new FutureTask<>(task);
    new Thread(future).start();
    return future.get();
  }
}
