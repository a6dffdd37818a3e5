package dev.gatun.server;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// An answer of server-sent events, each sent at once.
final class EventStream {
  private static final byte[] DATA = ascii("data: ");
  private static final byte[] END = ascii("\n\n");

  private final OutputStream out;
  private final Consumer<Write> writer;

  /// Something that writes to the connection.
  @FunctionalInterface
  interface Write {
    void run() throws IOException;
  }

  /// @param writer runs what writes
  EventStream(OutputStream out, Consumer<Write> writer) {
    this.out = out;
    this.writer = writer;
  }

  void data(ObjectNode json) {
    send(DATA, Json.bytes(json));
  }

  /// Sends the event behind which nothing comes.
  void done() {
    send(DATA, ascii("[DONE]"));
  }

  /// Sends something that clients ignore, to keep what is in between from closing the connection.
  void ping() {
    send(ascii(": "), ascii("ping"));
  }

  private void send(byte[] field, byte[] value) {
    writer.accept(() -> {
      out.write(field);
      out.write(value);
      out.write(END);
      out.flush();
    });
  }

  void close() {
    writer.accept(out::close);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
