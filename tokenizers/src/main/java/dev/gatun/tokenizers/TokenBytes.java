package dev.gatun.tokenizers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What each token of a `tokenizer.json` writes, by the rules of its decoder.
///
/// | decoder | a token writes |
/// |---|---|
/// | `ByteLevel` | the bytes that its characters stand for in GPT-2's alphabet (`bytes_to_unicode`) |
/// | `Replace` of a string, `Metaspace` | its text with the one put for the other: `▁` for a blank |
/// | `ByteFallback` | the one byte of `<0x0A>` |
/// | `WordPiece`, or none | its text behind a blank, unless it begins with the prefix `##` |
/// | `BPEDecoder` | its text, with a blank for the suffix `</w>` |
///
/// `Sequence` applies several; others (`Fuse`, `Strip`) change nothing inside of a text. An added
/// token writes its text as it stands.
final class TokenBytes {
  private static final byte[] NOTHING = {};
  private static final int[] BYTE_OF = alphabet();

  private final List<ObjectNode> decoders = new ArrayList<>();
  private final boolean joinsWithBlanks;
  private byte[][] bytes = new byte[256][];
  private int size;

  TokenBytes(@Nullable JsonNode decoder) {
    collect(decoder);
    this.joinsWithBlanks = decoder == null || decoder.isNull();
    Arrays.fill(bytes, NOTHING);
  }

  private void collect(@Nullable JsonNode decoder) {
    if (decoder instanceof ObjectNode object) {
      decoders.add(object);
      JsonNode inner = object.get("decoders");
      if (inner != null) {
        inner.forEach(this::collect);
      }
    }
  }

  /// Takes a token of the vocabulary.
  void add(int id, String token) {
    put(id, written(token));
  }

  /// Takes a token that is found in texts as it stands.
  void addVerbatim(int id, String token) {
    put(id, token.getBytes(StandardCharsets.UTF_8));
  }

  /// Takes a token that writes nothing.
  void addSilent(int id) {
    put(id, NOTHING);
  }

  /// Returns what a token writes; nothing for an id that is none.
  byte[] of(int id) {
    return id < 0 || id >= size ? NOTHING : bytes[id].clone();
  }

  private void put(int id, byte[] written) {
    if (id >= bytes.length) {
      int old = bytes.length;
      bytes = Arrays.copyOf(bytes, Math.max(id + 1, 2 * old));
      Arrays.fill(bytes, old, bytes.length, NOTHING);
    }
    bytes[id] = written;
    size = Math.max(size, id + 1);
  }

  private byte[] written(String token) {
    String text = joinsWithBlanks ? " " + token : token;
    for (ObjectNode decoder : decoders) {
      switch (text(decoder, "type", "")) {
        case "ByteLevel" -> {
          byte @Nullable [] level = byteLevel(text);
          if (level != null) {
            return level;
          }
        }
        case "ByteFallback" -> {
          if (text.matches("<0x[0-9A-Fa-f]{2}>")) {
            return HexFormat.of().parseHex(text.substring(3, 5));
          }
        }
        case "Replace" -> {
          JsonNode pattern = decoder.get("pattern");
          JsonNode from = pattern == null ? null : pattern.get("String");
          if (from != null && from.isString() && !from.stringValue().isEmpty()) {
            text = text.replace(from.stringValue(), text(decoder, "content", ""));
          }
        }
        case "Metaspace" -> text = text.replace(text(decoder, "replacement", "▁"), " ");
        case "WordPiece" -> {
          String prefix = text(decoder, "prefix", "##");
          text = text.startsWith(prefix) ? text.substring(prefix.length()) : " " + text;
        }
        case "BPEDecoder" -> text = text.replace(text(decoder, "suffix", "</w>"), " ");
        default -> {} // changes nothing inside of a text
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(ObjectNode object, String key, String otherwise) {
    JsonNode value = object.get(key);
    return value != null && value.isString() ? value.stringValue() : otherwise;
  }

  /// Returns the bytes that characters stand for, or null if one stands for none.
  private static byte @Nullable [] byteLevel(String token) {
    byte[] level = new byte[token.length()];
    for (int i = 0; i < level.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
        return null;
      }
      level[i] = (byte) BYTE_OF[c];
    }
    return level;
  }

  /// Returns the byte of each character of GPT-2's alphabet: printable bytes stand for themselves,
  /// the others are numbered from 256 on.
  private static int[] alphabet() {
    int[] byteOf = new int[512];
    Arrays.fill(byteOf, -1);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      byteOf[printable ? b : next++] = b;
    }
    return byteOf;
  }
}
