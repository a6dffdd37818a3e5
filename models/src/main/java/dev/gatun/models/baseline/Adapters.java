package dev.gatun.models.baseline;

import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads whatever a run may have saved beside a model.
public final class Adapters {
  private Adapters() {}

  /// Reads a folder: PEFT's format, or that of this package where its `gatun_adapter.json` is
  /// there.
  ///
  /// @param owner owner of the tensors
  /// @param model the base
  /// @param directory the folder
  /// @return the adapter
  /// @throws dev.gatun.runtime.MalformedFileException if a file breaks a rule or does not fit the
  ///   model
  /// @throws IOException if a file cannot be read
  public static Trained load(Scope owner, Transformer model, Path directory) throws IOException {
    if (!Files.exists(directory.resolve(BaselineFiles.SETTINGS))) {
      return LoraAdapter.load(owner, model, directory);
    }
    return BaselineFiles.settings(directory).method().equals(BitFit.METHOD)
        ? BitFit.load(owner, model, directory)
        : Bottlenecks.load(owner, model, directory);
  }
}
