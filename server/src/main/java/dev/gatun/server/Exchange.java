package dev.gatun.server;

import dev.gatun.server.ServerOptions.Limits;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A request and its answer. For the one thread that serves the request.
final class Exchange {
  private static final String JSON = "application/json";
  private static final int TOO_MANY = 429;

  private final ServerRequest request;
  private final ServerResponse response;
  private final Sockets sockets;
  private final WatchedConnection connection;
  private final Limits limits;
  private final long began = System.nanoTime();
  private boolean bodyTaken;
  private int status;
  private @Nullable EventStream stream;

  Exchange(ServerRequest request, ServerResponse response, Sockets sockets, Limits limits) {
    this.request = request;
    this.response = response;
    this.sockets = sockets;
    this.connection = Sockets.current();
    this.limits = limits;
  }

  ServerRequest request() {
    return request;
  }

  /// Returns a header of the request, or null.
  @Nullable String header(String name) {
    return request.headers().first(HeaderNames.create(name)).orElse(null);
  }

  /// Sets a header of the answer.
  void setHeader(String name, String value) {
    response.header(HeaderNames.create(name), value);
  }

  /// Returns a part of the path, by the name that its route gives it.
  String pathPart(String name) {
    return request.path().pathParameters().get(name);
  }

  /// Reads the body, an object.
  JsonFields fields() {
    bodyTaken = true;
    return new JsonFields(Json.parse(RequestBody.read(request, limits)), "");
  }

  /// Returns [System#nanoTime()] when the request's headers had come.
  long began() {
    return began;
  }

  /// Begins to look whether the other side closes the connection. The body has been read.
  void watch() {
    connection.watch();
  }

  /// Checks that somebody waits for the answer.
  ///
  /// @param stopping whether the server can wait no longer
  /// @throws ClientGoneException if the other side was gone when it was last looked
  /// @throws ApiException if it takes too long or the server stops
  void checkAwaited(BooleanSupplier stopping) {
    if (connection.isGone()) {
      throw new ClientGoneException();
    }
    if (stopping.getAsBoolean()) {
      throw ApiException.stopping();
    }
    if (System.nanoTime() - began > limits.request().toNanos()) {
      throw ApiException.late(limits.request().toSeconds());
    }
  }

  void send(ObjectNode json) {
    send(200, JSON, Json.bytes(json));
  }

  void send(String text) {
    send(200, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }

  void send(int code, String type, byte[] bytes) {
    send(code, type, bytes, false);
  }

  /// @param last whether the connection cannot go on
  private void send(int code, String type, byte[] bytes, boolean last) {
    // Helidon would read what is left of a body without limits
    boolean ends = last || (!bodyTaken && !isBodyGone());
    status = code;
    response.status(Status.create(code));
    setHeader("Content-Type", type);
    setHeader("X-Content-Type-Options", "nosniff");
    if (ends) {
      response.header(HeaderValues.CONNECTION_CLOSE);
    }
    write(() -> response.send(bytes));
    if (ends) {
      throw new CloseConnectionException("the request was not read to its end");
    }
  }

  private boolean isBodyGone() {
    return !request.content().hasEntity() || RequestBody.discard(request, limits);
  }

  /// Begins an answer of events.
  EventStream stream() {
    status = 200;
    setHeader("Content-Type", "text/event-stream; charset=utf-8");
    setHeader("Cache-Control", "no-cache");
    setHeader("X-Accel-Buffering", "no"); // nginx would hold tokens back
    EventStream begun = new EventStream(response.outputStream(), this::write);
    stream = begun;
    return begun;
  }

  /// Answers with an error: as the stream's last event if there is one.
  void fail(ApiException error) {
    EventStream begun = stream;
    if (begun != null) {
      begun.data(error.json());
      begun.close();
      return;
    }
    if (error.status() == TOO_MANY) {
      setHeader("Retry-After", "1");
    }
    if (error.status() == 401) {
      setHeader("WWW-Authenticate", "Bearer");
    }
    send(error.status(), JSON, Json.bytes(error.json()), error.endsConnection());
  }

  /// Returns the status that was sent, or 0.
  int status() {
    return status;
  }

  /// Writes to the connection, which is closed if the other side does not read.
  private void write(EventStream.Write what) {
    sockets.expect(connection.serverSocket(), limits.write());
    try {
      what.run();
    } catch (CloseConnectionException | UncheckedIOException | IOException e) {
      throw new ClientGoneException(e);
    } finally {
      sockets.relax(connection.serverSocket());
    }
  }
}
