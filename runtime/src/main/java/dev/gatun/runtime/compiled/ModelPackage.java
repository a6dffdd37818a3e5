package dev.gatun.runtime.compiled;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.internal.Installed;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// A `.pt2` package: a zip archive with `data/aotinductor/<model>/` for each model, in which lie
///
/// | file | what |
/// |---|---|
/// | `*.wrapper.so` | its library, the weights in it |
/// | `*.wrapper_metadata.json` | device, system and processor that it was compiled for |
/// | `*.wrapper.cpp`, `*.kernel.cpp` | the library's source; tells how it checks its inputs |
/// | `*.wrapper.json` | there only where it calls operators through an object that C cannot make |
///
/// (`torch/csrc/inductor/aoti_package/model_package_loader.cpp`).
///
/// @param file the package
/// @param zip the archive
/// @param files the model's files by what their names end with, from `wrapper` or `kernel` on
record ModelPackage(Path file, ZipFile zip, Map<String, ZipEntry> files) implements AutoCloseable {
  private static final Pattern ENTRY =
      Pattern.compile("(?:[^/]+/)?data/aotinductor/([^/]+)/[^/]+\\.((?:wrapper|kernel)[._][^/]+)");
  private static final String LIBRARY = "wrapper.so";
  private static final String METADATA = "wrapper_metadata.json";
  private static final String SOURCE = "wrapper.cpp";
  private static final String KERNELS = "kernel.cpp";
  private static final String FOREIGN = "wrapper.json";

  /// What Linux calls the instructions that each name of torch's stands for.
  private static final Map<String, List<String>> INSTRUCTIONS =
      Map.of(
          "AVX2", List.of("avx2", "fma", "f16c"),
          "AVX512", List.of("avx512f", "avx512dq", "avx512vl", "avx512bw", "fma"),
          "AVX512_VNNI", List.of("avx512_vnni"),
          "AMX_TILE", List.of("amx_tile", "amx_bf16", "amx_int8"));

  /// Opens a package and finds a model in it.
  ///
  /// @throws MalformedFileException if it is no package, or has no such model
  static ModelPackage open(Path file, String model) throws IOException {
    if (Files.isDirectory(file)) {
      throw new MalformedFileException(file, "file", "a folder", "a .pt2 package");
    }
    ZipFile zip;
    try {
      zip = new ZipFile(file.toFile());
    } catch (ZipException e) {
      throw new MalformedFileException(
          file, "file", String.valueOf(e.getMessage()), "a .pt2 package, which is a zip archive");
    }
    Map<String, ZipEntry> files = new TreeMap<>();
    TreeSet<String> models = new TreeSet<>();
    zip.stream()
        .forEach(entry -> {
          Matcher name = ENTRY.matcher(entry.getName());
          if (name.matches()) {
            models.add(name.group(1));
            if (name.group(1).equals(model)) {
              files.put(name.group(2), entry);
            }
          }
        });
    ModelPackage opened = new ModelPackage(file, zip, files);
    if (files.isEmpty()) {
      opened.close();
      throw new MalformedFileException(
          file,
          "model '" + model + "'",
          models.isEmpty() ? "no compiled model" : "the models " + models,
          "data/aotinductor/" + model + "/ as torch._inductor.aoti_compile_and_package writes it");
    }
    return opened;
  }

