package dev.gatun.cli;

import dev.gatun.models.data.DataOptions;
import dev.gatun.models.data.DataReader;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.nn.Transformer;
import dev.gatun.templates.ChatTemplate;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How data becomes examples, alike for training and evaluation.
final class DataArguments {
  private static final int DEFAULT_LENGTH = 512;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description =
          "Tokens of an example: texts are cut into pieces of it, other rows cut off. Default: 512,"
              + " or the model's positions if fewer.")
  private @Nullable Integer maxLength;

  int maxLength(Transformer model) {
    if (maxLength == null) {
      return Math.min(DEFAULT_LENGTH, model.maxPositions());
    }
    if (maxLength < 2 || maxLength > model.maxPositions()) {
      throw new RefusedException(
          "--max-length: found "
              + maxLength
              + ", expected 2 to the model's "
              + model.maxPositions());
    }
    return maxLength;
  }

  /// Reads rows or texts, conversations in the form of the model's directory.
  Dataset read(Path source, Path directory, Transformer model, @Nullable Tokenizer tokenizer)
      throws IOException {
    return DataReader.read(
        source,
        new DataOptions(
            tokenizer, ChatTemplate.formatOf(directory), maxLength(model), model.vocabulary()));
  }
}
