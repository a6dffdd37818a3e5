package dev.gatun.runtime.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is no package for this machine is refused with one line.
@ExtendWith(LeakCheck.class)
class ModelPackageTest {
  @TempDir Path folder;

  @BeforeAll
  static void machineCodeIsForThisMachine() {
    assumeThat(Probe.runsHere()).as("Linux on x86-64").isTrue();
  }

  private static void assertRefused(Path file, String reason) {
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> CompiledModel.open(scope, file))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageStartingWith(file + ": ")
          .hasMessageContaining(reason)
          .hasMessageContaining(", expected ");
    }
  }

  private void assertRefused(String end, UnaryOperator<byte[]> change, String reason)
      throws IOException {
    assertRefused(Probe.changed(folder, end, change), reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"cpu\"   | \"xpu\"   | AOTI_DEVICE_KEY: found xpu, expected cpu",
        "\"linux\" | \"win32\" | AOTI_PLATFORM: found win32, expected linux",
        "x86_64    | arm64_    | AOTI_MACHINE: found arm64_, expected x86_64",
        "AOTI_DEV  | AOTI_dev  | AOTI_DEVICE_KEY: found nothing, expected cpu",
        "{         | [         | wrapper_metadata.json: found",
      })
  void refusesPackagesForOtherMachines(String text, String other, String reason)
      throws IOException {
    assertRefused("_metadata.json", Probe.replacing(text, other), reason);
  }

  @Test
  void refusesInstructionsThatTheProcessorLacks() throws IOException {
    String processor = Backend.processor();
    assumeThat(processor).as("a processor without AMX").doesNotContain("amx_tile");
    assertRefused(
        "_metadata.json",
        Probe.replacing("INVALID_VEC_ISA", "AMX_TILE"),
        "AOTI_CPU_ISA: found AMX_TILE, expected a processor with [amx_tile");
  }

  @Test
  void refusesLibrariesOfAnotherRelease() throws IOException {
    assertRefused(
        ".so",
        Probe.replacing("aoti_torch_empty_strided", "aoti_torch_empty_stridee"),
        "undefined symbol: aoti_torch_empty_stridee, expected one that runs with libtorch");
    assertRefused(
        ".so",
        Probe.replacing("AOTInductorGetLastError", "AOTInductorGetLastErroR"),
        "found a library without AOTInductorGetLastError");
  }

  @Test
  void refusesModelsThatDoNotCheckTheirInputs() throws IOException {
    assertRefused(
        ".cpp",
        Probe.replacing("assert_size_stride", "assert_size_nothin"),
        "wrapper.cpp: found no assert_size_stride(");
    assertRefused(".cpp", bytes -> new byte[0], "expected a wrapper.cpp");
  }

  @Test
  void refusesOperatorsOutOfReach() throws IOException {
    String node = "{\"nodes\": [{\"node\": {\"target\": \"my::foo\"}}]}";
    Path file = Files.copy(Probe.FILE, folder.resolve("foreign.pt2"));
    try (FileSystem zip = FileSystems.newFileSystem(file)) {
      Files.writeString(zip.getPath("probe/data/aotinductor/model/x.wrapper.json"), node);
    }
    assertRefused(file, "wrapper.json: found operators [my::foo]");
  }

  @Test
  void refusesWhatIsNoPackage() throws IOException {
    Path text = Files.writeString(folder.resolve("text.pt2"), "no archive");
    assertRefused(text, "a .pt2 package, which is a zip archive");
    assertRefused(folder, "found a folder");
    byte[] all = Files.readAllBytes(Probe.FILE);
    Path cut = Files.write(folder.resolve("cut.pt2"), Arrays.copyOf(all, all.length / 2));
    assertRefused(cut, "a .pt2 package, which is a zip archive");
  }

  @Test
  void refusesPackagesWithoutTheModel() throws IOException {
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> CompiledModel.open(scope, Probe.FILE, "other"))
          .isInstanceOf(MalformedFileException.class)
          .hasMessageContaining("model 'other': found the models [model], expected");
      assertThatThrownBy(() -> CompiledModel.open(scope, folder.resolve("absent.pt2")))
          .isInstanceOf(NoSuchFileException.class);
    }
    assertRefused(".so", bytes -> new byte[0], "expected a wrapper.so");
  }

  @Test
  void refusesDamagedLibraries() throws IOException {
    byte[] all = Files.readAllBytes(Probe.FILE);
    int failed = 0;
    for (int at = all.length / 3; at < all.length / 2; at += all.length / 60) {
      byte[] damaged = all.clone();
      damaged[at] ^= 0x10;
      Path file = Files.write(folder.resolve("damaged.pt2"), damaged);
      assertRefused(file, "wrapper.so");
      failed++;
    }
    assertThat(failed).isGreaterThan(5);
    assertRefused(".so", bytes -> Arrays.copyOf(bytes, bytes.length / 2), "is cut short");
  }
}
