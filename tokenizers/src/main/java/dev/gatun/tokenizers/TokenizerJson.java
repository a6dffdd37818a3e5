package dev.gatun.tokenizers;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The vocabulary of a `tokenizer.json`, checked before the native library sees the file.
final class TokenizerJson {
  private static final int MAX_BYTES = 256 << 20;
  private static final int MAX_ID = 1 << 24;
  private static final Set<String> TYPES = Set.of("BPE", "Unigram", "WordPiece", "WordLevel");

  private final Path file;
  private final Map<String, Integer> ids = new HashMap<>();
  private final TokenBytes bytes;
  private int size;

  private TokenizerJson(Path file, TokenBytes bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  static TokenizerJson read(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(
          file.toString(), null, "the model has no tokenizer.json, so it takes token ids only");
    }
    ObjectNode root = StrictJson.read(file, MAX_BYTES);
    TokenizerJson json = new TokenizerJson(file, new TokenBytes(root.get("decoder")));
    json.readTokens(root);
    return json;
  }

  /// Returns one more than the largest id.
  int size() {
    return size;
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /// Returns what the tokens write.
  TokenBytes bytes() {
    return bytes;
  }

  private void readTokens(ObjectNode root) throws MalformedFileException {
    if (!(root.get("model") instanceof ObjectNode model)) {
      throw wrong("model", root.get("model"), "an object");
    }
    JsonNode type = model.get("type");
    if (type != null && !(type.isString() && TYPES.contains(type.stringValue()))) {
      throw new MalformedFileException(
          file,
          "model.type",
          type.isString() ? type.stringValue() : StrictJson.kind(type),
          "BPE, Unigram, WordPiece or WordLevel");
    }
    JsonNode vocabulary = model.get("vocab");
    if (vocabulary instanceof ObjectNode tokens) {
      for (Map.Entry<String, JsonNode> token : tokens.properties()) {
        String place = "model.vocab[\"" + token.getKey() + "\"]";
        bytes.add(add(place, token.getKey(), token.getValue()), token.getKey());
      }
    } else if (vocabulary != null && vocabulary.isArray()) {
      for (JsonNode piece : vocabulary) {
        String place = "model.vocab[" + size + "]";
        if (!piece.isArray() || piece.size() != 2 || !piece.get(0).isString()) {
          throw wrong(place, piece, "a piece and its score");
        }
        bytes.add(size, piece.get(0).stringValue());
        ids.put(piece.get(0).stringValue(), size++);
      }
    } else {
      throw wrong("model.vocab", vocabulary, "an object, or an array for Unigram");
    }
    if (size == 0) {
      throw new MalformedFileException(file, "model.vocab", "no token", "at least one token");
    }
    JsonNode unknown = model.get("unk_token");
    boolean needed = type != null && Set.of("WordPiece", "WordLevel").contains(type.stringValue());
    if (needed
        && unknown != null
        && unknown.isString()
        && !ids.containsKey(unknown.stringValue())) {
      throw new MalformedFileException(
          file, "model.unk_token", unknown.stringValue(), "a token of model.vocab");
    }
    silenceUnknown(unknown, model.get("unk_id"));
    readMerges(model.get("merges"));
    readAddedTokens(root.get("added_tokens"));
  }

  /// Lets the token for what the vocabulary lacks write nothing.
  private void silenceUnknown(@Nullable JsonNode token, @Nullable JsonNode id) {
    if (token != null && token.isString()) {
      id(token.stringValue()).ifPresent(bytes::addSilent);
    }
    if (id != null && id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < size) {
      bytes.addSilent(id.intValue());
    }
  }

  private void readMerges(@Nullable JsonNode merges) throws MalformedFileException {
    if (merges == null) {
      return;
    }
    int index = 0;
    for (JsonNode merge : merges) {
      boolean text = merge.isString() && merge.stringValue().indexOf(' ') > 0;
      boolean pair =
          merge.isArray()
              && merge.size() == 2
              && merge.get(0).isString()
              && merge.get(1).isString();
      if (!text && !pair) {
        throw wrong("model.merges[" + index + "]", merge, "\"a b\" or [\"a\", \"b\"]");
      }
      index++;
    }
  }

  private void readAddedTokens(@Nullable JsonNode tokens) throws MalformedFileException {
    if (tokens == null || tokens.isNull()) {
      return;
    }
    if (!tokens.isArray()) {
      throw wrong("added_tokens", tokens, "an array");
    }
    int index = 0;
    for (JsonNode token : tokens) {
      String place = "added_tokens[" + index++ + "]";
      JsonNode content = token.get("content");
      if (content == null || !content.isString()) {
        throw wrong(place + ".content", content, "a string");
      }
      int id = add(place + ".id", content.stringValue(), token.get("id"));
      JsonNode special = token.get("special");
      if (special != null && special.isBoolean() && special.booleanValue()) {
        bytes.addSilent(id);
      } else {
        bytes.addVerbatim(id, content.stringValue());
      }
    }
  }

  private int add(String place, String token, @Nullable JsonNode id) throws MalformedFileException {
    if (id == null || !id.isIntegralNumber() || !id.canConvertToInt()) {
      throw wrong(place, id, "an id from 0 to " + MAX_ID);
    }
    int value = id.intValue();
    if (value < 0 || value > MAX_ID) {
      throw wrong(place, id, "an id from 0 to " + MAX_ID);
    }
    ids.put(token, value);
    size = Math.max(size, value + 1);
    return value;
  }

  private MalformedFileException wrong(String place, @Nullable JsonNode found, String expected) {
    return new MalformedFileException(
        file, place, found == null ? "nothing" : StrictJson.kind(found), expected);
  }
}
