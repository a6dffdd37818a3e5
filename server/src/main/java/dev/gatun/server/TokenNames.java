package dev.gatun.server;

import dev.gatun.models.data.Tokenizer;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.node.ArrayNode;

/// What single tokens are called in an answer.
final class TokenNames {
  private final Tokenizer tokenizer;

  TokenNames(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// Returns a token's text; U+FFFD for a part of a character.
  String text(int id) {
    byte[] bytes = tokenizer.bytes(id);
    return bytes.length == 0
        ? tokenizer.decodeWritten(new int[] {id}, true) // a special token
        : new String(bytes, StandardCharsets.UTF_8);
  }

  /// Adds what a token writes to an array, byte by byte.
  void bytes(int id, ArrayNode out) {
    for (byte b : tokenizer.bytes(id)) {
      out.add(b & 0xFF);
    }
  }
}
