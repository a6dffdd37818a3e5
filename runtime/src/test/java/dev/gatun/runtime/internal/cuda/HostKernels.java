package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A program of kernels made into functions of the host by g++, with a header in place of what only
/// a device has.
@SuppressWarnings("restricted")
final class HostKernels {
  private static final String COMPILER = "g++";
  private static final Pattern ENTRY =
      Pattern.compile("__global__ void(?: __launch_bounds__\\(\\d+\\))? (\\w+)\\(");
  private static final FunctionDescriptor RUN =
      FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final FunctionDescriptor DESCRIBE =
      FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);

  private final SymbolLookup symbols;

  private HostKernels(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  private static final @Nullable String MISSING = look();

  /// Returns why kernels cannot be compiled here, or null.
  static @Nullable String missing() {
    return MISSING;
  }

  private static @Nullable String look() {
    try {
      Process process = new ProcessBuilder(COMPILER, "--version").redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor() == 0 ? null : "g++ does not run";
    } catch (IOException e) {
      return "no g++: " + e.getMessage();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// Compiles a source in a folder.
  static HostKernels compile(Path folder, String source, List<String> defines) throws IOException {
    StringBuilder text = new StringBuilder(header());
    text.append(source.substring(source.indexOf("#line 1 \"device.cuh\"")));
    Matcher entries = ENTRY.matcher(source);
    while (entries.find()) {
      text.append("HOST_ENTRY(").append(entries.group(1)).append(")\n");
    }
    Path file = Files.createTempFile(folder, "kernels", ".cpp");
    Path library = Path.of(file.toString().replace(".cpp", ".so"));
    Files.writeString(file, text);
    List<String> command = new ArrayList<>(List.of(COMPILER, "-std=c++17", "-O1", "-w", "-shared"));
    command.addAll(List.of("-fPIC", "-o", library.toString(), file.toString()));
    defines.forEach(define -> command.add("-D" + define));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    try {
      if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
        throw new IOException(command + "\n" + output);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return new HostKernels(SymbolLookup.libraryLookup(library, Arena.global()));
  }

  private static String header() throws IOException {
    try (InputStream in = HostKernels.class.getResourceAsStream("host.h")) {
      if (in == null) {
        throw new IOException("no resource host.h");
      }
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  boolean has(String kernel) {
    return symbols.find("run_" + kernel).isPresent();
  }

  /// Runs a kernel to its end; returns 0, or 1 where its threads do not all come to its barriers.
  int run(String kernel, MemorySegment arguments, int x, int y, int threads) {
    MethodHandle run =
        Linker.nativeLinker().downcallHandle(symbols.findOrThrow("run_" + kernel), RUN);
    try {
      return (int) run.invokeExact(arguments, x, y, threads);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /// Writes offset and size of a parameter; returns 1 past the last.
  int describe(String kernel, int index, MemorySegment offset, MemorySegment size) {
    MethodHandle describe =
        Linker.nativeLinker().downcallHandle(symbols.findOrThrow("describe_" + kernel), DESCRIBE);
    try {
      return (int) describe.invokeExact(index, offset, size);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
