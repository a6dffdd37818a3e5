package dev.gatun.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/// A connection that notices, while a request is answered, that its other side has gone.
///
/// A server that does not read learns of it by writing only, which a request that waits for its
/// answer does not do. So the next request is read ahead, in a thread of its own: what comes is
/// kept for the connection's own reading, and an end means that nobody waits any more.
final class WatchedConnection implements ConnectionContext {
  private final ConnectionContext context;
  private final DataReader reader = DataReader.create(this::read);
  private @Nullable FutureTask<byte @Nullable []> ahead; // of the thread that serves the connection
  private volatile boolean gone;

  private WatchedConnection(ConnectionContext context) {
    this.context = context;
  }

  /// Makes HTTP/1.1 connections that are watched.
  record Selector(Http1ConnectionSelector http) implements ServerConnectionSelector {
    static Selector of(Sockets sockets) {
      Http1Config config = Http1Config.builder().addReceiveListener(sockets).build();
      return new Selector(Http1ConnectionSelector.builder().config(config).build());
    }

    @Override
    public int bytesToIdentifyConnection() {
      return http.bytesToIdentifyConnection();
    }

    @Override
    public Support supports(BufferData data) {
      return http.supports(data);
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
      return http.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
      return http.connection(new WatchedConnection(context));
    }
  }

  /// Begins to look. The request has been read.
  void watch() {
    if (ahead == null && reader.available() == 0) { // else the next request is there already
      FutureTask<byte @Nullable []> task = new FutureTask<>(this::readAhead);
      ahead = task;
      Thread.ofVirtual().name("gatun-watch").start(task);
    }
  }

  /// Returns whether the other side has closed the connection.
  boolean isGone() {
    return gone;
  }

  private byte @Nullable [] readAhead() {
    byte[] bytes = null;
    try {
      bytes = readNow();
      return bytes;
    } finally {
      gone = bytes == null;
    }
  }

  private byte @Nullable [] readNow() {
    try {
      return serverSocket().get();
    } catch (UncheckedIOException e) {
      throw new ServerConnectionException("cannot read", e);
    }
  }

  private byte @Nullable [] read() {
    FutureTask<byte @Nullable []> begun = ahead;
    if (begun == null) {
      return readNow();
    }
    ahead = null;
    try {
      return begun.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ServerConnectionException("no more requests are read", e);
    } catch (ExecutionException e) {
      throw new ServerConnectionException("cannot read", e);
    }
  }

  @Override
  public DataReader dataReader() {
    return reader;
  }

  @Override
  public ListenerContext listenerContext() {
    return context.listenerContext();
  }

  @Override
  public ExecutorService executor() {
    return context.executor();
  }

  @Override
  public DataWriter dataWriter() {
    return context.dataWriter();
  }

  @Override
  public Router router() {
    return context.router();
  }

  @Override
  public Optional<ProxyProtocolData> proxyProtocolData() {
    return context.proxyProtocolData();
  }

  @Override
  public HelidonSocket serverSocket() {
    return context.serverSocket();
  }

  @Override
  public PeerInfo remotePeer() {
    return context.remotePeer();
  }

  @Override
  public PeerInfo localPeer() {
    return context.localPeer();
  }

  @Override
  public boolean isSecure() {
    return context.isSecure();
  }

  @Override
  public String socketId() {
    return context.socketId();
  }

  @Override
  public String childSocketId() {
    return context.childSocketId();
  }
}
