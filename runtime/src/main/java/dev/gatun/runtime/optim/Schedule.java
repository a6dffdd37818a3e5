package dev.gatun.runtime.optim;

/// A learning rate over the steps of a run: linear warm-up from 0, then one of three shapes.
///
/// Source: transformers' `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup` and
/// `get_cosine_schedule_with_warmup`.
///
/// @param shape course after the warm-up
/// @param peak learning rate at the end of the warm-up
/// @param warmup steps of warm-up
/// @param steps steps of the whole run
public record Schedule(Shape shape, double peak, int warmup, int steps) {
  /// The course after the warm-up.
  public enum Shape {
    /// Stays at the peak.
    CONSTANT,
    /// Falls in a straight line to 0.
    LINEAR,
    /// Falls along half a cosine to 0.
    COSINE
  }

  /// Checks the ranges.
  public Schedule {
    if (!(peak >= 0) || Double.isInfinite(peak)) {
      throw new IllegalArgumentException("learning rate: found " + peak + ", expected 0 or more");
    }
    if (warmup < 0 || steps < 1) {
      throw new IllegalArgumentException(
          "schedule: found warm-up "
              + warmup
              + " of "
              + steps
              + " steps, expected 0 or more of 1 or more");
    }
  }

  /// {@return the learning rate of a step, counted from 0}
  ///
  /// @param step number of the step, from 0
  public double at(int step) {
    if (step < warmup) {
      return peak * step / Math.max(1, warmup);
    }
    double progress = Math.min(1, (double) (step - warmup) / Math.max(1, steps - warmup));
    return switch (shape) {
      case CONSTANT -> peak;
      case LINEAR -> peak * (1 - progress);
      case COSINE -> peak * 0.5 * (1 + Math.cos(Math.PI * progress));
    };
  }
}
