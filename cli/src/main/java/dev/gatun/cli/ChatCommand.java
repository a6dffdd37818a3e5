package dev.gatun.cli;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.generate.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gatun chat`.
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Talk with a model.",
      "Ctrl-C ends an answer, Ctrl-D the conversation; /help lists what else there is. Where standard"
          + " input and output are no terminal, each line is a message, and the answers alone are"
          + " printed."
    })
final class ChatCommand implements Callable<Integer> {
  private static final int MAX_NEW_TOKENS = 512;

  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private WeightsArgument weights = new WeightsArgument();

  @Option(
      names = "--adapter",
      paramLabel = "[NAME=]DIR",
      description =
          "PEFT adapter directory; may be given several times. The first is spoken through until"
              + " /adapter NAME. The usual name is that of the directory.")
  private List<String> adapters = List.of();

  @Option(names = "--system", paramLabel = "TEXT", description = "The system message.")
  private @Nullable String system;

  @Mixin private SamplingArguments choice = new SamplingArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Override
  public Integer call() throws IOException {
    Sampling sampling = choice.sampling(MAX_NEW_TOKENS);
    Map<String, Path> named = named();
    Path directory = model.directory().path();
    EngineOptions options =
        EngineOptions.DEFAULT
            .withBatch(1, 256)
            .withThreads(model.applyThreads())
            .withWeights(weights.ofEngine(model.device()));
    try (LocalModel local =
            LocalModel.open(directory, model.device(), model.computeType(), options);
        ChatConsole console = TerminalConsole.isPossible() ? TerminalConsole.open() : piped()) {
      for (Map.Entry<String, Path> each : named.entrySet()) {
        local.engine().load(each.getKey(), each.getValue());
      }
      ChatSession session = new ChatSession(local, console, sampling, choice.stops());
      session.system(system);
      if (!named.isEmpty()) {
        session.adapter(named.keySet().iterator().next());
      }
      boolean good = session.run();
      json.print(session.fields());
      return good ? 0 : 1;
    }
  }

  private ChatConsole piped() {
    return new PipedConsole(System.in, json.isOn());
  }

  private Map<String, Path> named() {
    Map<String, Path> named = new LinkedHashMap<>();
    for (String each : adapters) {
      int at = Files.isDirectory(Path.of(each)) ? -1 : each.indexOf('=');
      Path path = Path.of(each.substring(at + 1));
      String name =
          at < 0
              ? String.valueOf(path.toAbsolutePath().normalize().getFileName())
              : each.substring(0, at);
      if (name.isBlank() || name.equals(ChatSession.NO_ADAPTER)) {
        throw new RefusedException("--adapter: found the name '" + name + "', expected another");
      }
      if (named.put(name, path) != null) {
        throw new RefusedException("--adapter: found two of the name " + name + ", expected one");
      }
    }
    return named;
  }
}
