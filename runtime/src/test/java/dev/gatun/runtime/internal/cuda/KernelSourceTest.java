package dev.gatun.runtime.internal.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.LeakCheck;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kernel source compiles for each architecture that we name, within its budget of registers
/// and without spills. It takes NVRTC, which `-Dgatun.cuda=FOLDER` or `GATUN_CUDA` may name, and no
/// device.
@DisabledIfSystemProperty(named = "gatun.cuda.fake", matches = "true")
@ExtendWith({CudaCondition.Nvrtc.class, LeakCheck.class})
class KernelSourceTest {
  private static final Pattern USED =
      Pattern.compile(
          "Compiling entry function '(\\w+)'.*?(\\d+) bytes spill stores, (\\d+) bytes spill loads"
              + ".*?Used (\\d+) registers",
          Pattern.DOTALL);

  /// Registers of a thread, most of any kernel of a file: blocks of 256 threads fill a
  /// multiprocessor to a half or more at 64, those of 512 at 40.
  private static final Map<String, Integer> BUDGETS =
      Map.of(
          "swiglu.cu", 48,
          "gelu.cu", 40,
          "rope.cu", 56,
          "rmsnorm.cu", 48,
          "headloss.cu", 42,
          "adamw.cu", 48,
          "masks.cu", 56);

  private static Stream<Arguments> variants() {
    List<Arguments> all = new ArrayList<>();
    for (String file : new TreeSet<>(BUDGETS.keySet())) {
      for (int architecture : new int[] {80, 90}) {
        for (String element : List.of("f32", "bf16", "f16")) {
          List<String> defines =
              switch (file) {
                case "rope.cu" -> List.of("ELEMENT=" + element, "TABLE=" + element);
                case "rmsnorm.cu" -> List.of("ELEMENT=" + element, "WEIGHT=f32");
                case "adamw.cu" -> List.of();
                default -> List.of("ELEMENT=" + element);
              };
          if (element.equals("f32") || !defines.isEmpty()) { // one that knows no types comes once
            all.add(Arguments.of(file, architecture, defines));
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("variants")
  void compilesWithinItsBudget(String file, int architecture, List<String> defines) {
    String source = CudaProgram.of(file).source();
    List<String> options = new ArrayList<>(KernelCompiler.options(architecture, defines));
    options.add("--ptxas-options=-v");
    KernelCompiler.Compiled compiled = KernelCompiler.compileNow(file, source, options);

    assertThat(compiled.log()).doesNotContain("warning");
    Matcher used = USED.matcher(compiled.log());
    TreeSet<String> seen = new TreeSet<>();
    while (used.find()) {
      seen.add(used.group(1));
      assertThat(used.group(2) + " " + used.group(3)).as(used.group(1)).isEqualTo("0 0");
      assertThat(Integer.parseInt(used.group(4)))
          .as("registers of %s", used.group(1))
          .isLessThanOrEqualTo(BUDGETS.get(file));
    }
    assertThat(seen).isEqualTo(Cubin.parameters(compiled.cubin()).keySet()).isNotEmpty();
  }

  /// One variant of each file: parameters are pointers and numbers alike in all.
  private static Stream<Arguments> files() {
    return variants()
        .filter(each -> each.get()[1].equals(90))
        .filter(each -> !each.get()[2].toString().contains("f16"));
  }

  @ParameterizedTest
  @MethodSource("files")
  void theDeviceTakesParametersWhereTheHostDoes(
      String file, int architecture, List<String> defines, @TempDir Path folder)
      throws IOException {
    String missing = HostKernels.missing();
    if (missing != null) {
      abort(missing);
    }
    String source = CudaProgram.of(file).source();
    List<String> options = KernelCompiler.options(architecture, defines);
    byte[] cubin = KernelCompiler.compileNow(file, source, options).cubin();
    HostKernels host = HostKernels.compile(folder, source, defines);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(16);
      Cubin.parameters(cubin)
          .forEach((kernel, parameters) -> {
            for (int i = 0; i <= parameters.length; i++) {
              int code = host.describe(kernel, i, out, out.asSlice(8));
              assertThat(code).as("%s %d", kernel, i).isEqualTo(i < parameters.length ? 0 : 1);
              if (code == 0) {
                assertThat(parameters[i])
                    .as("%s %d", kernel, i)
                    .containsExactly(
                        (int) out.get(ValueLayout.JAVA_LONG, 0),
                        (int) out.get(ValueLayout.JAVA_LONG, 8));
              }
            }
          });
    }
  }

  @Test
  void anErrorTellsFileAndLine() {
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() ->
            KernelCompiler.compileNow(
                "bad.cu", "__global__ void f() { g(); }", KernelCompiler.options(90, List.of())))
        .withMessageContaining("bad.cu(1): error");
  }

  @Test
  void whatIsCompiledForADeviceIsKept(@TempDir Path folder) {
    KernelCompiler.keepIn(folder);
    String source = CudaProgram.of("gelu.cu").source();
    byte[] once = KernelCompiler.compile("gelu.cu", source, 90, List.of("ELEMENT=f32"));
    assertThat(KernelCompiler.compile("gelu.cu", source, 90, List.of("ELEMENT=f32")))
        .isEqualTo(once);
    assertThat(folder).isDirectoryContaining("glob:**.cubin");
  }
}
