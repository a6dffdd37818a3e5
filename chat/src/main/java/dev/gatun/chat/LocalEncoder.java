package dev.gatun.chat;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.EmbeddingSettings;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.engine.EngineException;
import dev.gatun.models.engine.TextEncoder;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.task.TextInput;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A model directory of an encoder opened for embeddings: the model, its tokenizer, and what
/// batches the texts of all callers. Thread-safe.
///
/// A directory of sentence-transformers gets its own pooling, normalisation and maximum length
/// ([EmbeddingSettings#read]), any other the normalised mean over the tokens of the last layer. As
/// in sentence-transformers, a text of more tokens than [#maxTokens] is cut at its end; [#isCut]
/// tells.
public final class LocalEncoder implements AutoCloseable {
  private final String name;
  private final HfTokenizer tokenizer;
  private final TextInput input;
  private final TextEncoder encoder;

  private LocalEncoder(String name, HfTokenizer tokenizer, TextInput input, TextEncoder encoder) {
    this.name = name;
    this.tokenizer = tokenizer;
    this.input = input;
    this.encoder = encoder;
  }

  /// Opens a directory with the usual limits.
  ///
  /// @param directory a Hugging Face or sentence-transformers directory of an encoder, with a
  ///   `tokenizer.json`
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @return the encoder, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  public static LocalEncoder open(Path directory, Device device, DType compute) throws IOException {
    return open(directory, device, compute, EncoderOptions.DEFAULT);
  }

  /// Opens a directory.
  ///
  /// @param directory a Hugging Face or sentence-transformers directory of an encoder, with a
  ///   `tokenizer.json`
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param options the limits
  /// @return the encoder, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with what is returned
  public static LocalEncoder open(
      Path directory, Device device, DType compute, EncoderOptions options) throws IOException {
    ModelDirectory read = ModelDirectory.read(directory);
    EmbeddingSettings settings = EmbeddingSettings.read(directory);
    HfTokenizer tokenizer = HfTokenizer.open(directory);
    TextEncoder encoder = null;
    try {
      encoder = TextEncoder.open(read, device, compute, settings, options);
      TextInput input = LocalClassifier.input(directory, tokenizer, false, encoder.vocabulary());
      String name = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
      return new LocalEncoder(name, tokenizer, input, encoder);
    } catch (IOException | RuntimeException e) {
      if (encoder != null) {
        encoder.close();
      }
      tokenizer.close();
      throw e;
    }
  }

  /// {@return the directory's own name}
  public String name() {
    return name;
  }

  /// {@return the tokenizer}
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /// {@return the size of an embedding}
  public int dimension() {
    return encoder.dimension();
  }

  /// {@return how embeddings are made}
  public EmbeddingSettings settings() {
    return encoder.settings();
  }

  /// {@return tokens of a text at most, special ones included}
  public int maxTokens() {
    return encoder.maxTokens();
  }

  /// {@return whether a text has more tokens than [#maxTokens], so that its end has no part in its
  /// embedding}
  ///
  /// @param text any text
  public boolean isCut(String text) {
    return input.ids(text, null, Integer.MAX_VALUE).length > maxTokens();
  }

  /// {@return how many tokens texts have together, special ones included and what is cut left out}
  ///
  /// @param texts any texts
  public int tokens(List<String> texts) {
    return texts.stream().mapToInt(text -> ids(text).length).sum();
  }

  /// {@return the embeddings of texts, in their order; waits for them}
  ///
  /// @param texts any texts
  /// @throws EngineException if too many calls wait, the pass fails, or the encoder is closed
  public float[][] embed(List<String> texts) {
    return encoder.embed(texts.stream().map(this::ids).toList());
  }

  private int[] ids(String text) {
    return input.ids(text, null, maxTokens());
  }

  /// Frees the model after the pass under way; calls that wait end in an [EngineException].
  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
