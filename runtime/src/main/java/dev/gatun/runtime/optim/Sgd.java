package dev.gatun.runtime.optim;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import java.util.List;
import java.util.Map;

/// Stochastic gradient descent with momentum, all parameters in one fused call of libtorch.
///
/// Numerics of `torch.optim.SGD`: weight decay is added to the gradient, the first step's gradient
/// starts the momentum.
public final class Sgd implements Optimizer {
  private static final Operator FUSED = Operator.of("_fused_sgd_");

  /// Settings.
  ///
  /// @param momentum share of the former direction that stays; 0 for none
  /// @param nesterov whether the momentum looks ahead
  /// @param weightDecay factor of the weights that is added to their gradients
  public record Config(double momentum, boolean nesterov, double weightDecay) {}

  private final Config config;
  private final List<Tensor> parameters;
  private final Scope scope;
  private final Moments momentum;
  private int steps;

  @SuppressWarnings("MustBeClosedChecker") // closed by close()
  private Sgd(List<Tensor> parameters, Config config) {
    if (config.nesterov && config.momentum <= 0) {
      throw new IllegalArgumentException("sgd: nesterov needs a momentum above 0");
    }
    this.parameters = List.copyOf(parameters);
    this.config = config;
    this.scope = Scope.open(Moments.device(parameters));
    this.momentum =
        new Moments(scope, "momentum_buffer", config.momentum == 0 ? List.of() : parameters);
  }

  /// Opens an optimizer, confined to this thread.
  ///
  /// @param parameters f32 or f64 tensors, changed in place by each step
  /// @param config settings
  /// @return the optimizer
  @MustBeClosed
  public static Sgd open(List<Tensor> parameters, Config config) {
    return new Sgd(parameters, config);
  }

  @Override
  public void step(List<Tensor> gradients, double learningRate) {
    Moments.check(parameters, gradients);
    if (parameters.isEmpty()) {
      return;
    }
    try (Scope call = scope.untaped()) {
      for (Tensor parameter : parameters) {
        parameter.handleForWriting("sgd");
      }
      FUSED.runVoid(
          call,
          parameters.toArray(Tensor[]::new),
          gradients.toArray(Tensor[]::new),
          momentum.tensors(),
          config.weightDecay,
          config.momentum,
          learningRate,
          0.0,
          config.nesterov,
          false,
          steps == 0,
          null,
          null);
    }
    steps++;
  }

  @Override
  public Map<String, Tensor> state() {
    return momentum.named();
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public void restore(Map<String, Tensor> state, int steps) {
    momentum.restore(state);
    this.steps = steps;
  }

  @Override
  public void close() {
    scope.close();
  }
}
