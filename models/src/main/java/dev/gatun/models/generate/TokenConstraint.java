package dev.gatun.models.generate;

/// Says which tokens may come next in one text that is being written. Not thread-safe: each text
/// has one of its own.
///
/// The sampler asks [#restrict] before each choice and tells the choice to [#accept].
public interface TokenConstraint {
  /// Sets to minus infinity the score of each id that may not come next.
  ///
  /// An id that ends texts is allowed exactly where the text may end.
  ///
  /// @param logits `[V]`, a score for each id; changed in place
  /// @throws IllegalStateException if no token can go on with the text
  void restrict(float[] logits);

  /// Takes the chosen id.
  ///
  /// @param id the token that the text goes on with
  /// @throws IllegalArgumentException if the id was not allowed; nothing changes then
  void accept(int id);

  /// Returns whether nothing but the end may follow.
  ///
  /// @return true at the end, and before an end that is the only choice
  boolean isComplete();

  /// Returns an independent copy in the same state, for another choice of the same prompt.
  ///
  /// @return a constraint that later calls on this one do not change
  TokenConstraint copy();
}
