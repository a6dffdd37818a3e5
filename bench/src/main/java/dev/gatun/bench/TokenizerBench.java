package dev.gatun.bench;

import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The demo model's tokenizer on a Java file of [#CHARACTERS] characters, which are [#TOKENS]
/// tokens.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class TokenizerBench extends NativeBench {
  /// Characters an operation reads or writes.
  static final int CHARACTERS = 5556;

  /// Tokens an operation writes or reads.
  static final int TOKENS = 1544;

  private static final String TEXT = "data/heldout/java-jwt/com/auth0/jwt/impl/JsonNodeClaim.java";

  private HfTokenizer tokenizer;
  private String text;
  private int[] ids;

  /// Reads tokenizer and text.
  @Setup
  public void open() throws IOException {
    Path demo = demo();
    text = Files.readString(demo.resolve(TEXT));
    tokenizer = HfTokenizer.open(demo.resolve("model"));
    ids = tokenizer.encode(text);
    if (text.length() != CHARACTERS || ids.length != TOKENS) {
      throw new IllegalStateException(
          "%s: found %d characters and %d tokens, expected %d and %d"
              .formatted(TEXT, text.length(), ids.length, CHARACTERS, TOKENS));
    }
  }

  /// Finds the demo's folder above the place that this class was built to.
  private static Path demo() {
    URI classes =
        URI.create(
            TokenizerBench.class.getProtectionDomain().getCodeSource().getLocation().toString());
    for (Path folder = Path.of(classes); folder != null; folder = folder.getParent()) {
      Path demo = folder.resolve("demo");
      if (Files.isDirectory(demo.resolve("model"))) {
        return demo;
      }
    }
    throw new IllegalStateException(classes + ": found no demo/model in the folders above it");
  }

  /// Frees the tokenizer.
  @TearDown
  public void close() {
    tokenizer.close();
  }

  /// Copies the text out as UTF-8, for scale.
  @Benchmark
  public byte[] utf8() {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /// Turns the text into tokens.
  @Benchmark
  public int[] encode() {
    return tokenizer.encode(text);
  }

  /// Turns the tokens into text.
  @Benchmark
  public String decode() {
    return tokenizer.decode(ids, true);
  }
}
