package dev.gatun.runtime.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TorchException;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class CompiledModelTest {
  @BeforeAll
  static void machineCodeIsForThisMachine() {
    assumeThat(Probe.runsHere()).as("Linux on x86-64").isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 2})
  void computesWhatPythonDoes(int rows) throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor x = Probe.expected(scope, "x." + rows);

      List<Tensor> results = model.run(scope, x, Probe.expected(scope, "ids." + rows));

      assertThat(model.inputs()).isEqualTo(2);
      assertThat(results).hasSize(4); // without None
      assertThat(results.get(0).toFloats())
          .containsExactly(Probe.expected(scope, "logits." + rows).toFloats(), within(1e-6f));
      assertThat(results.get(1).toFloats())
          .containsExactly(
              Probe.expected(scope, "probabilities." + rows).toFloats(), within(1e-6f));
      assertThat(results.get(2).toFloats()).containsExactly(x.toFloats());
      assertThat(results.get(3).toFloats()).containsExactly(results.get(0).toFloats());
    }
  }

  @Test
  void resultsOutliveTheModel() throws IOException {
    try (Scope results = Scope.open()) {
      Tensor logits;
      try (Scope weights = Scope.open()) {
        CompiledModel model = CompiledModel.open(weights, Probe.FILE);
        logits =
            model
                .run(results, Probe.expected(results, "x.3"), Probe.expected(results, "ids.3"))
                .getFirst();
      }
      assertThat(logits.toFloats())
          .containsExactly(Probe.expected(results, "logits.3").toFloats(), within(1e-6f));
    }
  }

  @Test
  void resultThatIsAnInputEndsWithTheInputsMemory() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor ids = Probe.ids(scope, 2);
      long bytes = NativeMemory.liveBytes();
      Tensor same;
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(ValueLayout.JAVA_FLOAT, 48).fill((byte) 0);
        Tensor x = scope.borrow(memory.asSlice(64), DType.F32, 2, 16);
        same = model.run(scope, x, ids).get(2);
        memory.setAtIndex(ValueLayout.JAVA_FLOAT, 16, 7);
        assertThat(same.toFloats()[0]).isEqualTo(7);
        assertThat(NativeMemory.liveBytes() - bytes).isEqualTo(2 * 2 * 9 * 4);
      }
      assertThatThrownBy(same::toFloats)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("arena of the borrowed memory");
    }
  }

  @Test
  void takesViewsThatLieRowByRow() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor all = Layout.cat(scope, 0, Probe.x(scope, 5), Probe.expected(scope, "x.3"));
      Tensor x = Layout.narrow(scope, all, 0, 5, 3);

      List<Tensor> results = model.run(scope, x, Probe.expected(scope, "ids.3"));

      assertThat(results.get(0).toFloats())
          .containsExactly(Probe.expected(scope, "logits.3").toFloats(), within(1e-6f));
      assertThat(results.get(2).toFloats()).containsExactly(x.toFloats());
    }
  }

  @Test
  void weightsAreReadAndWrittenInPlace() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      assertThat(model.weights())
          .containsExactlyInAnyOrder(
              "table.weight", "norm.weight", "norm.bias", "head.weight", "head.bias", "calls");
      Tensor head = model.weight("head.weight");
      assertThat(head.shape()).containsExactly(9, 16);
      head.segment().fill((byte) 0);
      Layout.copyInPlace(model.weight("head.bias"), scope.full(3, DType.F32, 9));

      Tensor logits = model.run(scope, Probe.x(scope, 2), Probe.ids(scope, 2)).getFirst();

      assertThat(logits.toFloats()).hasSize(18).containsOnly(3);
      assertThat(model.weight("calls").toFloats()).startsWith(1, 2, 3);
      assertThatThrownBy(() -> model.weight("head"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("weight: found head, expected one of");
    }
  }

  @Test
  void modelsOfOnePackageHaveWeightsOfTheirOwn() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel one = CompiledModel.open(scope, Probe.FILE);
      CompiledModel other = CompiledModel.open(scope, Probe.FILE);
      List<Tensor> results = one.run(scope, Probe.x(scope, 2), Probe.ids(scope, 2));

      assertThat(results).hasSize(4);
      assertThat(one.weight("calls").toFloats()).startsWith(1);
      assertThat(other.weight("calls").toFloats()).startsWith(0);
    }
  }

  @Test
  void mapsALibraryOnceHoweverOftenItIsOpened() throws IOException {
    try (Scope scope = Scope.open()) {
      assertThat(CompiledModel.open(scope, Probe.FILE).inputs()).isEqualTo(2);
      long maps = mapsOfModels();
      for (int i = 0; i < 10; i++) {
        assertThat(CompiledModel.open(scope, Probe.FILE).inputs()).isEqualTo(2);
      }
      assertThat(mapsOfModels()).isEqualTo(maps).isPositive();
    }
  }

  private static long mapsOfModels() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(line -> line.contains("/model-")).count();
    }
  }

  @Test
  void leavesNoFileBehind() throws IOException {
    try (Scope scope = Scope.open()) {
      assertThat(CompiledModel.open(scope, Probe.FILE).inputs()).isEqualTo(2);
      try (Stream<Path> files = Files.list(Backend.cacheFolder())) {
        assertThat(files).noneMatch(file -> file.getFileName().toString().startsWith("model-"));
      }
    }
  }

  @Test
  void refusesWhatItWasNotCompiledFor() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor x = Probe.x(scope, 3);
      Tensor ids = Probe.ids(scope, 3);

      assertThatThrownBy(() -> model.run(scope, x))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("run: found 1 inputs, expected 2");
      assertThatThrownBy(() -> model.run(scope, x, scope.empty(DType.I64, 0)))
          .isInstanceOf(ShapeException.class)
          .hasMessage("run: input 1: found I64 (0), expected an element at least");
      assertRefused(model, scope, ids, x, "input_handles[0]: unmatched dtype");
      assertRefused(model, scope, x, Probe.ids(scope, 2), "expected size 2==3");
      assertRefused(model, scope, scope.zeros(DType.F32, 3, 17), ids, "unmatched dim value at 1");
      assertRefused(model, scope, Probe.x(scope, 1), Probe.ids(scope, 1), "dim value is too small");
      assertRefused(
          model, scope, Probe.x(scope, 65), Probe.ids(scope, 65), "dim value is too large");
      assertRefused(model, scope, x, scope.zeros(DType.I64, 3, 1), "expected ndim 1 but got 2");
      assertRefused(
          model, scope, scope.zeros(DType.F32, 3, 16, 1), ids, "expected ndim 2 but got 3");
      Tensor columns = Layout.transpose(scope, scope.zeros(DType.F32, 16, 3), 0, 1);
      assertRefused(model, scope, columns, ids, "unmatched stride value");
      assertRefused(model, scope, x, scope.of(new long[] {0, 10, 0}, 3), "index out of bounds");
      assertThat(model.run(scope, x, ids)).hasSize(4);
    }
  }

  private static void assertRefused(
      CompiledModel model, Scope scope, Tensor x, Tensor ids, String reason) {
    int before = scope.size();
    assertThatThrownBy(() -> model.run(scope, x, ids))
        .isInstanceOf(TorchException.class)
        .hasMessageContaining(reason);
    assertThat(scope.size()).isEqualTo(before);
  }

  /// A tensor of fewer dimensions leaves behind, in the memory that libtorch reads its sizes from,
  /// those of an earlier tensor.
  @Test
  void refusesFewerDimensionsWhateverLiesBehindThem() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor ids = Probe.ids(scope, 3);
      for (int i = 0; i < 3; i++) {
        scope.free(Probe.x(scope, 3));
        Tensor flat = scope.zeros(DType.F32, 3);
        assertThatThrownBy(() -> model.run(scope, flat, ids)).isInstanceOf(TorchException.class);
        scope.free(flat);
      }
    }
  }

  @Test
  void refusesIntegersBeyondALimit() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      model.limit(1, 0, 8);
      Tensor x = Probe.x(scope, 3);

      assertThat(model.run(scope, x, scope.of(new long[] {8, 0, 3}, 3))).hasSize(4);
      assertThatThrownBy(() -> model.run(scope, x, scope.of(new long[] {0, 8, 9}, 3)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("run: input 1: found 9 in it, expected 0 to 8");
      assertThatThrownBy(() -> model.run(scope, x, scope.of(new long[] {0, -1, 9}, 3)))
          .hasMessage("run: input 1: found -1 in it, expected 0 to 8");
      assertThatThrownBy(() -> model.limit(2, 0, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("limit: found input 2, expected 0 to 1");
    }
  }

  @Test
  void asksForALimitWhereAnIndexWouldEndTheProcess(@TempDir Path folder) throws IOException {
    Path threaded =
        Probe.changed(folder, ".kernel.cpp", Probe.replacing("{", "{\n#pragma omp parallel\n"));
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, threaded);
      Tensor x = Probe.x(scope, 3);
      Tensor ids = Probe.ids(scope, 3);
      assertThatThrownBy(() -> model.run(scope, x, ids))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "run: input 1: found I64 (3) without a limit, expected one by CompiledModel.limit: an"
                  + " index out of range would end the process");
      model.limit(1, 0, 9);
      assertThat(model.run(scope, x, ids)).hasSize(4);
    }
  }

  @Test
  void refusesReadOnlyInputsAndThoseWithGradients() throws IOException {
    try (Scope scope = Scope.open();
        Arena arena = Arena.ofConfined()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor ids = Probe.ids(scope, 2);
      MemorySegment memory = arena.allocate(ValueLayout.JAVA_FLOAT, 32).fill((byte) 0);
      Tensor fixed = scope.borrow(memory.asReadOnly(), DType.F32, 2, 16);

      assertThatThrownBy(() -> model.run(scope, fixed, ids))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("read-only; copy it first");

      Tensor wanted = Probe.x(scope, 2);
      assertThatThrownBy(() ->
              Tape.gradients(
                  scope,
                  List.of(wanted),
                  tape -> model.run(tape, Elementwise.scale(tape, wanted, 2), ids).getFirst()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("a compiled model has no gradient");
    }
  }

  @Test
  void endsWithItsScope() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model;
      Tensor head;
      try (Scope weights = Scope.open()) {
        model = CompiledModel.open(weights, Probe.FILE);
        head = model.weight("head.weight");
      }
      CompiledModel ended = model;
      Tensor x = Probe.x(scope, 2);
      Tensor ids = Probe.ids(scope, 2);
      assertThatThrownBy(() -> ended.run(scope, x, ids)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> ended.weight("calls")).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(head::toFloats).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void belongsToTheThreadOfAConfinedScope() throws Exception {
    try (Scope scope = Scope.open();
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Future<List<Tensor>> run =
          other.submit(() -> {
            try (Scope own = Scope.open()) {
              return model.run(own, Probe.x(own, 2), Probe.ids(own, 2));
            }
          });
      assertThatThrownBy(run::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(WrongThreadException.class);
    }
  }

  @Test
  void servesThreadsFromASharedScope() throws Exception {
    try (Scope shared = Scope.openShared();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      CompiledModel model = CompiledModel.open(shared, Probe.FILE);
      List<Future<Boolean>> calls =
          IntStream.range(0, 200).mapToObj(i -> threads.submit(() -> isRight(model))).toList();

      for (Future<Boolean> call : calls) {
        assertThat(call.get()).isTrue();
      }
      assertThat(model.weight("calls").toFloats()).startsWith(200);
    }
  }

  private static boolean isRight(CompiledModel model) throws IOException {
    try (Scope own = Scope.open()) {
      Tensor logits =
          model.run(own, Probe.expected(own, "x.3"), Probe.expected(own, "ids.3")).getFirst();
      float[] expected = Probe.expected(own, "logits.3").toFloats();
      float[] found = logits.toFloats();
      return IntStream.range(0, found.length)
          .allMatch(i -> Math.abs(found[i] - expected[i]) < 1e-6f);
    }
  }

  @Test
  void callsLeakNothing() throws IOException {
    try (Scope scope = Scope.open()) {
      CompiledModel model = CompiledModel.open(scope, Probe.FILE);
      Tensor x = Probe.x(scope, 64);
      Tensor ids = Probe.ids(scope, 64);
      long tensors = NativeMemory.liveTensors();
      for (int i = 0; i < 1000; i++) {
        try (Scope call = scope.child()) {
          assertThat(model.run(call, x, ids)).hasSize(4);
        }
      }
      assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
    }
  }
}
