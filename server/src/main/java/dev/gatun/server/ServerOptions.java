package dev.gatun.server;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Where a [GatunServer] listens, whom it answers and what it allows.
///
/// @param host the name or address of the interface to listen at
/// @param port the port; 0 for a free one
/// @param name the model's name in requests, or null for its directory's
/// @param apiKey what requests must carry as `Authorization: Bearer`, or null to answer anybody
/// @param adapters the folder that requests may load adapters from, or null to let them load none
/// @param origin the web origin whose pages may ask, such as `https://example.org`, or null for
///   none but the server's own page
/// @param limits the limits of a request
public record ServerOptions(
    String host,
    int port,
    @Nullable String name,
    @Nullable String apiKey,
    @Nullable Path adapters,
    @Nullable String origin,
    Limits limits) {
  /// This machine alone, a free port, no key and no adapters but those that the caller loads.
  public static final ServerOptions LOCAL =
      new ServerOptions("127.0.0.1", 0, null, null, null, null, Limits.DEFAULT);

  /// Checks the ranges.
  public ServerOptions {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port: found " + port + ", expected 0 to 65535");
    }
    if (apiKey != null && apiKey.isBlank()) {
      throw new IllegalArgumentException("api key: found none, expected a text");
    }
    if (name != null && name.isBlank()) {
      throw new IllegalArgumentException("name: found none, expected a text");
    }
  }

  /// What a request and its connection may take.
  ///
  /// @param bodyBytes bytes of a request's body
  /// @param body how long its headers, and then its body, may take to come
  /// @param request how long an answer may take in all
  /// @param write how long the other side may leave what was written unread
  /// @param connections connections at a time
  public record Limits(
      int bodyBytes, Duration body, Duration request, Duration write, int connections) {
    /// 4 MiB, 30 seconds, 10 minutes, 30 seconds, 1024 connections.
    public static final Limits DEFAULT =
        new Limits(
            4 << 20, Duration.ofSeconds(30), Duration.ofMinutes(10), Duration.ofSeconds(30), 1024);

    /// Checks the ranges.
    public Limits {
      check("body bytes", bodyBytes, bodyBytes >= 1);
      check("body", body, body.isPositive());
      check("request", request, request.isPositive() && request.toDays() <= 7);
      check("write", write, write.isPositive());
      check("connections", connections, connections >= 1);
    }

    private static void check(String name, Object value, boolean fits) {
      if (!fits) {
        throw new IllegalArgumentException(
            name + ": found " + value + ", expected more than nothing, and a week at most");
      }
    }
  }
}
