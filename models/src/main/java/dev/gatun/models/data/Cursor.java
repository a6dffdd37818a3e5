package dev.gatun.models.data;

/// A place in the order of training: all that has to be kept to go on exactly from there.
///
/// @param epoch counted from 0
/// @param step optimizer step of the epoch, counted from 0
public record Cursor(int epoch, int step) {
  /// The beginning of training.
  public static final Cursor START = new Cursor(0, 0);

  /// Checks the numbers.
  public Cursor {
    if (epoch < 0 || step < 0) {
      throw new IllegalArgumentException(
          "cursor: epoch %d, step %d: expected no negative number".formatted(epoch, step));
    }
  }
}
