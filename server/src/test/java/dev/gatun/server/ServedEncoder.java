package dev.gatun.server;

import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// A small encoder behind a server, and a client.
final class ServedEncoder extends Client {
  static final Path PARITY = Path.of("../models/src/test/resources/parity");
  static final EncoderOptions OPTIONS = new EncoderOptions(4096, 1024, 2);
  private static final Path TOKENIZER = Path.of("../cli/src/test/resources/tasks/tokenizer.json");

  final EncoderModel model;

  private ServedEncoder(EncoderModel model, ServerOptions options) throws IOException {
    super(GatunServer.open(model, options));
    this.model = model;
  }

  static ServedEncoder open(Path directory, ServerOptions options, AdapterEnsemble ensemble)
      throws IOException {
    return new ServedEncoder(
        EncoderModel.open(directory, Device.CPU, DType.F32, OPTIONS, ensemble), options);
  }

  /// Makes a model directory of a fixture, which has no tokenizer.
  static Path directory(Path target, String fixture) throws IOException {
    return copy(Files.createDirectories(target), PARITY.resolve(fixture), TOKENIZER);
  }

  /// Copies an adapter that fits `roberta`, with its head.
  static Path adapter(Path target, String name) throws IOException {
    return copy(Files.createDirectories(target), PARITY.resolve("roberta/adapters").resolve(name));
  }

  private static Path copy(Path target, Path folder, Path... more) throws IOException {
    try (Stream<Path> files = Stream.concat(Files.list(folder), Stream.of(more))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    return target;
  }

  @Override
  public void close() {
    super.close();
    model.close();
  }
}
