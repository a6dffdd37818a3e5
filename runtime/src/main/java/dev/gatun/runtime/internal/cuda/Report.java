package dev.gatun.runtime.internal.cuda;

import dev.gatun.bindings.load.CudaLibrary;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.runtime.CudaReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Reads what there is of CUDA.
public final class Report {
  private static final Path DRIVER_VERSION = Path.of("/sys/module/nvidia/version");

  private Report() {}

  /// {@return what there is}
  public static CudaReport read() {
    String missing = LibTorch.load().withoutCuda().or(Driver::missing).orElse(null);
    String driver = null;
    List<CudaReport.Device> devices = new ArrayList<>();
    if (Driver.missing().isEmpty()) {
      driver = driver();
      int here = CudaThread.current().device();
      long free = Driver.memory().free();
      for (Driver.Properties each : Driver.devices()) {
        devices.add(
            new CudaReport.Device(
                each.name(),
                each.architecture() / 10 + "." + each.architecture() % 10,
                each.multiprocessors(),
                each.bytes(),
                each.index() == here ? free : -1));
      }
    }
    String nvrtc = KernelCompiler.missing().orElseGet(KernelCompiler::version);
    List<Path> mapped = CudaLibrary.mapped();
    return new CudaReport(missing, driver, devices, nvrtc, mapped, twice(mapped));
  }

  private static String driver() {
    String cuda = "CUDA %d.%d".formatted(Driver.version() / 1000, Driver.version() % 1000 / 10);
    try {
      return Files.readString(DRIVER_VERSION).strip() + " (" + cuda + ")";
    } catch (IOException e) {
      return cuda;
    }
  }

  private static List<String> twice(List<Path> mapped) {
    Map<String, Integer> files = new TreeMap<>();
    for (Path file : mapped) {
      @Nullable Path name = file.getFileName();
      String library = String.valueOf(name).replaceAll("\\.so.*", "");
      files.merge(library, 1, Integer::sum);
    }
    return files.entrySet().stream()
        .filter(each -> each.getValue() > 1)
        .map(Map.Entry::getKey)
        .toList();
  }
}
