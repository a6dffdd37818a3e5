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
    return tokenizer.decodeWritten(new int[] {id}, true);
  }

  /// Adds the bytes of a token's text to an array.
  void bytes(String text, ArrayNode out) {
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      out.add(b & 0xFF);
    }
  }
}
