package dev.gatun.bindings.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// What the processor offers, as Linux tells it in `/proc/cpuinfo`. Immutable and thread-safe.
///
/// @param model the processor's name, empty where it is not known
/// @param vendor the maker's id such as `GenuineIntel` or `AuthenticAMD`, empty where not known
/// @param family the maker's family number, -1 where not known
/// @param processors how many logical processors the machine has, 0 where not known; a container
///   may be allowed fewer, see [Runtime#availableProcessors]
/// @param flags those of `avx2`, `avx512f`, `avx512_bf16`, `amx_bf16` and the like that matter to
///   libtorch's kernels, sorted
public record CpuFeatures(
    String model, String vendor, int family, int processors, Set<String> flags) {
  private static final Set<String> SHOWN =
      Set.of(
          "avx2",
          "fma",
          "f16c",
          "avx_vnni",
          "avx512f",
          "avx512bw",
          "avx512cd",
          "avx512dq",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "amx_tile",
          "amx_bf16",
          "amx_int8",
          "asimd",
          "bf16",
          "i8mm",
          "sve",
          "sve2");

  /// Copies the flags.
  public CpuFeatures {
    flags = Collections.unmodifiableSortedSet(new TreeSet<>(flags));
  }

  /// Reads the features of this machine.
  ///
  /// @return the features; on systems other than Linux one that knows nothing
  public static CpuFeatures detect() {
    Path file = Path.of("/proc/cpuinfo");
    try {
      return Files.isReadable(file) ? parse(Files.readAllLines(file)) : parse(List.of());
    } catch (IOException e) {
      return parse(List.of());
    }
  }

  static CpuFeatures parse(List<String> lines) {
    Map<String, String> first = new LinkedHashMap<>();
    int processors = 0;
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        String key = line.substring(0, colon).strip();
        processors += key.equals("processor") ? 1 : 0;
        first.putIfAbsent(key, line.substring(colon + 1).strip());
      }
    }
    String flags = first.getOrDefault("flags", first.getOrDefault("Features", ""));
    Set<String> shown = new TreeSet<>(Arrays.asList(flags.split("\\s+")));
    shown.retainAll(SHOWN);
    return new CpuFeatures(
        first.getOrDefault("model name", ""),
        first.getOrDefault("vendor_id", ""),
        Integer.parseInt(first.getOrDefault("cpu family", "-1")),
        processors,
        shown);
  }

  /// Tells whether the processor has all of the named features.
  ///
  /// @param names features as `/proc/cpuinfo` spells them
  /// @return whether every one is among [#flags]
  public boolean has(String... names) {
    return flags.containsAll(List.of(names));
  }
}
