package dev.gatun.server;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.chat.LocalModel;
import dev.gatun.server.ServerOptions.Limits;
import io.helidon.common.socket.SocketOptions;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.DirectHandlers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Serves a local model and its adapters over HTTP, by OpenAI's interface and, where it writes
/// texts, with a page to chat on.
///
/// | route | answers |
/// |---|---|
/// | `POST /v1/chat/completions`, `POST /v1/completions` | a [LocalModel]: texts, whole or as events; `model` names an adapter or the model |
/// | `POST /v1/embeddings` | vectors: of an [EncoderModel], or where there is an [Embedder] |
/// | `POST /classify` | an [EncoderModel]: labels and their probabilities, in vLLM's form; `model` names an adapter or the model |
/// | `GET /v1/models`, `GET /v1/models/{id}` | the model and its adapters |
/// | `POST /v1/load_lora_adapter`, `POST /v1/unload_lora_adapter` | changes the adapters, where a folder of them was given |
/// | `GET /health`, `GET /metrics` | whether it serves; figures in Prometheus' text format |
/// | `GET /` | a [LocalModel]: the page |
///
/// Errors have OpenAI's form. A request that is malformed gets 400 and the field's name, one
/// without the key 401, an unknown model 404, a slow body 408, a large one 413, one that finds the
/// queue full 429, one that takes too long 504, and one during the end 503. A stream that fails
/// ends with an event that holds the error. When a client goes, what it asked for is given up.
///
/// ```java
/// try (LocalModel model = LocalModel.open(directory, Device.CPU, DType.F32, EngineOptions.DEFAULT);
///     GatunServer server = GatunServer.open(model, ServerOptions.LOCAL, null)) {
///   System.out.println(server.uri());
///   Thread.sleep(Duration.ofHours(1));
/// }
/// ```
public final class GatunServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(GatunServer.class.getName());
  private static final Duration IDLE = Duration.ofSeconds(75);
  private static final int RECEIVE_BYTES = 64 << 10; // Helidon's own 4 KiB make uploads slow

  private final WebServer web;
  private final Sockets sockets;
  private final Routes routes;
  private final Adapters adapters;
  private final InetAddress address;
  private int port;
  private volatile boolean stopping;

  private GatunServer(ServedModel model, ServerOptions options) throws IOException {
    this.address = InetAddress.getByName(options.host());
    Path folder = options.adapters();
    AdapterFolder allowed = folder == null ? null : new AdapterFolder(folder);
    String name = options.name() == null ? model.name() : options.name();
    Limits limits = options.limits();
    Metrics metrics = new Metrics();
    this.adapters = new Adapters(model, name, allowed, metrics);
    this.sockets = new Sockets(limits.body());
    Guard guard = new Guard(options, address.isLoopbackAddress());
    this.routes = new Routes(sockets, guard, metrics, limits);
    routes
        .open(Method.GET, "/health", this::health)
        .keyed(Method.GET, "/metrics", exchange -> exchange.send(metrics.text(model.stats())))
        .keyed(Method.GET, "/v1/models", adapters::list)
        .keyed(Method.GET, "/v1/models/{+id}", adapters::show)
        .keyed(Method.POST, "/v1/load_lora_adapter", adapters::load)
        .keyed(Method.POST, "/v1/unload_lora_adapter", adapters::unload);
    model.addTo(routes, new Serving(adapters, metrics, () -> stopping));
    this.web = web(options);
    if (allowed != null) {
      loadAll(allowed);
    }
  }

  private WebServer web(ServerOptions options) {
    Limits limits = options.limits();
    DirectHandlers.Builder errors = DirectHandlers.builder();
    for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
      errors.addHandler(type, GatunServer::malformed);
    }
    return WebServer.builder()
        .address(address)
        .port(options.port())
        .shutdownHook(false)
        .putListenerSocketOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BYTES)
        .maxTcpConnections(limits.connections())
        .idleConnectionTimeout(IDLE)
        .idleConnectionPeriod(Duration.ofSeconds(15))
        .connectionOptions(SocketOptions.builder().tcpNoDelay(true).build())
        .protocolsDiscoverServices(false)
        .addConnectionSelector(WatchedConnection.Selector.of(sockets))
        .directHandlers(errors.build())
        .routing(routes.routing())
        .build();
  }

  /// Answers what is no HTTP request that a route could see.
  private static DirectHandler.TransportResponse malformed(
      DirectHandler.TransportRequest request,
      DirectHandler.EventType type,
      Status status,
      ServerResponseHeaders headers,
      @Nullable String message) {
    ApiException error =
        status.code() < 500
            ? ApiException.invalid(null, "request: found " + message + ", expected HTTP/1.1")
            : ApiException.internal();
    return DirectHandler.TransportResponse.builder()
        .status(status)
        .headers(headers)
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .keepAlive(type.keepAlive())
        .entity(Json.bytes(error.json()))
        .build();
  }

  /// Opens a server of a model that writes texts, which answers from now on.
  ///
  /// All adapters that lie directly in the folder of adapters are loaded under their directories'
  /// names; one that does not fit the model is left out, and the log says so.
  ///
  /// @param model the model, which must outlive the server
  /// @param options where it listens, and what it allows
  /// @param embedder what makes embeddings, or null for none
  /// @return the server, to be closed by the caller
  /// @throws IOException if it cannot listen there, or the folder of adapters cannot be read
  @MustBeClosed
  public static GatunServer open(
      LocalModel model, ServerOptions options, @Nullable Embedder embedder) throws IOException {
    return started(new LanguageModelService(model, embedder), options);
  }

  /// Opens a server of an encoder, which answers from now on. Adapters are loaded as for a model
  /// that writes texts.
  ///
  /// @param model the encoder, which must outlive the server
  /// @param options where it listens, and what it allows
  /// @return the server, to be closed by the caller
  /// @throws IOException if it cannot listen there, or the folder of adapters cannot be read
  @MustBeClosed
  public static GatunServer open(EncoderModel model, ServerOptions options) throws IOException {
    return started(new EncoderService(model), options);
  }

  @MustBeClosed
  private static GatunServer started(ServedModel model, ServerOptions options) throws IOException {
    GatunServer server = new GatunServer(model, options);
    server.web.start();
    if (!server.web.isRunning()) { // Helidon has logged why, and throws nothing
      server.sockets.close();
      throw new IOException(
          options.host()
              + ":"
              + options.port()
              + ": cannot listen there, expected an address of this machine and a free port");
    }
    server.port = server.web.port();
    return server;
  }

  private void loadAll(AdapterFolder folder) throws IOException {
    for (Path directory : folder.list()) {
      String name = String.valueOf(directory.getFileName());
      try {
        adapters.load(name, folder.find(name));
      } catch (IOException | RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "adapter {0}: left out: {1}", name, e.getMessage());
      }
    }
  }

  /// {@return the model's name in requests}
  public String name() {
    return adapters.base();
  }

  /// {@return the names of the adapters in service}
  public List<String> adapters() {
    return adapters.names();
  }

  /// Loads an adapter from anywhere, in place of another of its name.
  ///
  /// @param name what requests call it
  /// @param directory a PEFT adapter directory
  /// @throws IOException if it cannot be read or does not fit the model
  /// @throws IllegalArgumentException if the name is the model's, or cannot be one
  public void load(String name, Path directory) throws IOException {
    adapters.load(name, directory);
  }

  /// {@return where it answers, such as `http://127.0.0.1:8080`}
  public URI uri() {
    String host = address.getHostAddress();
    return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port);
  }

  private void health(Exchange exchange) {
    if (routes.isDraining()) {
      throw ApiException.stopping();
    }
    exchange.send(Json.object().put("status", "ok"));
  }

  /// Closes the server when what was asked so far is answered, or else after a while. Meanwhile new
  /// requests get 503.
  ///
  /// @param patience how long to wait
  /// @throws InterruptedException if the thread is interrupted; the server is then still to be
  ///   closed
  public void close(Duration patience) throws InterruptedException {
    routes.drain();
    long end = System.nanoTime() + patience.toNanos();
    while (routes.running() > 0 && System.nanoTime() - end < 0) {
      Thread.sleep(5);
    }
    close();
  }

  /// Closes the server: what is not answered gets 503, or an error as its stream's last event.
  /// Closing twice does nothing.
  @Override
  public void close() {
    routes.drain();
    stopping = true;
    boolean interrupted = Thread.interrupted(); // Helidon would not stop
    web.stop();
    sockets.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
