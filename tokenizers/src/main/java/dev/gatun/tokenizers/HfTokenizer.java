package dev.gatun.tokenizers;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;

/// The tokenizer of a model directory, run by Hugging Face's tokenizers library.
///
/// | file of the directory | what is taken from it |
/// |---|---|
/// | `tokenizer.json` | everything but `truncation` and `padding`, which are switched off |
/// | `tokenizer_config.json`, else `special_tokens_map.json`, both optional | `bos_token`, `eos_token`, `pad_token`; `add_bos_token` |
/// | `config.json`, optional | `bos_token_id`, `eos_token_id`, `pad_token_id` where no token is named above |
///
/// Where `add_bos_token` is not given, texts begin with the beginning token if the post-processor
/// of `tokenizer.json` puts it there. Nothing is ever downloaded or sent. Thread-safe.
public final class HfTokenizer implements SpanTokenizer, AutoCloseable {
  private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final Path file;
  private final int vocabularySize;
  private final TokenBytes bytes;
  private final SpecialTokens special;
  private final boolean beginsDocuments;
  private long handle; // 0 once closed

  private HfTokenizer(Path file, TokenizerJson json, SpecialTokens special, long handle) {
    this.file = file;
    this.vocabularySize = json.size();
    this.bytes = json.bytes();
    for (OptionalInt id : List.of(special.bos(), special.eos(), special.pad())) {
      id.ifPresent(bytes::addSilent);
    }
    this.special = special;
    this.handle = handle;
    this.beginsDocuments =
        special.bos().isPresent() && special.addBos().orElseGet(this::postProcessorBegins);
  }

  /// Opens the tokenizer of a model directory.
  ///
  /// The first call in a process loads the native library, which is unpacked into the user's cache
  /// folder once: 15 MB.
  ///
  /// @param directory a folder with a `tokenizer.json`
  /// @return an open tokenizer; its memory is freed by [#close]
  /// @throws MalformedFileException if one of the files breaks its rules
  /// @throws IOException if `tokenizer.json` is missing or a file cannot be read
  /// @throws LinkageError if the native library cannot be unpacked or loaded
  public static HfTokenizer open(Path directory) throws IOException {
    Path file = directory.resolve("tokenizer.json");
    TokenizerJson json = TokenizerJson.read(file);
    SpecialTokens special = SpecialTokens.read(directory, json);
    NativeLibrary.load();
    return new HfTokenizer(file, json, special, create(file));
  }

  private static long create(Path file) throws IOException {
    long handle;
    try {
      handle = LIBRARY.createTokenizerFromString(Files.readString(file));
    } catch (RuntimeException e) { // what the binding throws for each of the library's errors
      MalformedFileException malformed =
          new MalformedFileException(
              file,
              "tokenizer",
              String.valueOf(e.getMessage()),
              "what the tokenizers library reads");
      malformed.initCause(e);
      throw malformed;
    }
    LIBRARY.disableTruncation(handle);
    LIBRARY.disablePadding(handle);
    return handle;
  }

  @Override
  public int[] encode(String text) {
    return encode(text, false);
  }

  private int[] encode(String text, boolean postProcessed) {
    return withHandle(h -> taken(LIBRARY.encode(h, text, postProcessed)));
  }

  @Override
  public int[] encodePair(String first, String second) {
    return withHandle(h -> taken(LIBRARY.encodeDual(h, first, second, true)));
  }

  private static int[] taken(long encoding) {
    try {
      return toInts(LIBRARY.getTokenIds(encoding));
    } finally {
      LIBRARY.deleteEncoding(encoding);
    }
  }

  @Override
  public Spans encodeSpans(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          file + ": encode: found half a surrogate pair, expected whole characters");
    }
    return withHandle(h -> {
      long encoding = LIBRARY.encode(h, text, false);
      try {
        int[] ids = toInts(LIBRARY.getTokenIds(encoding));
        CharSpan[] spans = LIBRARY.getTokenCharSpans(encoding);
        int[] places = charIndices(text);
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
          starts[i] = places[spans[i].getStart()];
          ends[i] = places[spans[i].getEnd()];
        }
        return new Spans(ids, starts, ends);
      } finally {
        LIBRARY.deleteEncoding(encoding);
      }
    });
  }

  /// Returns where each code point of a text begins, and its end: the library counts code points.
  private static int[] charIndices(String text) {
    int[] indices = new int[text.codePointCount(0, text.length()) + 1];
    int at = 0;
    for (int i = 0; i < indices.length; i++) {
      indices[i] = at;
      at += at < text.length() ? Character.charCount(text.codePointAt(at)) : 0;
    }
    return indices;
  }

  @Override
  public String decode(int[] ids, boolean withSpecialTokens) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabularySize) {
        throw new IllegalArgumentException(
            "%s: decode: found id %d, expected one from 0 to %d"
                .formatted(file, ids[i], vocabularySize - 1));
      }
      wide[i] = ids[i];
    }
    return withHandle(h -> LIBRARY.decode(h, wide, !withSpecialTokens));
  }

  @Override
  public byte[] bytes(int id) {
    return bytes.of(id);
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public boolean beginsDocuments() {
    return beginsDocuments;
  }

  @Override
  public OptionalInt bosId() {
    return special.bos();
  }

  @Override
  public OptionalInt eosId() {
    return special.eos();
  }

  @Override
  public OptionalInt padId() {
    return special.pad();
  }

  /// Frees the native tokenizer. Waits for calls in flight; closing again does nothing.
  @Override
  public void close() {
    Lock exclusive = lock.writeLock();
    exclusive.lock();
    try {
      if (handle != 0) {
        LIBRARY.deleteTokenizer(handle);
        handle = 0;
      }
    } finally {
      exclusive.unlock();
    }
  }

  private <T> T withHandle(LongFunction<T> call) {
    Lock shared = lock.readLock();
    shared.lock();
    try {
      if (handle == 0) {
        throw new IllegalStateException(file + ": the tokenizer is closed");
      }
      return call(call);
    } finally {
      shared.unlock();
    }
  }

  /// Calls the library and names the file in its errors, such as a character that no token stands
  /// for.
  private <T> T call(LongFunction<T> call) {
    try {
      return call.apply(handle);
    } catch (RuntimeException e) { // what the binding throws for each of the library's errors
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private boolean postProcessorBegins() {
    int[] ids = encode("a", true);
    int bos = special.bos().orElseThrow();
    return ids.length > 0 && ids[0] == bos && ids.length > encode("a", false).length;
  }

  private static int[] toInts(long[] wide) {
    int[] ids = new int[wide.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.toIntExact(wide[i]);
    }
    return ids;
  }
}
