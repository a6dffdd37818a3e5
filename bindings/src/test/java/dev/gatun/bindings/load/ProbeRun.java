package dev.gatun.bindings.load;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// A run of [LoadProbe] in a JVM of its own, with native access denied to all who are not named.
///
/// @param natives the native jars on its class path
/// @param modular whether the bindings are on its module path
/// @param options options of the JVM
/// @param environment variables added to this process's
record ProbeRun(
    List<Path> natives, boolean modular, List<String> options, Map<String, String> environment) {
  private static final String GRANT = "--enable-native-access=";

  static ProbeRun onClassPath() {
    return new ProbeRun(nativeJars(), false, List.of(GRANT + "ALL-UNNAMED"), Map.of());
  }

  static ProbeRun onModulePath() {
    return new ProbeRun(nativeJars(), true, List.of(GRANT + "dev.gatun.bindings"), Map.of());
  }

  ProbeRun withNatives(List<Path> jars) {
    return new ProbeRun(jars, modular, options, environment);
  }

  ProbeRun withoutGrant() {
    List<String> kept = options.stream().filter(option -> !option.startsWith(GRANT)).toList();
    return new ProbeRun(natives, modular, kept, environment);
  }

  ProbeRun with(String option) {
    List<String> all = new ArrayList<>(options);
    all.add(option);
    return new ProbeRun(natives, modular, all, environment);
  }

  ProbeRun with(String variable, Object value) {
    Map<String, String> all = new HashMap<>(environment);
    all.put(variable, value.toString());
    return new ProbeRun(natives, modular, options, all);
  }

  /// What the probe printed, by key.
  Map<String, String> result(String... arguments) {
    return result(start(arguments));
  }

  static Map<String, String> result(Process process) {
    try {
      String text =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new AssertionError("the probe did not end well: " + text);
      }
      return text.lines()
          .collect(
              Collectors.toMap(
                  line -> line.substring(0, Math.max(0, line.indexOf('='))),
                  line -> line.substring(line.indexOf('=') + 1),
                  (first, second) -> first + "\n" + second));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  Process start(String... arguments) {
    String main = LoadProbe.class.getName();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--illegal-native-access=deny");
    command.add("-Xmx256m");
    command.addAll(options);
    List<Path> classPath = new ArrayList<>(natives);
    if (modular) {
      command.addAll(List.of("-p", place(LibTorch.class).toString()));
      command.add("--patch-module=dev.gatun.bindings=" + place(LoadProbe.class));
    } else {
      classPath.add(place(LibTorch.class));
      classPath.add(place(LoadProbe.class));
    }
    command.add("-cp");
    command.add(
        classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
    command.addAll(modular ? List.of("-m", "dev.gatun.bindings/" + main) : List.of(main));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeAll(List.of("GATUN_LIBTORCH", "LIBTORCH"));
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The jars with libtorch and OpenBLAS on this JVM's class path.
  static List<Path> nativeJars() {
    Platform platform = Platform.current();
    return platform.bundled().stream()
        .filter(Platform.Library::required)
        .map(library ->
            ClassPathNatives.path(library.artifact(), platform.classifier(), library.file()))
        .map(path -> jarOf(Objects.requireNonNull(ClassLoader.getSystemResource(path), path)))
        .distinct()
        .toList();
  }

  private static Path jarOf(URL resource) {
    try {
      JarURLConnection connection = (JarURLConnection) resource.openConnection();
      return Path.of(connection.getJarFileURL().toURI());
    } catch (IOException | URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static Path place(Class<?> type) {
    try {
      // Tests are patched into the module, so the code source would name the main classes.
      URL file = Objects.requireNonNull(type.getResource(type.getSimpleName() + ".class"));
      Path path = Path.of(file.toURI());
      int names = type.getName().split("\\.").length;
      for (int i = 0; i < names; i++) {
        path = path.getParent();
      }
      return path;
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
