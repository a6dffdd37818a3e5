package dev.gatun.cli;

import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// The options of all commands that use a model.
final class ModelArguments {
  /// The types of computation.
  enum Compute {
    /// 32-bit floats.
    F32,
    /// bfloat16 weights and activations.
    BF16;

    DType dtype() {
      return this == F32 ? DType.F32 : DType.BF16;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Hugging Face model directory. Default: the demo model.")
  private @Nullable Path model;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "Type of compute and frozen weights: f32 or bf16 (adapters stay f32). Default: f32.")
  private Compute dtype = Compute.F32;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of libtorch. Default: the processors that the JVM may use.")
  private @Nullable Integer threads;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      converter = DeviceConverter.class,
      description = "Where to compute: cpu, cuda or cuda:INDEX. Default: cpu.")
  private Device device = Device.CPU;

  /// Reads [Device#of]'s names.
  static final class DeviceConverter implements ITypeConverter<Device> {
    @Override
    public Device convert(String text) {
      try {
        return Device.of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  Device device() {
    return device;
  }

  boolean isDemo() {
    return model == null;
  }

  Compute compute() {
    return dtype;
  }

  DType computeType() {
    return dtype.dtype();
  }

  Path path() {
    return model == null ? Project.demoModel() : model;
  }

  ModelDirectory directory() throws IOException {
    Path path = path();
    if (!Files.isDirectory(path)) {
      throw new NoSuchFileException(path.toString(), null, "no such model directory");
    }
    return ModelDirectory.read(path);
  }

  /// Sets the threads of the calling thread's operations and returns their number.
  int applyThreads() {
    int wanted = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    if (wanted < 1) {
      throw new RefusedException("--threads: found " + wanted + ", expected at least 1");
    }
    Backend.setThreads(wanted);
    return wanted;
  }

  /// Returns the directory's tokenizer, or null where it has none.
  @Nullable HfTokenizer tokenizer() throws IOException {
    return tokenizer(path());
  }

  /// Returns the tokenizer of a model directory, or null where it has none.
  static @Nullable HfTokenizer tokenizer(Path directory) throws IOException {
    return Files.exists(directory.resolve("tokenizer.json")) ? HfTokenizer.open(directory) : null;
  }

  /// Returns the model's number of ids, checked against the tokenizer.
  static void checkVocabulary(Transformer model, @Nullable HfTokenizer tokenizer, Path path)
      throws IOException {
    if (tokenizer != null && tokenizer.vocabularySize() > model.vocabulary()) {
      throw new dev.gatun.runtime.MalformedFileException(
          path,
          "tokenizer.json",
          tokenizer.vocabularySize() + " tokens",
          "at most vocab_size = " + model.vocabulary());
    }
  }
}
