package dev.gatun.server;

import io.helidon.http.Method;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/// The page to chat on, at `/`: three files that ask for nothing but this server.
final class ChatPage {
  private ChatPage() {}

  static void addTo(Routes routes) {
    add(routes, "/", "chat.html", "text/html");
    add(routes, "/chat.css", "chat.css", "text/css");
    add(routes, "/chat.js", "chat.js", "text/javascript");
  }

  private static void add(Routes routes, String path, String file, String type) {
    byte[] bytes = read(file);
    routes.open(
        Method.GET,
        path,
        exchange -> {
          exchange.setHeader(
              "Content-Security-Policy",
              "default-src 'self'; img-src data:; frame-ancestors 'none'");
          exchange.setHeader("Cache-Control", "no-cache");
          exchange.send(200, type + "; charset=utf-8", bytes);
        });
  }

  private static byte[] read(String file) {
    try (InputStream in = Objects.requireNonNull(ChatPage.class.getResourceAsStream(file))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
