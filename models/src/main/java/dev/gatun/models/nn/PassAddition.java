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

  /// {@return this addition with its adapters' branches times a factor}
  ///
  /// With (1 - p)² that is the mean over LoRA Dropout's masks of rate p, which are not rescaled in
  /// training (arXiv:2404.09610, section 3.2); with 1 its variant that drops in training alone.
  ///
  /// @param factor the factor
  default PassAddition scaled(double factor) {
    return (pass, tokens) -> {
      ForwardPass.Builder joined = join(pass, tokens);
      return joined.segments(joined.segments().stream().map(s -> s.scaled(factor)).toList());
    };
  }
}
