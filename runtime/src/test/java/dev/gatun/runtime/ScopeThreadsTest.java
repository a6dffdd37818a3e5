package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Matmul;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class ScopeThreadsTest {
  /// Runs on another platform thread and gives its exception back as the cause.
  private static void elsewhere(Runnable task) {
    Throwable[] thrown = new Throwable[1];
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                task.run();
              } catch (RuntimeException | AssertionError e) {
                thrown[0] = e;
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (thrown[0] instanceof RuntimeException e) {
      throw e;
    } else if (thrown[0] != null) {
      throw new AssertionError(thrown[0]);
    }
  }

  private static void assertWrongThread(Runnable task) {
    assertThatThrownBy(() -> elsewhere(task)).isInstanceOf(WrongThreadException.class);
  }

  @Test
  void sharedTensorsAreUsedFromAnyThread() {
    try (Scope shared = Scope.openShared()) {
      Tensor weight = shared.of(new float[] {1, 2}, 2);
      elsewhere(() -> {
        try (Scope own = Scope.open()) {
          assertThat(Elementwise.add(own, weight, weight).toFloats()).containsExactly(2, 4);
          Tensor made = shared.keep(Elementwise.scale(own, weight, 3));
          assertThat(made.toFloats()).containsExactly(3, 6);
        }
        assertThat(weight.segment().byteSize()).isEqualTo(8);
      });
      assertThat(shared.size()).isEqualTo(2);
    }
  }

  @Test
  void manyThreadsMakeAndFreeTensorsOfOneSharedScope() throws Exception {
    try (Scope shared = Scope.openShared();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> tasks =
          IntStream.range(0, 4)
              .<Future<?>>mapToObj(t ->
                  threads.submit(() -> {
                    for (int i = 0; i < 200; i++) {
                      Tensor made = shared.full(t, DType.F32, 3);
                      assertThat(made.toFloats()).containsOnly(t);
                      if (i % 2 == 0) {
                        shared.free(made);
                      }
                    }
                  }))
              .toList();
      for (Future<?> task : tasks) {
        task.get();
      }
      assertThat(shared.size()).isEqualTo(400);
    }
  }

  @Test
  void confinedTensorsBelongToTheirThread() {
    try (Scope scope = Scope.open();
        Scope child = scope.child()) {
      Tensor own = scope.of(new float[] {1, 2}, 2);
      assertWrongThread(own::toFloats);
      assertWrongThread(() -> scope.empty(DType.F32, 2));
      assertWrongThread(() -> Elementwise.add(scope, own, own));
      assertWrongThread(() -> Elementwise.exp(scope, own));
      assertWrongThread(() -> Elementwise.exp(child, own));
      assertWrongThread(() -> scope.keep(own));
      assertWrongThread(() -> scope.free(own));
      assertWrongThread(scope::close);
      assertThat(own.toFloats()).containsExactly(1, 2);
      assertThat(NativeUses.of(own)).isEqualTo(1);
    }
  }

  @Test
  void aConfinedTensorIsNoArgumentOnAnotherThread() {
    try (Scope scope = Scope.open()) {
      Tensor own = scope.of(new float[] {1, 2}, 2);
      assertThat(own.dtype()).isEqualTo(DType.F32);
      assertThat(own.shape()).containsExactly(2);
      elsewhere(() -> {
        try (Scope other = Scope.open()) {
          Tensor mine = other.of(new float[] {1, 2}, 2);
          assertThatThrownBy(() -> Elementwise.mul(other, mine, own))
              .isInstanceOf(WrongThreadException.class);
          assertThatThrownBy(() -> Elementwise.div(other, mine, own))
              .isInstanceOf(WrongThreadException.class);
          assertThat(NativeUses.of(mine)).isEqualTo(1);
        }
      });
    }
  }

  /// A close that comes while another thread multiplies is refused, and leaves all as it was. One
  /// that comes before the call is granted, and the call refused: then it is tried again.
  @Test
  void closeIsRefusedWhileACallIsInFlight() throws Exception {
    closeIsRefusedDuring((scope, a) -> Matmul.matmul(scope, a, a), 1024);
  }

  @Test
  void closeIsRefusedWhileADispatchedCallIsInFlight() throws Exception {
    closeIsRefusedDuring(
        (scope, a) -> {
          for (int i = 0; i < 50; i++) {
            scope.free(Elementwise.tanh(scope, a));
          }
          return Elementwise.tanh(scope, a);
        },
        Math.tanh(1));
  }

  @SuppressWarnings("MustBeClosedChecker") // how it is closed is what is tested
  private static void closeIsRefusedDuring(
      BiFunction<Scope, Tensor, Tensor> operation, double expected) throws Exception {
    int size = 1024;
    try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
      for (int attempt = 0; attempt < 50; attempt++) {
        Scope shared = Scope.openShared();
        Tensor a = shared.full(1, DType.F64, size, size);
        CountDownLatch started = new CountDownLatch(1);
        Future<Double> product =
            threads.submit(() -> {
              try (Scope own = Scope.open()) {
                started.countDown();
                Tensor result = operation.apply(own, a);
                return result.segment().get(ValueLayout.JAVA_DOUBLE, 0);
              }
            });
        started.await();
        Thread.sleep(5);
        if (closeIsRefused(shared)) {
          assertThat(shared.size()).isEqualTo(1);
          assertThat(product.get()).isCloseTo(expected, within(1e-12));
          assertThat(a.segment().get(ValueLayout.JAVA_DOUBLE, 0)).isEqualTo(1);
          shared.close();
          assertThat(shared.size()).isZero();
          return;
        }
        try {
          product.get();
        } catch (ExecutionException e) {
          assertThat(e).hasCauseInstanceOf(IllegalStateException.class);
        }
      }
    }
    throw new AssertionError("no close came while a call was in flight");
  }

  private static boolean closeIsRefused(Scope shared) {
    try {
      shared.close();
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }
}
