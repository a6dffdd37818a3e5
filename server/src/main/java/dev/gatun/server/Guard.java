package dev.gatun.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Says who may ask: whoever has the key, and no page of another web site.
///
/// A browser sends a simple POST anywhere on behalf of any page it shows, and a page can point its
/// own name at this machine (DNS rebinding); a server without a key on a developer's machine must
/// not answer either.
final class Guard {
  private static final String BEARER = "bearer ";

  private final byte @Nullable [] key;
  private final @Nullable String origin;
  private final boolean local;

  Guard(ServerOptions options, boolean local) {
    String text = options.apiKey();
    this.key = text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    this.origin = options.origin();
    this.local = local;
  }

  /// Checks the key.
  void checkKey(Exchange exchange) {
    if (key == null) {
      return;
    }
    String header = exchange.header("Authorization");
    boolean bears = header != null && header.toLowerCase(Locale.ROOT).startsWith(BEARER);
    byte[] found =
        bears && header != null
            ? header.substring(BEARER.length()).strip().getBytes(StandardCharsets.UTF_8)
            : new byte[0];
    if (!MessageDigest.isEqual(key, found)) { // takes as long for any wrong key
      throw ApiException.noKey();
    }
  }

  /// Checks where the asking page comes from, and tells browsers of the one that may ask.
  void checkOrigin(Exchange exchange) {
    String host = String.valueOf(exchange.header("Host"));
    if (local && key == null && !isLoopback(hostName(host))) {
      throw ApiException.forbidden(
          null, "host: found another name, expected one of this machine or a server with a key");
    }
    String from = exchange.header("Origin");
    if (from == null) {
      return;
    }
    if (from.equals(origin)) {
      exchange.setHeader("Access-Control-Allow-Origin", from);
      exchange.setHeader("Vary", "Origin");
    } else if (!from.equals("http://" + host) && !from.equals("https://" + host)) {
      throw ApiException.forbidden(null, "origin: found another site, expected this server's page");
    }
  }

  /// Answers the question that browsers ask before a request from another site.
  void preflight(Exchange exchange) {
    exchange.setHeader("Access-Control-Allow-Methods", "GET, POST");
    exchange.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type");
    exchange.setHeader("Access-Control-Max-Age", "600");
    exchange.send("");
  }

  private static String hostName(String host) {
    try {
      return String.valueOf(new URI("http://" + host).getHost());
    } catch (URISyntaxException e) {
      return "";
    }
  }

  private static boolean isLoopback(String name) {
    return name.equalsIgnoreCase("localhost")
        || name.equals("[::1]")
        || name.matches("127[.][0-9]+[.][0-9]+[.][0-9]+");
  }
}
