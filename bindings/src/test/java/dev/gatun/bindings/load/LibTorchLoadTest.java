package dev.gatun.bindings.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Each case loads libtorch in a JVM of its own.
@EnabledOnOs(OS.LINUX)
class LibTorchLoadTest {
  private static Path unpacked = Path.of("");

  @TempDir Path folder;

  @BeforeAll
  static void unpack() {
    unpacked = Path.of(ProbeRun.onClassPath().result().get("folder"));
  }

  @AfterEach
  void removeLinks() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path link : files.filter(Files::isSymbolicLink).toList()) {
        Files.delete(link);
      }
    }
  }

  @Test
  void takesTheNativeJarsWhereNothingIsNamed() {
    Map<String, String> result = ProbeRun.onClassPath().result();

    assertThat(result).containsEntry("source", "CLASS_PATH").containsEntry("same", "true");
    assertThat(result).doesNotContainKeys("error", "progress");
    assertThat(result.get("version")).matches("2\\.\\d+\\.\\d+");
    assertThat(result.get("steps"))
        .isEqualTo(
            "[-Dgatun.libtorch: not set, GATUN_LIBTORCH: not set, LIBTORCH: not set,"
                + " class path: unpacked in %s]",
            unpacked);
    assertThat(result.get("libraries")).endsWith("libc10.so, " + unpacked + "/libtorch_cpu.so]");
    assertThat(result.get("openmp")).isEqualTo("[" + unpacked + "/libgomp.so.1]");
    assertThat(result.get("blas")).startsWith("OpenBLAS ");
    assertThat(result.get("threads")).startsWith("Counts[openMp=1, openBlas=OptionalInt[1]");
  }

  @Test
  void computesOnTheCpuWhereItsCudaHalfCannotBeOpened() throws IOException {
    ProbeRun run = ProbeRun.onClassPath().with("GATUN_LIBTORCH", folder);
    try (Stream<Path> files = Files.list(unpacked)) {
      for (Path file : files.toList()) {
        Files.createSymbolicLink(folder.resolve(file.getFileName()), file);
      }
    }
    assertThat(run.result().get("cuda"))
        .isEqualTo(folder + " has no libtorch_cuda.so: this libtorch is for the CPU");

    Files.writeString(folder.resolve("libtorch_cuda.so"), "no library");
    // without a driver it is the driver that is missing
    assertThat(run.result()).containsKey("version").doesNotContainKey("error");
    assertThat(run.result().get("cuda"))
        .matches("no NVIDIA driver: libcuda.so.1: .*|.*libtorch_cuda.so: .*");
  }

  @Test
  void worksOnTheModulePath() {
    assertThat(ProbeRun.onModulePath().result())
        .containsEntry("source", "CLASS_PATH")
        .containsEntry("folder", unpacked.toString());
  }

  @Test
  void takesTheFirstOfTheSearchOrder() throws IOException {
    Path outer = Files.createDirectory(folder.resolve("libtorch"));
    Path lib = Files.createSymbolicLink(outer.resolve("lib"), unpacked);
    ProbeRun last = ProbeRun.onClassPath().with("LIBTORCH", unpacked);
    ProbeRun second = last.with("GATUN_LIBTORCH", lib).with("LIBTORCH", "/nowhere");
    ProbeRun first = second.with("-Dgatun.libtorch=" + outer).with("GATUN_LIBTORCH", "/nowhere");

    assertThat(last.result()).containsEntry("source", "LIBTORCH");
    assertThat(second.result())
        .containsEntry("source", "GATUN_LIBTORCH")
        .containsEntry("folder", lib.toString());
    assertThat(first.result())
        .containsEntry("source", "PROPERTY")
        .containsEntry("folder", lib.toString())
        .containsEntry("steps", "[-Dgatun.libtorch: " + lib + "]");
  }

  @Test
  void asksPythonLast() throws IOException {
    Path torch = Files.createDirectory(folder.resolve("torch"));
    Files.createSymbolicLink(torch.resolve("lib"), unpacked);
    python("#!/bin/sh\necho " + torch + "\n");
    ProbeRun run = ProbeRun.onClassPath().with("PATH", folder);

    assertThat(run.result()).containsEntry("source", "CLASS_PATH");
    assertThat(run.withNatives(List.of()).result())
        .containsEntry("source", "PYTHON")
        .containsEntry("folder", torch.resolve("lib").toString());
  }

  @Test
  void tellsAllPlacesWhereNothingIsFound() throws IOException {
    ProbeRun run = ProbeRun.onClassPath().withNatives(List.of()).with("PATH", folder);
    String start =
        "no libtorch for linux-x86_64: -Dgatun.libtorch: not set; GATUN_LIBTORCH: not set;"
            + " LIBTORCH: not set; class path: no"
            + " org/bytedeco/pytorch/linux-x86_64/libtorch_cpu.so; python3: ";

    assertThat(run.result().get("error"))
        .isEqualTo(
            start
                + "is not on the PATH. Add dev.gatun:gatun-libtorch-cpu to the class path, or set"
                + " GATUN_LIBTORCH to the folder of a LibTorch or pip torch, 2.10 or newer");
    python("#!/bin/sh\necho\n");
    assertThat(run.result().get("error")).startsWith(start + "has no torch. ");
    python("#!/bin/sh\nexit 3\n");
    assertThat(run.result().get("error")).startsWith(start + "ended with code 3. ");
  }

  @Test
  void tellsWhichNativeJarIsMissing() {
    List<Path> torchOnly =
        ProbeRun.nativeJars().stream().filter(jar -> !jar.toString().contains("openblas")).toList();
    ProbeRun run = ProbeRun.onClassPath().withNatives(torchOnly);

    assertThat(run.result().get("error"))
        .isEqualTo(
            "class path: has libtorch but not"
                + " org/bytedeco/openblas/linux-x86_64/libopenblas.so.0: add org.bytedeco:openblas"
                + " with classifier linux-x86_64");
  }

  @Test
  void refusesANamedFolderInsteadOfSkippingIt() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    for (Path wrong : List.of(folder, file, Path.of("/nowhere"))) {
      assertThat(ProbeRun.onClassPath().with("GATUN_LIBTORCH", wrong).result().get("error"))
          .isEqualTo(
              "GATUN_LIBTORCH: %s has no libtorch_cpu.so, neither directly nor in lib; expected the"
                  + " folder of a LibTorch or pip torch",
              wrong);
    }
  }

  @Test
  void refusesAFileThatIsNoLibrary() throws IOException {
    Path torch = Files.writeString(folder.resolve("libtorch_cpu.so"), "nothing");

    assertThat(errorFor("LIBTORCH"))
        .isEqualTo(
            "cannot use libtorch from LIBTORCH: %s is no 64-bit ELF library (7 bytes); correct or"
                + " remove LIBTORCH",
            torch);
  }

  @Test
  void refusesALibraryThatWasCutShort() throws IOException {
    copyLibraries();
    Path torch = folder.resolve("libtorch_cpu.so");
    Files.delete(torch);
    try (RandomAccessFile whole =
        new RandomAccessFile(unpacked.resolve("libtorch_cpu.so").toFile(), "r")) {
      byte[] start = new byte[1 << 20];
      whole.readFully(start);
      Files.write(torch, start);
    }

    assertThat(errorFor("GATUN_LIBTORCH"))
        .contains(torch + " is cut short: it has 1048576 bytes, its headers ask for ");
  }

  @Test
  void refusesALibraryForAnotherProcessor() throws IOException {
    byte[] library = Files.readAllBytes(unpacked.resolve("libc10.so"));
    library[18] = 40;
    Path torch = Files.write(folder.resolve("libtorch_cpu.so"), library);

    assertThat(errorFor("GATUN_LIBTORCH"))
        .contains(torch + " is for another processor: found ELF machine 40, expected 62 (x86_64)");
  }

  @Test
  void refusesALibraryWithoutTheFunctions() throws IOException {
    Path torch = folder.resolve("libtorch_cpu.so");
    Files.copy(unpacked.resolve("libquadmath.so.0"), torch);

    assertThat(errorFor("GATUN_LIBTORCH"))
        .contains(torch + " lacks aoti_torch_abi_version; expected libtorch 2.10.0 or newer");
  }

  @Test
  void refusesAnOlderVersionUnopened() throws IOException {
    Path lib = Files.createDirectory(folder.resolve("lib"));
    Files.writeString(lib.resolve("libtorch_cpu.so"), "never opened");
    Files.writeString(folder.resolve("version.py"), "x = 1\n__version__ = '2.7.1+cpu'\n");
    String expected =
        "cannot use libtorch from GATUN_LIBTORCH: found version 2.7.1 in %s, expected 2.10.0 or"
            + " newer; correct or remove GATUN_LIBTORCH";

    assertThat(errorFor("GATUN_LIBTORCH")).isEqualTo(expected, lib);
    Files.delete(folder.resolve("version.py"));
    Files.writeString(folder.resolve("build-version"), "2.7.1+cu126\n");
    assertThat(errorFor("GATUN_LIBTORCH")).isEqualTo(expected, lib);
  }

  @Test
  void passesTheLoadersOwnTextOn() throws IOException {
    Files.copy(unpacked.resolve("libopenblas.so.0"), folder.resolve("libtorch_cpu.so"));

    assertThat(errorFor("GATUN_LIBTORCH")).contains("libgfortran.so.5: cannot open shared object");
  }

  @Test
  void refusesASecondLibtorchInOneProcess() throws IOException {
    Path other = folder.resolve("libc10.so");
    Files.copy(unpacked.resolve("libc10.so"), other);

    assertThat(ProbeRun.onClassPath().result(other.toString()).get("error"))
        .contains(
            "this process has already opened %s, so %s cannot be opened beside it"
                .formatted(other, unpacked));
    assertThat(ProbeRun.onClassPath().result(unpacked.resolve("libc10.so").toString()))
        .containsEntry("source", "CLASS_PATH");
  }

  @Test
  void namesTheFlagWhereNativeAccessIsDenied() {
    String start = "native access is denied to Gatun: start java with --enable-native-access=";

    assertThat(ProbeRun.onClassPath().withoutGrant().result())
        .containsEntry("error", start + "ALL-UNNAMED");
    assertThat(ProbeRun.onModulePath().withoutGrant().result())
        .containsEntry("error", start + "dev.gatun.bindings");
  }

  @Test
  void leavesTheUsersVariablesAlone() {
    Map<String, String> result = ProbeRun.onClassPath().with("OPENBLAS_NUM_THREADS", "2").result();

    assertThat(result.get("variables")).doesNotContain("OPENBLAS_NUM_THREADS");
    assertThat(result.get("threads")).contains("openBlas=OptionalInt[2]");
  }

  private String errorFor(String variable) {
    return ProbeRun.onClassPath().with(variable, folder).result().get("error");
  }

  private void copyLibraries() throws IOException {
    try (Stream<Path> files = Files.list(unpacked)) {
      for (Path file : files.toList()) {
        Files.createSymbolicLink(folder.resolve(file.getFileName()), file);
      }
    }
  }

  private void python(String script) throws IOException {
    Path python = Files.writeString(folder.resolve("python3"), script);
    assertThat(python.toFile().setExecutable(true)).isTrue();
  }
}
