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
    if (request.headers().contentLength().orElse(0) > limits.bodyBytes()
        && request.headers().containsToken(HeaderValues.EXPECT_100)) {
      throw ApiException.largeBody(limits.bodyBytes());
    }
    // in a thread of its own: one that waits for a socket cannot be told to stop and then answer
    FutureTask<byte[]> task =
        new FutureTask<>(() -> read(request.content().inputStream(), limits.bodyBytes()));
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

  private static byte[] read(InputStream in, int most) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    long read = 0;
    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
      read += count;
      if (read <= most) {
        bytes.write(buffer, 0, count);
      } else if (read > (long) LINGER * most) {
        break;
      }
    }
    if (read > most) {
      throw ApiException.largeBody(most);
    }
    return bytes.toByteArray();
  }
}
