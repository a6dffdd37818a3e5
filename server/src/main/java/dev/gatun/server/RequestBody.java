package dev.gatun.server;

import dev.gatun.server.ServerOptions.Limits;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderValues;
import io.helidon.http.RequestException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Reads the body of a request within the limits.
final class RequestBody {
  /// How many times the limit is read and thrown away: a client that is still writing when the
  /// connection closes would not see the answer.
  private static final int LINGER = 4;

  private RequestBody() {}

  /// Reads it.
  ///
  /// @throws ApiException if it is too large, too slow or not well framed
  /// @throws ClientGoneException if it ends before its end
  static byte[] read(ServerRequest request, Limits limits) {
    if (!request.content().hasEntity()) {
      return new byte[0];
    }
    if (request.headers().contentLength().orElse(0) > limits.bodyBytes()) {
      discard(request, limits); // nothing is kept of what is refused
      throw ApiException.largeBody(limits.bodyBytes());
    }
    return await(() -> read(request.content().inputStream(), limits.bodyBytes()), limits);
  }

  /// Reads it and keeps nothing, so that the connection can go on.
  ///
  /// @return whether all of it was read
  static boolean discard(ServerRequest request, Limits limits) {
    if (request.headers().containsToken(HeaderValues.EXPECT_100)) {
      return false;
    }
    try {
      await(() -> read(request.content().inputStream(), 0, most(limits.bodyBytes())), limits);
      return true;
    } catch (ApiException | ClientGoneException e) {
      return false;
    }
  }

  private static long most(int limit) {
    return (long) LINGER * limit;
  }

  /// Waits for what reads, in a thread of its own: one that waits for a socket cannot be told to
  /// stop and then answer.
  private static byte[] await(Callable<byte[]> read, Limits limits) {
    FutureTask<byte[]> task = new FutureTask<>(read);
    Thread.ofVirtual().name("gatun-body").start(task);
    try {
      return task.get(limits.body().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw ApiException.slowBody();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ApiException.stopping();
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  private static RuntimeException failure(@Nullable Throwable cause) {
    return switch (cause) {
      case ApiException known -> known;
      case RequestException framing -> ApiException.badFraming();
      case NumberFormatException framing -> ApiException.badFraming(); // a chunk's size
      case IOException gone -> new ClientGoneException(gone);
      case UncheckedIOException gone -> new ClientGoneException(gone);
      case CloseConnectionException gone -> new ClientGoneException(gone);
      case DataReader.InsufficientDataAvailableException gone -> new ClientGoneException(gone);
      case RuntimeException other -> other;
      case null, default -> new IllegalStateException(cause);
    };
  }

  private static byte[] read(InputStream in, int limit) throws IOException {
    // one byte more tells a body that fits from one that does not
    byte[] bytes = read(in, limit + 1L, most(limit));
    if (bytes.length > limit) {
      throw ApiException.largeBody(limit);
    }
    return bytes;
  }

  /// Reads to the end.
  ///
  /// @param kept bytes to keep at most
  /// @param most bytes to read at most
  private static byte[] read(InputStream in, long kept, long most) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    long read = 0;
    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
      bytes.write(buffer, 0, (int) Math.min(count, kept - bytes.size()));
      read += count;
      if (read > most) {
        throw ApiException.largeBody((int) (most / LINGER));
      }
    }
    return bytes.toByteArray();
  }
}
