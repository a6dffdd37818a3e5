package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gatun.bindings.load.CudaLibrary;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.nvrtc.Nvrtc;
import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.CudaException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Compiles CUDA C++ for an architecture by NVRTC, and keeps what it made in the user's cache,
/// under the SHA-256 of all that it depends on. Thread-safe.
public final class KernelCompiler {
  private static final System.Logger LOG = System.getLogger("dev.gatun.runtime");
  private static final byte[] ELF = {0x7F, 'E', 'L', 'F'};

  private static volatile Path folder = LibTorch.cacheFolder().resolve("kernels");

  private KernelCompiler() {}

  /// Keeps what is compiled from now on in another folder.
  static void keepIn(Path other) {
    folder = other;
  }

  /// A compiled program.
  ///
  /// @param cubin machine code in an ELF file
  /// @param log what the compiler said
  public record Compiled(byte[] cubin, String log) {}

  /// {@return why there is no compiler; empty where there is one}
  public static Optional<String> missing() {
    return CudaLibrary.NVRTC.missing().map(text -> "no NVRTC: " + text);
  }

  /// {@return NVRTC's version, such as 13.0}
  public static String version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(2 * JAVA_INT.byteSize());
      check(Nvrtc.nvrtcVersion(out, out.asSlice(4)), "nvrtcVersion", "");
      return out.get(JAVA_INT, 0) + "." + out.get(JAVA_INT, 4);
    }
  }

  /// {@return the machine code of a program, from the cache where it is there}
  ///
  /// @param file name of the source, for the compiler's messages
  /// @param source CUDA C++
  /// @param architecture such as 90
  /// @param defines macros, such as `ELEMENT=bf16`
  /// @throws CudaException with the compiler's log if the source is refused
  /// @throws IllegalStateException if there is no NVRTC
  public static byte[] compile(String file, String source, int architecture, List<String> defines) {
    missing()
        .ifPresent(text -> {
          throw new IllegalStateException(
              "cuda: " + text + "; set GATUN_CUDA to the folder that has it");
        });
    List<String> options = options(architecture, defines);
    Path cached = folder.resolve(key(source, options) + ".cubin");
    byte[] kept = read(cached);
    if (kept.length > 0) {
      return kept;
    }
    byte[] cubin = compileNow(file, source, options).cubin;
    write(cached, cubin);
    return cubin;
  }

  /// {@return the options that [#compile] gives to NVRTC}
  ///
  /// @param architecture such as 90
  /// @param defines macros
  public static List<String> options(int architecture, List<String> defines) {
    List<String> options = new ArrayList<>();
    options.add("--gpu-architecture=sm_" + architecture);
    options.add("--std=c++17");
    options.add("--device-as-default-execution-space"); // for lambdas
    // NVRTC would lift the whole process's limit of stacks meanwhile
    options.add("--modify-stack-limit=false");
    defines.forEach(define -> options.add("-D" + define));
    return options;
  }

  /// {@return the program, compiled anew}
  ///
  /// @param file name of the source
  /// @param source CUDA C++
  /// @param options of NVRTC
  /// @throws CudaException with the compiler's log if the source is refused
  public static Compiled compileNow(String file, String source, List<String> options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      MemorySegment none = MemorySegment.NULL;
      check(
          Nvrtc.nvrtcCreateProgram(
              out, arena.allocateFrom(source), arena.allocateFrom(file), 0, none, none),
          "nvrtcCreateProgram",
          file);
      MemorySegment program = out.get(ADDRESS, 0);
      try {
        MemorySegment list = arena.allocate(ADDRESS, options.size());
        for (int i = 0; i < options.size(); i++) {
          list.setAtIndex(ADDRESS, i, arena.allocateFrom(options.get(i)));
        }
        int code = Nvrtc.nvrtcCompileProgram(program, options.size(), list);
        String log = log(arena, program);
        check(code, "nvrtcCompileProgram", file + " " + options + "\n" + log);
        check(Nvrtc.nvrtcGetCUBINSize(program, out), "nvrtcGetCUBINSize", file);
        MemorySegment cubin = arena.allocate(out.get(JAVA_LONG, 0));
        check(Nvrtc.nvrtcGetCUBIN(program, cubin), "nvrtcGetCUBIN", file);
        return new Compiled(cubin.toArray(JAVA_BYTE), log);
      } finally {
        out.set(ADDRESS, 0, program);
        check(Nvrtc.nvrtcDestroyProgram(out), "nvrtcDestroyProgram", file);
      }
    }
  }

  private static String log(Arena arena, MemorySegment program) {
    MemorySegment out = arena.allocate(JAVA_LONG);
    check(Nvrtc.nvrtcGetProgramLogSize(program, out), "nvrtcGetProgramLogSize", "");
    MemorySegment log = arena.allocate(Math.max(1, out.get(JAVA_LONG, 0)));
    check(Nvrtc.nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog", "");
    return log.getString(0).strip();
  }

  private static void check(int code, String function, String about) {
    if (code != 0) {
      String text = Nvrtc.nvrtcGetErrorString(code).getString(0);
      throw new CudaException(function, code, text + (about.isEmpty() ? "" : ": " + about));
    }
  }

  private static String key(String source, List<String> options) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      for (String part : List.of(version(), String.join("\n", options), source)) {
        byte[] bytes = part.getBytes(UTF_8);
        sha256.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
        sha256.update(bytes);
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /// Returns what was kept, or nothing: a cache that cannot be read costs time alone.
  private static byte[] read(Path cached) {
    if (!Files.isRegularFile(cached)) {
      return new byte[0];
    }
    try {
      byte[] bytes = Files.readAllBytes(cached);
      boolean whole =
          bytes.length > ELF.length
              && ByteBuffer.wrap(bytes, 0, ELF.length).equals(ByteBuffer.wrap(ELF));
      return whole ? bytes : new byte[0];
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "kernels are compiled anew: " + e);
      return new byte[0];
    }
  }

  private static void write(Path cached, byte[] cubin) {
    try {
      Files.createDirectories(cached.getParent());
      AtomicFile.write(
          cached,
          channel -> {
            ByteBuffer bytes = ByteBuffer.wrap(cubin);
            while (bytes.hasRemaining()) {
              channel.write(bytes);
            }
          });
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "kernels are not kept: " + e);
    }
  }
}
