package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gatun.bindings.cuda.Cuda;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A file of kernels in CUDA C++, compiled for a device when the first of its kernels is launched
/// there. Loaded modules stay as long as the process. Thread-safe.
public final class CudaProgram {
  private static final String FOLDER = "/dev/gatun/runtime/kernel/cuda/";

  /// What stands before each file.
  private static final List<String> HEADERS = List.of("primitives.cuh", "device.cuh");

  private final String file;
  private final Map<Variant, MemorySegment> modules = new HashMap<>();

  private record Variant(List<String> defines, int device) {}

  private CudaProgram(String file) {
    this.file = file;
  }

  /// {@return a program}
  ///
  /// @param file its name among the resources, such as `rope.cu`
  public static CudaProgram of(String file) {
    return new CudaProgram(file);
  }

  /// {@return one of its kernels}
  ///
  /// @param name an `extern "C"` function
  /// @param defines macros that the file wants, such as `ELEMENT=bf16`
  public CudaKernel kernel(String name, String... defines) {
    return new CudaKernel(this, List.of(defines), name);
  }

  /// {@return the whole source, headers first}
  public String source() {
    StringBuilder all = new StringBuilder();
    for (String header : HEADERS) {
      append(all, header);
    }
    append(all, file);
    return all.toString();
  }

  private static void append(StringBuilder all, String file) {
    all.append("#line 1 \"").append(file).append("\"\n");
    try (InputStream in = CudaProgram.class.getResourceAsStream(FOLDER + file)) {
      if (in == null) {
        throw new IOException("no resource " + FOLDER + file);
      }
      all.append(new String(in.readAllBytes(), UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Returns the module for a device, which is the calling thread's.
  synchronized MemorySegment module(List<String> defines, int device) {
    return modules.computeIfAbsent(
        new Variant(defines, device),
        variant -> {
          int architecture = Driver.devices().get(variant.device).architecture();
          byte[] cubin = KernelCompiler.compile(file, source(), architecture, variant.defines);
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(cubin.length, 16);
            image.asByteBuffer().put(cubin);
            MemorySegment out = arena.allocate(ADDRESS);
            int code =
                Cuda.cuModuleLoadDataEx(out, image, 0, MemorySegment.NULL, MemorySegment.NULL);
            Driver.check(code, "cuModuleLoadDataEx " + file);
            return out.get(ADDRESS, 0);
          }
        });
  }
}
