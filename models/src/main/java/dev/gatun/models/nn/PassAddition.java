package dev.gatun.models.nn;

/// What goes with a model in a pass: an adapter, replaced weights, or nothing.
@FunctionalInterface
public interface PassAddition {
  /// The model as it is.
  PassAddition NONE = (pass, tokens) -> pass;

  /// Sends all rows of a pass through the addition.
  ///
  /// @param pass the description of the pass
  /// @param tokens its number of tokens
  /// @return `pass`
  ForwardPass.Builder join(ForwardPass.Builder pass, int tokens);
}
