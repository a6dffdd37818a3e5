package dev.gatun.server;

import io.helidon.common.socket.HelidonSocket;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionListener;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/// Closes connections whose other side keeps them waiting for too long: for a request's headers, or
/// until it reads what is written.
final class Sockets implements Http1ConnectionListener, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Sockets.class.getName());
  private static final ThreadLocal<WatchedConnection> CURRENT = new ThreadLocal<>();
  private static final long PERIOD_MILLIS = 200;

  private final Map<HelidonSocket, Long> due = new ConcurrentHashMap<>();
  private final Duration headers;
  private final Thread sweeper;

  /// @param headers how long headers may take to come, behind a request's first line
  Sockets(Duration headers) {
    this.headers = headers;
    this.sweeper = Thread.ofVirtual().name("gatun-sockets").start(this::sweep);
  }

  /// Returns the connection that the calling thread serves.
  static WatchedConnection current() {
    return Objects.requireNonNull(CURRENT.get());
  }

  @Override
  public void prologue(ConnectionContext context, HttpPrologue prologue) {
    CURRENT.set((WatchedConnection) context);
    expect(context.serverSocket(), headers);
  }

  @Override
  public void headers(ConnectionContext context, Headers headers) {
    relax(context.serverSocket());
  }

  /// Closes a socket unless [#relax] is called in time.
  void expect(HelidonSocket socket, Duration time) {
    due.put(socket, System.nanoTime() + time.toNanos());
  }

  void relax(HelidonSocket socket) {
    due.remove(socket);
  }

  private void sweep() {
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        long now = System.nanoTime();
        due.forEach((socket, time) -> {
          if (time - now < 0 && due.remove(socket, time)) {
            close(socket);
          }
        });
      }
    } catch (InterruptedException e) {
      LOG.log(System.Logger.Level.TRACE, "no more sockets to watch", e);
    }
  }

  private static void close(HelidonSocket socket) {
    try {
      socket.close();
    } catch (UncheckedIOException e) {
      LOG.log(System.Logger.Level.TRACE, "the socket was closed already", e);
    }
  }

  @Override
  public void close() {
    sweeper.interrupt();
  }
}