  /// Checks that this machine can run the model, as far as the package tells.
  ///
  /// @throws MalformedFileException if it cannot
  void check() throws IOException {
    JsonNode metadata = metadata();
    require(metadata, "AOTI_DEVICE_KEY", "cpu");
    require(metadata, "AOTI_PLATFORM", platform());
    require(metadata, "AOTI_MACHINE", machine(System.getProperty("os.arch")));
    List<String> lacking =
        Installed.lacking(
            Stream.of(text(metadata, "AOTI_CPU_ISA").split(" "))
                .flatMap(name -> INSTRUCTIONS.getOrDefault(name, List.of()).stream())
                .toList());
    if (!lacking.isEmpty()) {
      throw new MalformedFileException(
          file, "AOTI_CPU_ISA", text(metadata, "AOTI_CPU_ISA"), "a processor with " + lacking);
    }
    if (files.containsKey(FOREIGN)) {
      throw new MalformedFileException(
          file, FOREIGN, "operators " + foreign(), "only such as libtorch's C functions offer");
    }
    String source = source(SOURCE);
    for (String check : List.of("AOTI_RUNTIME_CHECK_INPUTS", "assert_size_stride(")) {
      if (!source.contains(check)) {
        throw new MalformedFileException(
            file, SOURCE, "no " + check, "a model that checks its inputs, as torch 2.13 makes it");
      }
    }
  }

  /// Returns whether an index out of range ends the process: where a loop of several threads finds
  /// it, the exception cannot leave the loop.
  boolean diesOfIndices() throws IOException {
    String source = files.containsKey(KERNELS) ? source(KERNELS) : source(SOURCE);
    return source.contains("AOTI_TORCH_CHECK(") && source.contains("#pragma omp parallel");
  }

  /// Copies the library out of the package, to a file that is named after its content.
  ///
  /// @param folder where to
  /// @return the new file
  Path unpackLibrary(Path folder) throws IOException {
    Path part = folder.resolve("part");
    try {
      return Files.move(part, folder.resolve(copyLibrary(part) + ".so"));
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /// Copies the library and returns its SHA-256.
  private String copyLibrary(Path target) throws IOException {
    ZipEntry entry = entry(LIBRARY);
    CRC32 sum = new CRC32();
    MessageDigest sha256 = sha256();
    try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), sum)) {
      Files.copy(new DigestInputStream(in, sha256), target);
    } catch (ZipException e) {
      throw new MalformedFileException(
          file, LIBRARY, String.valueOf(e.getMessage()), "a library that is whole");
    }
    if (sum.getValue() != entry.getCrc()) {
      throw new MalformedFileException(
          file,
          LIBRARY,
          "CRC %08x".formatted(sum.getValue()),
          "%08x as the archive says".formatted(entry.getCrc()));
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private JsonNode metadata() throws IOException {
    return json(METADATA);
  }

  private List<String> foreign() throws IOException {
    List<String> targets = new ArrayList<>();
    for (JsonNode node : json(FOREIGN).path("nodes")) {
      targets.add(node.path("node").path("target").asString(""));
    }
    return targets;
  }

  private void require(JsonNode metadata, String key, String expected) throws IOException {
    String found = text(metadata, key);
    if (!expected.equals(key.equals("AOTI_MACHINE") ? machine(found) : found)) {
      throw new MalformedFileException(file, key, found, expected);
    }
  }

  private static String text(JsonNode metadata, String key) {
    return metadata.path(key).asString("nothing");
  }

  private JsonNode json(String name) throws IOException {
    try {
      return StrictJson.mapper().readTree(bytes(name));
    } catch (JacksonException e) {
      throw new MalformedFileException(file, name, e.getOriginalMessage(), "valid JSON");
    }
  }

  private String source(String name) throws IOException {
    return new String(bytes(name), StandardCharsets.UTF_8);
  }

  private byte[] bytes(String name) throws IOException {
    try (InputStream in = zip.getInputStream(entry(name))) {
      return in.readAllBytes();
    }
  }

  private ZipEntry entry(String name) throws IOException {
    ZipEntry entry = files.get(name);
    if (entry == null) {
      throw new MalformedFileException(file, "model", "the files " + files.keySet(), "a " + name);
    }
    return entry;
  }

  /// This system by Python's name.
  private static String platform() {
    String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return name.startsWith("mac") ? "darwin" : name.startsWith("windows") ? "win32" : name;
  }

  /// A processor by one of its two names.
  private static String machine(String name) {
    return switch (name) {
      case "amd64", "AMD64" -> "x86_64";
      case "aarch64" -> "arm64";
      default -> name;
    };
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
