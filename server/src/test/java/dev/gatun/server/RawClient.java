package dev.gatun.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/// A client that says exactly what it is told to, and reads when it is told to.
final class RawClient implements AutoCloseable {
  private final Socket socket = new Socket();

  RawClient(URI server) throws IOException {
    socket.setReceiveBufferSize(4096);
    socket.setSoTimeout(20_000);
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
  }

  static String post(String path, String body) {
    return post(path, body, body.length());
  }

  static String post(String path, String body, int length) {
    return "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(path, length, body);
  }

  void send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
  }

  /// Reads what comes until a text has come, or the end.
  String readUntil(String text) throws IOException {
    StringBuilder all = new StringBuilder();
    while (all.indexOf(text) < 0) {
      int next = socket.getInputStream().read();
      if (next < 0) {
        break;
      }
      all.append((char) next);
    }
    return all.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
