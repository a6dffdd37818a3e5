package dev.gatun.runtime.optim;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.kernel.cuda.CudaAdamW;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Adam with decoupled weight decay, in one fused call of libtorch for all parameters, or for all
/// that share their factors.
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

  /// What sets a parameter apart from the others, as PyTorch's parameter groups do.
  ///
  /// @param rate factor of the learning rate, 0 or more
  /// @param decay factor of the weight decay, 0 or more
  public record Factors(double rate, double decay) {
    /// Learning rate and weight decay as they are.
    public static final Factors PLAIN = new Factors(1, 1);

    /// Checks the ranges.
    public Factors {
      if (!(rate >= 0 && decay >= 0) || Double.isInfinite(rate) || Double.isInfinite(decay)) {
        throw new IllegalArgumentException(
            "adamw factors: found " + rate + " and " + decay + ", expected finite, 0 or more");
      }
    }
  }

  /// The numbers of the parameters that share factors.
  private record Group(Factors factors, List<Integer> members) {
    Tensor[] of(Tensor[] all) {
      return members.stream().map(i -> all[i]).toArray(Tensor[]::new);
    }
  }

  private final Config config;
  private final List<Tensor> parameters;
  private final List<Group> groups = new ArrayList<>();
  private final Scope scope;
  private final Moments first;
  private final Moments second;
  private final Tensor count;
  private int steps;

  @SuppressWarnings("MustBeClosedChecker") // closed by close()
  private AdamW(List<Tensor> parameters, List<Factors> factors, Config config) {
    this.parameters = List.copyOf(parameters);
    this.scope = Scope.open(Moments.device(parameters));
    this.config = config;
    Map<Factors, List<Integer>> members = new LinkedHashMap<>();
    for (int i = 0; i < factors.size(); i++) {
      members.computeIfAbsent(factors.get(i), f -> new ArrayList<>()).add(i);
    }
    members.forEach((each, numbers) -> groups.add(new Group(each, numbers)));
    this.first = new Moments(scope, "exp_avg", parameters);
    this.second = new Moments(scope, "exp_avg_sq", parameters);
    this.count = scope.zeros(DType.F32);
  }

  /// Opens an optimizer, confined to this thread, with moments of zero.
  ///
  /// @param parameters f32 or f64 tensors, changed in place by each step
  /// @param config settings
  /// @return the optimizer
  @MustBeClosed
  public static AdamW open(List<Tensor> parameters, Config config) {
    return open(parameters, Collections.nCopies(parameters.size(), Factors.PLAIN), config);
  }

  /// Opens an optimizer as [#open(List, Config)] does, with factors of each parameter's own.
  ///
  /// @param parameters f32 or f64 tensors, changed in place by each step
  /// @param factors one for each parameter
  /// @param config settings
  /// @return the optimizer
  /// @throws IllegalArgumentException if there are more or fewer factors than parameters
  @MustBeClosed
  public static AdamW open(List<Tensor> parameters, List<Factors> factors, Config config) {
    if (factors.size() != parameters.size()) {
      throw new IllegalArgumentException(
          "adamw: found %d factors, expected %d".formatted(factors.size(), parameters.size()));
    }
    return new AdamW(parameters, factors, config);
  }

  @Override
  public void step(List<Tensor> gradients, double learningRate) {
    Moments.check(parameters, gradients);
    if (parameters.isEmpty()) {
      return;
    }
    Tensor[] values = parameters.toArray(Tensor[]::new);
    Tensor[] slopes = gradients.toArray(Tensor[]::new);
    for (Tensor parameter : parameters) {
      parameter.handleForWriting("adamw");
    }
    if (CudaKernels.take(values) && CudaKernels.take(slopes) && values[0].dtype() == DType.F32) {
      for (Group group : groups) {
        CudaAdamW.step(onGpu(group, values, slopes), step(group, learningRate), 0, 0);
      }
      steps++;
      return;
    }
    try (Scope call = scope.untaped()) {
      Shim.fill(count, steps + 1);
      for (Group group : groups) {
        FUSED.runVoid(
            call,
            group.of(values),
            group.of(slopes),
            group.of(first.tensors()),
            group.of(second.tensors()),
            new Tensor[0],
            Collections.nCopies(group.members.size(), count).toArray(Tensor[]::new),
            learningRate * group.factors.rate,
            config.beta1,
            config.beta2,
            config.weightDecay * group.factors.decay,
            config.eps,
            false,
            false,
            null,
            null);
      }
    }
    steps++;
  }

  private CudaAdamW.Tensors onGpu(Group group, Tensor[] values, Tensor[] slopes) {
    return new CudaAdamW.Tensors(
        addresses(group.of(values)),
        addresses(group.of(slopes)),
        addresses(group.of(first.tensors())),
        addresses(group.of(second.tensors())),
        Arrays.stream(group.of(values)).mapToLong(Tensor::elements).toArray());
  }

  private CudaAdamW.Step step(Group group, double learningRate) {
    return new CudaAdamW.Step(
        steps + 1,
        learningRate * group.factors.rate,
        config.beta1,
        config.beta2,
        config.eps,
        config.weightDecay * group.factors.decay);
  }

  private static long[] addresses(Tensor[] tensors) {
    return Arrays.stream(tensors).mapToLong(Tensor::dataAddress).toArray();
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
