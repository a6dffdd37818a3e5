package dev.gatun.cli;

import dev.gatun.models.baseline.Adapters;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The option `--adapter`.
final class AdapterArgument {
  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "Adapter directory, PEFT's or ours.")
  private @Nullable Path adapter;

  @Nullable Path path() {
    return adapter;
  }

  PassAddition load(Scope owner, Transformer model) throws IOException {
    return adapter == null ? PassAddition.NONE : Adapters.load(owner, model, adapter);
  }
}
