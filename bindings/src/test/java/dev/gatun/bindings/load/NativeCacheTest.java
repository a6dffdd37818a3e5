package dev.gatun.bindings.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  private static final Platform LINUX = Platform.of("Linux", "amd64");

  @TempDir Path folder;

  private final List<String> progress = new ArrayList<>();

  @Test
  void unpacksOnce() throws IOException {
    ClassPathNatives natives = natives("one");
    NativeCache cache = new NativeCache(folder.resolve("cache"));

    Path unpacked = cache.unpack(LINUX, natives, progress::add);
    assertThat(cache.unpack(LINUX, natives, progress::add)).isEqualTo(unpacked);

    assertThat(progress).containsExactly("unpacking libtorch (0 MB) into " + unpacked);
    assertThat(names(unpacked))
        .containsExactlyInAnyOrder(
            "SHA256SUMS", "libopenblas.so.0", "libc10.so", "libtorch_cpu.so");
    assertThat(unpacked.resolve("libc10.so")).hasContent("one libc10.so");
    assertThat(Files.readAllLines(unpacked.resolve("SHA256SUMS")))
        .hasSize(3)
        .allMatch(line -> line.matches("[0-9a-f]{64}  lib.*"));
    assertThat(names(cache.root()))
        .containsExactlyInAnyOrder(
            unpacked.getFileName().toString(), unpacked.getFileName() + ".lock");
  }

  @Test
  void keepsEverySetInAFolderOfItsOwn() throws IOException {
    NativeCache cache = new NativeCache(folder.resolve("cache"));

    Path first = cache.unpack(LINUX, natives("one"), progress::add);
    Path second = cache.unpack(LINUX, natives("two"), progress::add);

    assertThat(first).isNotEqualTo(second);
    assertThat(first.resolve("libc10.so")).hasContent("one libc10.so");
    assertThat(second.resolve("libc10.so")).hasContent("two libc10.so");
  }

  @Test
  void unpacksAgainWhatIsDamaged() throws IOException {
    ClassPathNatives natives = natives("one");
    NativeCache cache = new NativeCache(folder.resolve("cache"));
    Path unpacked = cache.unpack(LINUX, natives, progress::add);

    Files.writeString(unpacked.resolve("libc10.so"), "short");
    cache.unpack(LINUX, natives, progress::add);
    assertThat(unpacked.resolve("libc10.so")).hasContent("one libc10.so");

    Files.delete(unpacked.resolve("libtorch_cpu.so"));
    cache.unpack(LINUX, natives, progress::add);
    assertThat(unpacked.resolve("libtorch_cpu.so")).exists();

    Files.delete(unpacked.resolve("SHA256SUMS"));
    cache.unpack(LINUX, natives, progress::add);
    assertThat(unpacked.resolve("SHA256SUMS")).exists();
    assertThat(progress).hasSize(4);
  }

  @Test
  void clearsWhatAKilledProcessLeft() throws IOException {
    ClassPathNatives natives = natives("one");
    NativeCache cache = new NativeCache(folder.resolve("cache"));
    Path unpacked = cache.unpack(LINUX, natives, progress::add);
    Path part = cache.root().resolve(unpacked.getFileName() + ".part");
    Files.move(unpacked, part);
    Files.writeString(part.resolve("libc10.so"), "half");

    cache.unpack(LINUX, natives, progress::add);

    assertThat(unpacked.resolve("libc10.so")).hasContent("one libc10.so");
    assertThat(part).doesNotExist();
  }

  @Test
  void refusesADamagedJarAndKeepsNothingOfIt() throws IOException {
    ClassPathNatives natives = natives("one");
    List<ClassPathNatives.Resource> wrong =
        natives.resources().stream()
            .map(library ->
                new ClassPathNatives.Resource(
                    library.name(), library.url(), library.size(), library.crc() ^ 1))
            .toList();
    NativeCache cache = new NativeCache(folder.resolve("cache"));

    assertThatThrownBy(() -> cache.unpack(LINUX, new ClassPathNatives(wrong), progress::add))
        .isInstanceOf(IOException.class)
        .hasMessageMatching(
            "jar:.*libopenblas.so.0 is damaged: found 20 bytes with CRC [0-9a-f]{8},"
                + " expected 20 with [0-9a-f]{8}");
    assertThat(names(cache.root())).allMatch(name -> name.endsWith(".lock"));
  }

  @Test
  void namesTheFolderThatCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    NativeCache cache = new NativeCache(file.resolve("cache"));
    ClassPathNatives natives = natives("one");

    assertThatThrownBy(() -> cache.unpack(LINUX, natives, progress::add))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cannot unpack libtorch (0 MB) into " + cache.root())
        .hasMessageEndingWith("; set GATUN_CACHE to a folder that can be written");
  }

  @Test
  void waitsForAnotherClassLoaderOfThisProcess() throws Exception {
    ClassPathNatives natives = natives("one");
    NativeCache cache = new NativeCache(folder.resolve("cache"));
    Path unpacked = cache.unpack(LINUX, natives, progress::add);
    Files.delete(unpacked.resolve("SHA256SUMS"));
    Path lockFile = cache.root().resolve(unpacked.getFileName() + ".lock");

    CompletableFuture<Path> other;
    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
        FileLock _ = channel.lock()) {
      other =
          CompletableFuture.supplyAsync(() -> {
            try {
              return cache.unpack(LINUX, natives, _ -> {});
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          });
      Thread.sleep(200);
      assertThat(other).isNotDone();
    }
    assertThat(other.get(10, TimeUnit.SECONDS)).isEqualTo(unpacked);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void letsTwoProcessesUnpackAtOnceAndRepairs() throws IOException {
    ProbeRun run = ProbeRun.onClassPath().with("GATUN_CACHE", folder);
    Process one = run.start();
    Process two = run.start();
    Map<String, String> first = ProbeRun.result(one);
    Map<String, String> second = ProbeRun.result(two);

    assertThat(first).doesNotContainKey("error");
    assertThat(second).doesNotContainKey("error").containsEntry("folder", first.get("folder"));
    assertThat(first.containsKey("progress")).isNotEqualTo(second.containsKey("progress"));

    Path unpacked = Path.of(first.get("folder"));
    assertThat(unpacked).hasParent(folder);
    Files.write(unpacked.resolve("libtorch_cpu.so"), new byte[1000]);
    assertThat(run.result()).containsKey("progress").doesNotContainKey("error");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void liesWhereTheSystemKeepsCaches() {
    Platform mac = Platform.of("Mac OS X", "aarch64");
    Platform windows = Platform.of("Windows 11", "amd64");
    Path home = Path.of(System.getProperty("user.home"));

    assertThat(NativeCache.of(LINUX, Map.of()).root()).isEqualTo(home.resolve(".cache/gatun"));
    assertThat(NativeCache.of(LINUX, Map.of("XDG_CACHE_HOME", "/x")).root())
        .isEqualTo(Path.of("/x/gatun"));
    assertThat(NativeCache.of(mac, Map.of()).root())
        .isEqualTo(home.resolve("Library/Caches/gatun"));
    assertThat(NativeCache.of(windows, Map.of("LOCALAPPDATA", "/local")).root())
        .isEqualTo(Path.of("/local/gatun/cache"));
    assertThat(NativeCache.of(LINUX, Map.of("XDG_CACHE_HOME", "/x", "GATUN_CACHE", "/y")).root())
        .isEqualTo(Path.of("/y"));
  }

  /// A jar with CUDA beside one without: its libtorch, and the other's OpenBLAS.
  @Test
  void takesALibtorchWithCudaFirst() throws IOException {
    List<Platform.Library> libraries = new ArrayList<>(LINUX.bundled());
    libraries.addAll(LINUX.bundledForCuda());
    Path cuda = jar("cuda", "linux-x86_64-gpu", libraries, "pytorch");
    Path cpu = jar("cpu", "linux-x86_64", LINUX.bundled(), "pytorch", "openblas");

    Path unpacked =
        new NativeCache(folder.resolve("cache"))
            .unpack(LINUX, found(cpu, cuda).orElseThrow(), progress::add);

    assertThat(names(unpacked))
        .containsExactlyInAnyOrder(
            "SHA256SUMS",
            "libopenblas.so.0",
            "libc10.so",
            "libtorch_cpu.so",
            "libc10_cuda.so",
            "libtorch_cuda.so");
    assertThat(unpacked.resolve("libtorch_cpu.so")).hasContent("cuda libtorch_cpu.so");
    assertThat(unpacked.resolve("libopenblas.so.0")).hasContent("cpu libopenblas.so.0");
    assertThatThrownBy(() -> found(cuda))
        .hasMessage(
            "has libtorch but not org/bytedeco/openblas/linux-x86_64/libopenblas.so.0: add"
                + " org.bytedeco:openblas with classifier linux-x86_64");
    assertThat(found()).isEmpty();
  }

  /// Natives from a jar that holds a few bytes for each library that is required.
  private ClassPathNatives natives(String content) throws IOException {
    return found(jar(content, "linux-x86_64", LINUX.bundled(), "pytorch", "openblas"))
        .orElseThrow();
  }

  private Path jar(
      String content, String classifier, List<Platform.Library> libraries, String... artifacts)
      throws IOException {
    Path jar = folder.resolve(content + ".jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Platform.Library library : libraries) {
        if (library.required() && List.of(artifacts).contains(library.artifact())) {
          String path = ClassPathNatives.path(library.artifact(), classifier, library.file());
          out.putNextEntry(new JarEntry(path));
          out.write((content + " " + library.file()).getBytes(StandardCharsets.UTF_8));
        }
      }
    }
    return jar;
  }

  private static Optional<ClassPathNatives> found(Path... jars) throws IOException {
    URL[] urls = new URL[jars.length];
    for (int i = 0; i < jars.length; i++) {
      urls[i] = jars[i].toUri().toURL();
    }
    try (URLClassLoader loader = new URLClassLoader(urls, null)) {
      return ClassPathNatives.find(LINUX, List.of(loader));
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
