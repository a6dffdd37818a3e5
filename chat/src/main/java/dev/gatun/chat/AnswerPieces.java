package dev.gatun.chat;

import dev.gatun.models.engine.EngineException;
import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.Usage;
import org.jspecify.annotations.Nullable;

/// The text of a request for one choice, piece by piece. For one thread.
public final class AnswerPieces {
  private final Generation generation;
  private FinishReason reason = FinishReason.CANCELLED;
  private @Nullable Usage usage;

  /// Begins to read.
  ///
  /// @param generation the request, of whose events none was taken yet
  public AnswerPieces(Generation generation) {
    this.generation = generation;
  }

  /// Waits for more text.
  ///
  /// @return the next piece, not empty, or null at the end
  /// @throws InterruptedException if the thread is interrupted
  /// @throws EngineException if the request failed
  public @Nullable String next() throws InterruptedException {
    while (usage == null) {
      switch (generation.take()) {
        case GenerationEvent.Text piece
            when piece.text().isEmpty() -> {} // in the middle of a character
        case GenerationEvent.Text piece -> {
          return piece.text();
        }
        case GenerationEvent.ChoiceEnded ended -> reason = ended.reason();
        case GenerationEvent.Ended ended -> usage = ended.usage();
      }
    }
    return null;
  }

  /// {@return why the text ended, once [#next] has returned null}
  public FinishReason reason() {
    return reason;
  }

  /// {@return what it took, or null before [#next] has returned null}
  public @Nullable Usage usage() {
    return usage;
  }
}
