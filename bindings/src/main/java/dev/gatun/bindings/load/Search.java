package dev.gatun.bindings.load;

import dev.gatun.bindings.load.LibTorch.Source;
import dev.gatun.bindings.load.LibTorch.Step;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Looks for libtorch in a fixed order and keeps a record of every place.
final class Search {
  private static final int PYTHON_SECONDS = 10;

  // Does not import torch, and does not look in the current folder.
  private static final String PYTHON_QUERY =
      "import sys; sys.path = [p for p in sys.path if p]; from importlib.util import find_spec; "
          + "spec = find_spec('torch'); print(spec.submodule_search_locations[0] if spec else '')";

  private final Platform platform;
  private final @Nullable String property;
  private final Map<String, String> environment;
  private final List<ClassLoader> loaders;
  private final Consumer<String> progress;
  private final List<Step> steps = new ArrayList<>();

  Search(
      Platform platform,
      @Nullable String property,
      Map<String, String> environment,
      List<ClassLoader> loaders,
      Consumer<String> progress) {
    this.platform = platform;
    this.property = property;
    this.environment = environment;
    this.loaders = loaders;
    this.progress = progress;
  }

  /// A folder that holds `libtorch_cpu`.
  record Found(Source source, Path folder) {}

  /// Returns the first libtorch of the search order.
  ///
  /// @throws LibTorchLinkError if there is none, or one was named that is not there
  Found find() {
    for (Source source : Source.values()) {
      Optional<Path> folder =
          switch (source) {
            case PROPERTY -> named(source, property);
            case GATUN_LIBTORCH, LIBTORCH -> named(source, environment.get(source.place()));
            case CLASS_PATH -> classPath();
            case PYTHON -> python();
          };
      if (folder.isPresent()) {
        return new Found(source, folder.get());
      }
    }
    throw new LibTorchLinkError(
        "no libtorch for "
            + platform.classifier()
            + ": "
            + steps.stream().map(Step::toString).collect(Collectors.joining("; "))
            + ". Add dev.gatun:gatun-libtorch-cpu to the class path, or set "
            + Source.GATUN_LIBTORCH.place()
            + " to the folder of a LibTorch or pip torch, 2.10 or newer",
        steps);
  }

  /// The steps so far.
  List<Step> steps() {
    return steps;
  }

  private Optional<Path> named(Source source, @Nullable String value) {
    if (value == null || value.isBlank()) {
      steps.add(new Step(source, "not set"));
      return Optional.empty();
    }
    try {
      Optional<Path> folder = folderIn(Path.of(value).toAbsolutePath().normalize());
      if (folder.isPresent()) {
        steps.add(new Step(source, folder.get().toString()));
        return folder;
      }
    } catch (InvalidPathException e) {
      throw failed(source, value + " is no path: " + e.getReason(), e);
    }
    throw failed(
        source,
        "%s has no %s, neither directly nor in lib; expected the folder of a LibTorch or pip torch"
            .formatted(value, platform.torchCpu()),
        null);
  }

  private Optional<Path> classPath() {
    try {
      Optional<ClassPathNatives> natives = ClassPathNatives.find(platform, loaders);
      if (natives.isEmpty()) {
        String path = ClassPathNatives.path("pytorch", platform.classifier(), platform.torchCpu());
        steps.add(new Step(Source.CLASS_PATH, "no " + path));
        return Optional.empty();
      }
      NativeCache cache = NativeCache.of(platform, environment);
      Path folder = cache.unpack(platform, natives.get(), progress);
      steps.add(new Step(Source.CLASS_PATH, "unpacked in " + folder));
      return Optional.of(folder);
    } catch (IOException e) {
      throw failed(Source.CLASS_PATH, String.valueOf(e.getMessage()), e);
    }
  }

  private Optional<Path> python() {
    String outcome;
    try {
      String torch = askPython();
      Optional<Path> folder = torch.isEmpty() ? Optional.empty() : folderIn(Path.of(torch));
      if (folder.isPresent()) {
        steps.add(new Step(Source.PYTHON, folder.get().toString()));
        return folder;
      }
      outcome = torch.isEmpty() ? "has no torch" : torch + " has no " + platform.torchCpu();
    } catch (IOException e) {
      outcome = String.valueOf(e.getMessage());
    }
    steps.add(new Step(Source.PYTHON, outcome));
    return Optional.empty();
  }

  private String askPython() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(platform.isWindows() ? "python" : "python3", "-c", PYTHON_QUERY)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException("is not on the PATH", e);
    }
    try {
      process.getOutputStream().close();
      if (!process.waitFor(PYTHON_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("gave no answer in " + PYTHON_SECONDS + " s");
      }
      String answer =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.exitValue() != 0) {
        throw new IOException("ended with code " + process.exitValue());
      }
      return answer;
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("was not waited for: the thread was interrupted", e);
    }
  }

  private Optional<Path> folderIn(Path folder) {
    return Stream.of(folder.resolve("lib"), folder)
        .filter(candidate -> Files.isRegularFile(candidate.resolve(platform.torchCpu())))
        .findFirst();
  }

  private LibTorchLinkError failed(Source source, String outcome, @Nullable Throwable cause) {
    Step step = new Step(source, outcome);
    steps.add(step);
    return cause == null
        ? new LibTorchLinkError(step.toString(), steps)
        : new LibTorchLinkError(step.toString(), steps, cause);
  }
}
