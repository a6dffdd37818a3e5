package dev.gatun.cli;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.zoo.Architectures;
import dev.gatun.server.Embedder;
import dev.gatun.server.EncoderModel;
import dev.gatun.server.GatunServer;
import dev.gatun.server.ServerOptions;
import dev.gatun.server.ServerOptions.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gatun serve`.
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Serve a model and its adapters over HTTP: texts by OpenAI's interface and on a page;",
      "embeddings and classes of an encoder."
    })
final class ServeCommand implements Callable<Integer> {
  // a field: the log manager keeps no logger that nobody else holds
  private static final Logger HELIDON = Logger.getLogger("io.helidon");

  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private WeightsArgument weights = new WeightsArgument();
  @Mixin private EnsembleArguments ensembles = new EnsembleArguments();

  @Option(
      names = "--adapter",
      paramLabel = "NAME=DIR",
      description = "An adapter and the name that requests call it by; repeatable.")
  private Map<String, Path> adapters = new LinkedHashMap<>();

  @Option(
      names = "--adapters",
      paramLabel = "DIR",
      description =
          "Folder of adapters: all are loaded at the start, and requests may load and unload.")
  private @Nullable Path folder;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The model's name in requests. Default: its directory's.")
  private @Nullable String name;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description = "Where to listen; 0.0.0.0 for everywhere. Default: 127.0.0.1.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8000",
      description = "Port to listen at; 0: a free one. Default: 8000.")
  private int port;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      defaultValue = "${env:GATUN_API_KEY}",
      description =
          "What requests must carry as a bearer token. Default: $$GATUN_API_KEY, or none.")
  private @Nullable String apiKey;

  @Option(
      names = "--cors",
      paramLabel = "ORIGIN",
      description = "A web site whose pages may ask, such as https://example.org.")
  private @Nullable String origin;

  @Option(
      names = "--cache-bytes",
      paramLabel = "N",
      description = "Bytes of keys and values. Default: 1 GiB. Not of encoders.")
  private @Nullable Long cacheBytes;

  @Option(
      names = "--max-sequences",
      paramLabel = "N",
      description = "Texts that run side by side. Default: 32. Not of encoders.")
  private @Nullable Integer maxSequences;

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Requests that wait; more get 429. Default: 1024.")
  private int queue;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description = "Time for one answer; longer ones get 504. Default: 600.")
  private int timeout;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      defaultValue = "30",
      description = "At the end, time for what runs to be answered. Default: 30.")
  private int drain;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      defaultValue = "4194304",
      description = "Bytes of a request; larger ones get 413. Default: 4 MiB.")
  private int maxBody;

  @Mixin private JsonOutput json = new JsonOutput();

  @Override
  public Integer call() throws IOException {
    ServerOptions options = options();
    ModelDirectory directory = model.directory();
    HELIDON.setLevel(Level.OFF); // what goes wrong reaches us as exceptions
    return Architectures.of(directory.config()).causal()
        ? serveWriter(directory.path(), options)
        : serveEncoder(directory.path(), options);
  }

  private int serveWriter(Path directory, ServerOptions options) throws IOException {
    if (ensembles.ofAdapter() != null) {
      throw new RefusedException(
          "--ensemble: found a model that writes texts, expected an encoder");
    }
    EngineOptions usual = EngineOptions.DEFAULT;
    EngineOptions engine =
        checked(() ->
            usual
                .withCacheBytes(cacheBytes == null ? usual.cacheBytes() : cacheBytes)
                .withBatch(
                    maxSequences == null ? usual.maxSequences() : maxSequences, usual.stepTokens())
                .withQueue(queue)
                .withThreads(model.applyThreads())
                .withWeights(weights.ofEngine(model.device())));
    try (LocalModel local =
            LocalModel.open(directory, model.device(), model.computeType(), engine);
        GatunServer server = GatunServer.open(local, options, Embedder.of(local))) {
      serve(server);
    }
    return 0;
  }

  private int serveEncoder(Path directory, ServerOptions options) throws IOException {
    if (cacheBytes != null || maxSequences != null) {
      throw new RefusedException(
          "%s: found an encoder, expected a model that writes texts"
              .formatted(cacheBytes != null ? "--cache-bytes" : "--max-sequences"));
    }
    if (weights.isGiven()) {
      throw new RefusedException("--weights: found an encoder, expected a model that writes texts");
    }
    AdapterEnsemble draws = ensembles.ofAdapter();
    int passTokens = EncoderOptions.DEFAULT.passTokens();
    EncoderOptions limits =
        checked(() -> new EncoderOptions(passTokens, queue, model.applyThreads()));
    try (EncoderModel encoder =
            EncoderModel.open(directory, model.device(), model.computeType(), limits, draws);
        GatunServer server = GatunServer.open(encoder, options)) {
      serve(server);
    }
    return 0;
  }

  private ServerOptions options() {
    Limits usual = Limits.DEFAULT;
    return checked(() ->
        new ServerOptions(
            host,
            port,
            name,
            apiKey,
            folder,
            origin,
            new Limits(
                maxBody,
                usual.body(),
                Duration.ofSeconds(timeout),
                usual.write(),
                usual.connections())));
  }

  private static <T> T checked(Supplier<T> options) {
    try {
      return options.get();
    } catch (IllegalArgumentException e) {
      throw new RefusedException(String.valueOf(e.getMessage()));
    }
  }

  private void serve(GatunServer server) throws IOException {
    for (Map.Entry<String, Path> adapter : adapters.entrySet()) {
      load(server, adapter.getKey(), adapter.getValue());
    }
    announce(server);
    waitForTheEnd(server);
  }

  private static void load(GatunServer server, String name, Path directory) throws IOException {
    try {
      server.load(name, directory);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--adapter: " + e.getMessage());
    }
  }

  private void announce(GatunServer server) {
    if (apiKey == null && !host.equals("127.0.0.1") && !host.equals("localhost")) {
      System.err.println("gatun: no --api-key: whoever reaches " + host + " may ask");
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("url", server.uri().toString());
    fields.put("model", server.name());
    fields.put("adapters", server.adapters());
    if (!json.isOn()) {
      System.out.printf("Serving %s at %s%n", fields.get("model"), server.uri());
    }
    json.print(fields);
  }

  /// Waits until the program is told to end, then for what runs.
  private void waitForTheEnd(GatunServer server) {
    Thread serving = Thread.currentThread();
    CountDownLatch closed = new CountDownLatch(1);
    Thread hook =
        Thread.ofPlatform()
            .name("gatun-end")
            .unstarted(() -> {
              serving.interrupt();
              awaitOrEnd(closed);
            });
    Runtime.getRuntime().addShutdownHook(hook);
    awaitOrEnd(new CountDownLatch(1));
    System.err.println("gatun: about to stop ...");
    try {
      server.close(Duration.ofSeconds(drain));
    } catch (InterruptedException e) {
      server.close(); // asked twice
    } finally {
      closed.countDown();
    }
  }

  /// Waits for a latch, or until the thread is interrupted.
  private static void awaitOrEnd(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Logger.getLogger(ServeCommand.class.getName()).log(Level.FINE, "told to end", e);
    }
  }
}
