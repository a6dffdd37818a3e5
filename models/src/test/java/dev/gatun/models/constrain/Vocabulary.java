package dev.gatun.models.constrain;

import dev.gatun.models.data.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/// A tokenizer for tests, of the kind of a byte-level BPE: two special tokens, each byte, and
/// pieces of several bytes, among them halves of characters.
///
/// @param strips whether decoding drops a text's first blank
record Vocabulary(List<byte[]> pieces, boolean strips) implements Tokenizer {
  static final int STOP = 0;
  static final Vocabulary JSON = of(400, false);

  /// Returns one with pieces that JSON is made of and random ones.
  static Vocabulary of(int random, boolean strips) {
    List<byte[]> pieces = new ArrayList<>(List.of(new byte[0], new byte[0]));
    for (int b = 0; b < 256; b++) {
      pieces.add(new byte[] {(byte) b});
    }
    for (String piece :
        List.of(
            "{\"",
            "\":",
            "\": ",
            "\",",
            "\", \"",
            "\"}",
            "},",
            "[{\"",
            "}]",
            "[]",
            "{}",
            " \"",
            " {",
            " [",
            "\n  ",
            "\n    ",
            "true",
            "false",
            "null",
            "12",
            "345",
            "0.5",
            "-1",
            "1e",
            "a1",
            "name",
            " name",
            "\"name\"",
            "age",
            "ab",
            "ba",
            "aab",
            "yes",
            "no",
            "é",
            "日本",
            "\\u",
            "\\n",
            "\\\"",
            "2024-",
            "-02-",
            "T1",
            "::",
            "x@",
            " yes",
            " 1",
            "\n{")) {
      pieces.add(piece.getBytes(StandardCharsets.UTF_8));
    }
    byte[] rocket = "🚀é".getBytes(StandardCharsets.UTF_8);
    pieces.add(new byte[] {rocket[0], rocket[1]});
    pieces.add(new byte[] {rocket[2], rocket[3], rocket[4]});
    pieces.add(new byte[] {'a', rocket[4]});
    pieces.add(new byte[] {rocket[5], '"', ','});
    Random source = new Random(7);
    for (int i = 0; i < random; i++) {
      byte[] piece = new byte[1 + source.nextInt(6)];
      for (int k = 0; k < piece.length; k++) {
        piece[k] = (byte) " abcdefg0123456789\"{}[]:,.-+*()\\\n".charAt(source.nextInt(33));
      }
      pieces.add(piece);
    }
    return new Vocabulary(List.copyOf(pieces), strips);
  }

  @Override
  public byte[] bytes(int id) {
    return id < 0 || id >= pieces.size() ? new byte[0] : pieces.get(id).clone();
  }

  @Override
  public int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return IntStream.range(0, bytes.length).map(i -> 2 + (bytes[i] & 0xff)).toArray();
  }

  byte[] written(List<Integer> ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ids.forEach(id -> bytes.writeBytes(pieces.get(id)));
    return bytes.toByteArray();
  }

  @Override
  public String decode(int[] ids, boolean withSpecialTokens) {
    List<Integer> list = IntStream.of(ids).boxed().toList();
    String text = new String(written(list), StandardCharsets.UTF_8);
    return strips && text.startsWith(" ") ? text.substring(1) : text;
  }

  @Override
  public int vocabularySize() {
    return pieces.size();
  }

  @Override
  public boolean beginsDocuments() {
    return false;
  }

  @Override
  public OptionalInt bosId() {
    return OptionalInt.empty();
  }

  @Override
  public OptionalInt eosId() {
    return OptionalInt.of(STOP);
  }

  @Override
  public OptionalInt padId() {
    return OptionalInt.of(1);
  }
}
