package dev.gatun.cli;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.CudaReport;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.op.Reduce;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `gatun doctor`.
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "Show what was found on this machine and test it for a second.")
final class DoctorCommand implements Callable<Integer> {
  private static final int SIZE = 512;
  private static final long TEST_NANOS = 500_000_000L;

  @Mixin private JsonOutput json = new JsonOutput();

  @Override
  public Integer call() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("version", Version.CURRENT);
    Backend.setThreads(Runtime.getRuntime().availableProcessors());
    Map<String, Object> libtorch = new LinkedHashMap<>();
    libtorch.put("version", Backend.version());
    libtorch.put("path", Backend.folder().toString());
    libtorch.put("source", Backend.source());
    libtorch.put("searched", Backend.searched());
    libtorch.put("blas", Backend.blas());
    libtorch.put("variables", Backend.variables());
    fields.put("libtorch", libtorch);
    fields.put("jdk", Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
    Backend.Threads threads = Backend.threads();
    Map<String, Object> counts = new LinkedHashMap<>();
    counts.put("processors", Runtime.getRuntime().availableProcessors());
    counts.put("openmp", threads.openMp());
    counts.put("openblas", number(threads.openBlas()));
    counts.put("mkl", number(threads.mkl()));
    fields.put("threads", counts);
    fields.put("cpu", Backend.processor());
    fields.put("vector_kernels", Backend.kernels());
    fields.put("cuda", cuda(CudaReport.read()));
    fields.put("native_access", nativeAccess());
    fields.put("self_test", selfTest());
    if (!json.isOn()) {
      show("", fields);
    }
    json.print(fields);
    return 0;
  }

  private static @Nullable Integer number(OptionalInt value) {
    return value.isPresent() ? value.getAsInt() : null;
  }

  private static Object cuda(CudaReport found) {
    if (found.missing() != null) {
      return "none: " + found.missing();
    }
    Map<String, Object> cuda = new LinkedHashMap<>();
    cuda.put("driver", found.driver());
    for (int i = 0; i < found.devices().size(); i++) {
      CudaReport.Device device = found.devices().get(i);
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", device.name());
      fields.put("compute_capability", device.computeCapability());
      fields.put("multiprocessors", device.multiprocessors());
      fields.put("memory_bytes", device.totalBytes());
      boolean known = device.freeBytes() >= 0;
      fields.put("free_bytes", known ? device.freeBytes() : null);
      fields.put("used_bytes_of_all", known ? device.totalBytes() - device.freeBytes() : null);
      fields.put("tensor_bytes", NativeMemory.liveBytes(Device.of("cuda:" + i)));
      fields.put("reserved_bytes", "unknown: libtorch's C ABI does not tell");
      cuda.put("cuda:" + i, fields);
    }
    cuda.put("nvrtc", found.nvrtc());
    cuda.put("libraries", found.libraries().stream().map(Path::toString).toList());
    cuda.put("opened_twice", found.twice());
    return cuda;
  }

  private static String nativeAccess() {
    Module module = Backend.class.getModule();
    String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
    return module.isNativeAccessEnabled()
        ? "granted to " + name
        : "not granted: add --enable-native-access=" + name;
  }

  /// Differentiates a product, compares it with its closed form, and measures the rate of products.
  private static Map<String, Object> selfTest() {
    Map<String, Object> result = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      Tensor x = scope.full(0.5, DType.F32, SIZE, SIZE);
      Tensor w = scope.full(0.25, DType.F32, SIZE, SIZE);
      Gradients gradients =
          Tape.gradients(
              scope,
              List.of(w),
              tape -> {
                Tensor y = Matmul.linear(tape, x, w, null);
                return Reduce.sum(tape, Elementwise.mul(tape, y, y));
              });
      double gradient = Objects.requireNonNull(gradients.of(w)).toFloats()[0];
      double expected = 2 * (SIZE * 0.5 * 0.25) * SIZE * 0.5;
      if (Math.abs(gradient - expected) > 1e-4 * expected) {
        throw new IllegalStateException(
            "self-test: gradient: found " + gradient + ", expected " + expected);
      }
      int products = 0;
      long start = System.nanoTime();
      while (System.nanoTime() - start < TEST_NANOS) {
        try (Scope block = scope.child()) {
          Matmul.linear(block, x, w, null);
        }
        products++;
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      result.put("gradient", "right");
      result.put("f32_gflops", Math.round(2e-9 * SIZE * SIZE * SIZE * products / seconds));
    }
    result.put("live_tensors_after", NativeMemory.liveTensors());
    return result;
  }

  private static void show(String indent, Map<?, ?> fields) {
    fields.forEach((name, value) -> {
      if (value instanceof Map<?, ?> map) {
        System.out.println(indent + name);
        show(indent + "  ", map);
      } else if (value instanceof List<?> list) {
        System.out.println(indent + name);
        list.forEach(line -> System.out.println(indent + "  " + line));
      } else {
        System.out.printf("%s%-20s %s%n", indent, name, value);
      }
    });
  }
}
