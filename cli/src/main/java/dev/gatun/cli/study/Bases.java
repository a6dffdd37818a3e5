package dev.gatun.cli.study;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// The model that the runs of a study share. Where its head is drawn at random, each seed has its
/// own: then the model is opened again for another seed, and one is open at a time.
public final class Bases implements AutoCloseable {
  /// Opens the model.
  @FunctionalInterface
  public interface Opener {
    /// Opens it.
    ///
    /// @param use whether its weights are trained
    /// @param seed of a head that the model directory lacks
    /// @return the model, to be closed by the caller
    /// @throws IOException if it cannot be read
    @MustBeClosed
    Transformer open(Use use, long seed) throws IOException;
  }

  private final Opener opener;
  private @Nullable Transformer model;
  private long seed;

  /// Opens nothing yet.
  ///
  /// @param opener opens the model
  public Bases(Opener opener) {
    this.opener = opener;
  }

  /// {@return the frozen model for a seed, until another seed is asked for}
  ///
  /// @param wanted the seed
  /// @throws IOException if it cannot be read
  @SuppressWarnings("MustBeClosedChecker") // closed with this, or before the next
  public Transformer of(long wanted) throws IOException {
    Transformer open = model;
    if (open != null && (wanted == seed || !isDrawn(open))) {
      return open;
    }
    close();
    Transformer opened = opener.open(Use.FROZEN, wanted);
    model = opened;
    seed = wanted;
    return opened;
  }

  /// Returns whether runs of different seeds have different models.
  boolean differ() throws IOException {
    return isDrawn(of(seed));
  }

  /// Opens the model for a run that trains all of its weights.
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed by the caller
  Transformer own(long wanted) throws IOException {
    return opener.open(Use.TRAINED, wanted);
  }

  private static boolean isDrawn(Transformer model) {
    return model instanceof TaskModel task && !task.fresh().isEmpty();
  }

  @Override
  public void close() {
    if (model != null) {
      model.close();
      model = null;
    }
  }
}
