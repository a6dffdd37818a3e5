package dev.gatun.models.train;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A step gave a loss or gradients that are not numbers; its update was not made.
public final class NonFiniteLossException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Creates one.
  ///
  /// @param step number of the step, from 1
  /// @param what `loss` or `gradient norm`
  /// @param value what it was
  /// @param checkpoint the last good checkpoint, or null
  public NonFiniteLossException(int step, String what, double value, @Nullable Path checkpoint) {
    super(
        "step %d: %s is %s; the update was not made. Lower the learning rate or look at the data; %s"
            .formatted(
                step,
                what,
                value,
                checkpoint == null
                    ? "there is no checkpoint yet"
                    : "the last good checkpoint is " + checkpoint));
  }
}
