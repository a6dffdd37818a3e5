package dev.gatun.runtime.optim;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Adam with decoupled weight decay, all parameters in one fused call of libtorch.
///
/// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization"; numerics of
/// `torch.optim.AdamW`.
public final class AdamW implements Optimizer {
  private static final Operator FUSED = Operator.of("_fused_adamw_");

  /// Settings; the defaults of [#defaults] are PyTorch's.
  ///
  /// @param beta1 decay of the first moment
  /// @param beta2 decay of the second moment
  /// @param eps added to the root of the second moment
  /// @param weightDecay share of the learning rate by which weights shrink in each step
  public record Config(double beta1, double beta2, double eps, double weightDecay) {
    /// {@return PyTorch's defaults: 0.9, 0.999, 1e-8, 0.01}
    public static Config defaults() {
      return new Config(0.9, 0.999, 1e-8, 0.01);
    }

    /// {@return these settings with another weight decay}
    ///
    /// @param decay share of the learning rate by which weights shrink in each step
    public Config withWeightDecay(double decay) {
      return new Config(beta1, beta2, eps, decay);
    }
  }

  private final Config config;
  private final List<Tensor> parameters;
  private final Scope scope = Scope.open();
  private final Moments first;
  private final Moments second;
  private final Tensor[] counts;
  private int steps;

  private AdamW(List<Tensor> parameters, Config config) {
    this.parameters = List.copyOf(parameters);
    this.config = config;
    this.first = new Moments(scope, "exp_avg", parameters);
    this.second = new Moments(scope, "exp_avg_sq", parameters);
    this.counts = parameters.stream().map(p -> scope.zeros(DType.F32)).toArray(Tensor[]::new);
  }

  /// Opens an optimizer, confined to this thread, with moments of zero.
  ///
  /// @param parameters f32 or f64 tensors, changed in place by each step
  /// @param config settings
  /// @return the optimizer
  @MustBeClosed
  public static AdamW open(List<Tensor> parameters, Config config) {
    return new AdamW(parameters, config);
  }

  @Override
  public void step(List<Tensor> gradients, double learningRate) {
    Moments.check(parameters, gradients);
    if (parameters.isEmpty()) {
      return;
    }
    try (Scope call = Scope.open()) {
      for (Tensor count : counts) {
        Shim.fill(count.handle(), steps + 1);
      }
      for (Tensor parameter : parameters) {
        parameter.handleForWriting("adamw");
      }
      FUSED.runVoid(
          call,
          parameters.toArray(Tensor[]::new),
          gradients.toArray(Tensor[]::new),
          first.tensors(),
          second.tensors(),
          new Tensor[0],
          counts,
          learningRate,
          config.beta1,
          config.beta2,
          config.weightDecay,
          config.eps,
          false,
          false,
          null,
          null);
    }
    steps++;
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> all = new LinkedHashMap<>(first.named());
    all.putAll(second.named());
    return all;
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public void restore(Map<String, Tensor> state, int steps) {
    first.restore(state);
    second.restore(state);
    this.steps = steps;
  }

  @Override
  public void close() {
    scope.close();
  }
}
