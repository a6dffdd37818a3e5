package dev.gatun.models.engine;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Encoder;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.Reduce;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Embeddings of texts by an encoder, many callers' in one pass.
///
/// Whatever waits when its thread is free goes through the model together, up to
/// [EncoderOptions#passTokens()]. One platform thread makes all native calls; every method here may
/// be called from any thread, and waits for what it returns. Source of pooling and normalisation:
/// sentence-transformers, `models/Pooling.py` and `models/Normalize.py`.
///
/// ```java
/// try (TextEncoder encoder = TextEncoder.open(
///     directory, Device.CPU, DType.F32,
///     EmbeddingSettings.read(directory.path()), EncoderOptions.DEFAULT)) {
///   float[][] embeddings = encoder.embed(List.of(first, second));
/// }
/// ```
public final class TextEncoder implements AutoCloseable {
  private static final double LEAST_LENGTH = 1e-12; // of torch.nn.functional.normalize

  private final EmbeddingSettings settings;
  private final Passes passes;
  private final int width;
  private final int vocabulary;
  private final int maxTokens;

  @SuppressWarnings("MustBeClosedChecker") // closed with the encoder
  private TextEncoder(
      ModelDirectory directory,
      Device device,
      DType compute,
      EmbeddingSettings settings,
      EncoderOptions options)
      throws IOException {
    this.settings = settings;
    Body[] opened = new Body[1];
    this.passes =
        new Passes(
            "encoder",
            options,
            1,
            () -> opened[0] = new Body(directory.openEncoder(device, compute), settings));
    Encoder model = opened[0].model;
    this.width = model.width();
    this.vocabulary = model.vocabulary();
    this.maxTokens =
        settings.maxTokens() == 0
            ? model.maxPositions()
            : Math.min(settings.maxTokens(), model.maxPositions());
  }

  /// Opens an encoder.
  ///
  /// @param directory a model directory of an encoder; a head in it is passed over
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param settings how embeddings are made, such as [EmbeddingSettings#read]
  /// @param options the limits
  /// @return the encoder, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or the model is a decoder
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  public static TextEncoder open(
      ModelDirectory directory,
      Device device,
      DType compute,
      EmbeddingSettings settings,
      EncoderOptions options)
      throws IOException {
    return new TextEncoder(directory, device, compute, settings, options);
  }

  /// {@return the size of an embedding}
  public int dimension() {
    return width;
  }

  /// {@return the number of ids}
  public int vocabulary() {
    return vocabulary;
  }

  /// {@return ids of a text at most}
  public int maxTokens() {
    return maxTokens;
  }

  /// {@return how embeddings are made}
  public EmbeddingSettings settings() {
    return settings;
  }

  /// {@return the embeddings of texts, in their order}
  ///
  /// @param texts ids of each, special tokens included
  /// @throws ShapeException if a text is empty, has an id outside the vocabulary or more ids than
  ///   [#maxTokens()]
  /// @throws EngineException if too many calls wait, the pass fails, or the encoder is closed
  public float[][] embed(List<int[]> texts) {
    check(texts, vocabulary, maxTokens);
    return passes.run(texts);
  }

  static void check(List<int[]> texts, int vocabulary, int maxTokens) {
    for (int i = 0; i < texts.size(); i++) {
      int[] ids = texts.get(i);
      if (ids.length == 0 || ids.length > maxTokens) {
        throw new ShapeException(
            "text %d: found %d ids, expected 1 to %d".formatted(i, ids.length, maxTokens));
      }
      for (int id : ids) {
        if (id < 0 || id >= vocabulary) {
          throw new ShapeException(
              "text %d: found id %d, expected 0 to %d".formatted(i, id, vocabulary - 1));
        }
      }
    }
  }

  /// Closes the encoder after the pass under way; calls that wait end in an [EngineException].
  /// Closing twice does nothing.
  @Override
  public void close() {
    passes.close();
  }

  /// The model, and what becomes of its activations.
  private record Body(Encoder model, EmbeddingSettings settings) implements Passes.Model {
    @Override
    public List<float[]> run(List<int[]> texts) {
      try (Scope scope = Scope.open(model.device())) {
        ForwardPass pass = Rows.of(texts, 1).pass(scope, model).build();
        Tensor hidden = model.hidden(scope, pass, false); // (N, C)
        float[] all = Layout.as(scope, pooled(scope, hidden, pass.batch()), DType.F32).toFloats();
        List<float[]> embeddings = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
          double divisor = settings.pooling() == Pooling.MEAN ? texts.get(i).length : 1;
          embeddings.add(embedding(all, i, divisor));
        }
        return embeddings;
      }
    }

    /// Returns the token of each text, or the sum over all of them, `(B, C)`.
    private Tensor pooled(Scope scope, Tensor hidden, Ragged batch) {
      int count = batch.sequences();
      if (settings.pooling() == Pooling.MEAN) {
        Tensor wide = batch.padRows(scope, Layout.as(scope, hidden, DType.F32));
        Tensor each = Layout.reshape(scope, wide, count, batch.longest(), hidden.size(1));
        return Reduce.sum(scope, each, false, 1);
      }
      boolean last = settings.pooling() == Pooling.LAST;
      long[] rows = new long[count];
      for (int i = 0; i < count; i++) {
        int row = last ? batch.start(i) + batch.length(i) - 1 : batch.start(i);
        rows[i] = row;
      }
      return Layout.rows(scope, hidden, scope.of(rows, count));
    }

    private float[] embedding(float[] all, int row, double divisor) {
      int width = model.width();
      double divided = divisor;
      if (settings.normalised()) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
          double x = all[row * width + i] / divisor;
          squares += x * x;
        }
        divided *= Math.max(Math.sqrt(squares), LEAST_LENGTH);
      }
      float[] embedding = new float[width];
      for (int i = 0; i < width; i++) {
        embedding[i] = (float) (all[row * width + i] / divided);
      }
      return embedding;
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
