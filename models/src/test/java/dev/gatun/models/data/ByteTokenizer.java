package dev.gatun.models.data;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/// A tokenizer for tests: each byte of UTF-8 is a token, behind three special ones.
record ByteTokenizer(boolean beginsDocuments) implements Tokenizer {
  static final int BOS = 0;
  static final int EOS = 1;
  static final int PAD = 2;
  static final int VOCABULARY = 259;

  @Override
  public int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (bytes[i] & 0xff) + 3;
    }
    return ids;
  }

  @Override
  public String decode(int[] ids, boolean withSpecialTokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : ids) {
      if (id >= 3) {
        bytes.write(id - 3);
      } else if (withSpecialTokens) {
        bytes.writeBytes(
            new String[] {"<s>", "</s>", "<pad>"}[id].getBytes(StandardCharsets.UTF_8));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public byte[] bytes(int id) {
    return id < 3 || id >= VOCABULARY ? new byte[0] : new byte[] {(byte) (id - 3)};
  }

  @Override
  public int vocabularySize() {
    return VOCABULARY;
  }

  @Override
  public OptionalInt bosId() {
    return OptionalInt.of(BOS);
  }

  @Override
  public OptionalInt eosId() {
    return OptionalInt.of(EOS);
  }

  @Override
  public OptionalInt padId() {
    return OptionalInt.of(PAD);
  }
}
