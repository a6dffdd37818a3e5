package dev.gatun.bindings.load;

import java.util.LinkedHashMap;
import java.util.Map;

/// The variables that libtorch, its BLAS and compiled models read when they are opened. Each is set
/// only where the user has not set it.
///
/// | variable               | value                 | where                      | why |
/// |------------------------|-----------------------|----------------------------|-----|
/// | `AOTI_RUNTIME_CHECK_INPUTS` | 1                | everywhere                 | a compiled model then checks its inputs, and does not read past the end of a short one |
/// | `OMP_NUM_THREADS`      | processors of the JVM | a container with a quota   | libgomp counts the machine's processors, not the quota's, and is then throttled |
/// | `OPENBLAS_NUM_THREADS` | 1                     | x86-64                     | OpenBLAS has a pool of its own that fights OpenMP's for the cores: 8-10 ms lost per switch, and the flash kernel breaks down; big products go to oneDNN instead |
/// | `OPENBLAS_CORETYPE`    | `SKYLAKEX`            | AMD from Zen 5 on, AVX-512 | OpenBLAS takes it for Haswell: GEMM 1.7x slower |
final class NativeDefaults {
  private static final int ZEN_5_FAMILY = 26;

  private NativeDefaults() {}

  static Map<String, String> of(
      Platform platform, CpuFeatures cpu, int availableProcessors, Map<String, String> user) {
    Map<String, String> defaults = new LinkedHashMap<>();
    defaults.put("AOTI_RUNTIME_CHECK_INPUTS", "1");
    if (availableProcessors < cpu.processors()) {
      defaults.put("OMP_NUM_THREADS", Integer.toString(availableProcessors));
    }
    if (platform.arch().equals("x86_64")) {
      defaults.put("OPENBLAS_NUM_THREADS", "1");
    }
    if (cpu.vendor().equals("AuthenticAMD")
        && cpu.family() >= ZEN_5_FAMILY
        && cpu.has("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")) {
      defaults.put("OPENBLAS_CORETYPE", "SKYLAKEX");
    }
    defaults.keySet().removeAll(user.keySet());
    return defaults;
  }
}
