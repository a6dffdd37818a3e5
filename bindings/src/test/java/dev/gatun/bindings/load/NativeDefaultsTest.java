package dev.gatun.bindings.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NativeDefaultsTest {
  private static final Platform LINUX = Platform.of("Linux", "amd64");
  private static final CpuFeatures UNKNOWN = CpuFeatures.parse(List.of());

  @Test
  void keepsOpenBlasOutOfTheWayOnX86() {
    assertThat(NativeDefaults.of(LINUX, UNKNOWN, 8, Map.of()))
        .containsEntry("OPENBLAS_NUM_THREADS", "1")
        .hasSize(2);
    assertThat(NativeDefaults.of(Platform.of("Mac OS X", "aarch64"), UNKNOWN, 8, Map.of()))
        .hasSize(1);
  }

  @Test
  void hasCompiledModelsCheckTheirInputs() {
    assertThat(NativeDefaults.of(Platform.of("Mac OS X", "aarch64"), UNKNOWN, 8, Map.of()))
        .containsEntry("AOTI_RUNTIME_CHECK_INPUTS", "1");
  }

  @Test
  void tellsOpenMpOfTheContainersLimit() {
    CpuFeatures big = new CpuFeatures("", "", -1, 64, Set.of());

    assertThat(NativeDefaults.of(LINUX, big, 4, Map.of())).containsEntry("OMP_NUM_THREADS", "4");
    assertThat(NativeDefaults.of(LINUX, big, 64, Map.of())).doesNotContainKey("OMP_NUM_THREADS");
  }

  @Test
  void tellsOpenBlasOfZen5() {
    Set<String> avx512 = Set.of("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");

    assertThat(coreType("AuthenticAMD", 26, avx512)).isTrue();
    assertThat(coreType("AuthenticAMD", 26, Set.of("avx2"))).isFalse();
    assertThat(coreType("AuthenticAMD", 25, avx512)).isFalse();
    assertThat(coreType("GenuineIntel", 26, avx512)).isFalse();
  }

  @Test
  void leavesWhatTheUserHasSet() {
    Map<String, String> user =
        Map.of(
            "OPENBLAS_NUM_THREADS", "3", "OMP_NUM_THREADS", "", "AOTI_RUNTIME_CHECK_INPUTS", "0");

    assertThat(NativeDefaults.of(LINUX, new CpuFeatures("", "", -1, 64, Set.of()), 4, user))
        .isEmpty();
  }

  @Test
  void readsProcCpuinfo() {
    CpuFeatures cpu =
        CpuFeatures.parse(
            List.of(
                "processor\t: 0",
                "vendor_id\t: GenuineIntel",
                "cpu family\t: 6",
                "model name\t: Intel(R) Xeon(R) Platinum 8481C",
                "flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16",
                "",
                "processor\t: 1",
                "vendor_id\t: GenuineIntel"));

    assertThat(cpu)
        .isEqualTo(
            new CpuFeatures(
                "Intel(R) Xeon(R) Platinum 8481C",
                "GenuineIntel",
                6,
                2,
                Set.of("amx_bf16", "avx2", "avx512_bf16", "avx512f")));
    assertThat(cpu.flags()).containsExactly("amx_bf16", "avx2", "avx512_bf16", "avx512f");
    assertThat(cpu.has("avx2", "avx512f")).isTrue();
    assertThat(cpu.has("avx2", "avx512_fp16")).isFalse();
    assertThat(UNKNOWN.processors()).isZero();
  }

  private static boolean coreType(String vendor, int family, Set<String> flags) {
    CpuFeatures cpu = new CpuFeatures("", vendor, family, 2, flags);
    return NativeDefaults.of(LINUX, cpu, 2, Map.of()).containsKey("OPENBLAS_CORETYPE");
  }
}
