package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.LayerNorm;
import dev.gatun.runtime.kernel.RmsNorm;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.kernel.cuda.CudaRmsNorm;
import org.jspecify.annotations.Nullable;

/// Softmax and the normalisations over the last dimension.
public final class Norm {
  private static final Operator SOFTMAX = Operator.of("_softmax");
  private static final Operator SOFTMAX_BACKWARD = Operator.of("_softmax_backward_data");
  private static final Operator LOG_SOFTMAX = Operator.of("_log_softmax");
  private static final Operator LOG_SOFTMAX_BACKWARD = Operator.of("_log_softmax_backward_data");
  private static final Operator LAYER_NORM = Operator.of("native_layer_norm");
  private static final Operator LAYER_NORM_BACKWARD = Operator.of("native_layer_norm_backward");
  private static final Operator MEAN = Operator.of("mean.dim");

  private Norm() {}

  /// {@return softmax over the last dimension; rows sum to 1} A row of minus infinities gives NaN.
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  public static Tensor softmax(Scope scope, Tensor x) {
    Checks.floating("softmax", x);
    Tensor result = SOFTMAX.call(scope, x, -1, false);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {result},
          (s, saved, g) ->
              new Tensor[] {SOFTMAX_BACKWARD.call(s, g[0], saved[0], -1, saved[0].dtype())});
    }
    return result;
  }

  /// {@return the logarithm of softmax over the last dimension}
  ///
  /// @param scope owner of the result
  /// @param x a floating-point tensor
  public static Tensor logSoftmax(Scope scope, Tensor x) {
    Checks.floating("log_softmax", x);
    Tensor result = LOG_SOFTMAX.call(scope, x, -1, false);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {result},
          (s, saved, g) ->
              new Tensor[] {LOG_SOFTMAX_BACKWARD.call(s, g[0], saved[0], -1, saved[0].dtype())});
    }
    return result;
  }

  /// Returns layer normalisation over the last dimension.
  ///
  /// @param scope owner of the result
  /// @param x `(N, C)`
  /// @param weight `(C)`, of the type of `x`, or f32 where that is bf16 or f16
  /// @param bias `(C)`, of the type of `weight`
  /// @param eps added to the variance
  /// @return `(N, C)` of the type of `x`
  public static Tensor layerNorm(Scope scope, Tensor x, Tensor weight, Tensor bias, double eps) {
    Checks.rank("layer_norm", "x", x, 2);
    long width = x.size(1);
    Checks.shape("layer_norm", "weight", weight, width);
    Checks.shape("layer_norm", "bias", bias, width);
    Checks.floating("layer_norm", x);
    Checks.alike("layer_norm", weight, bias);
    boolean half = x.dtype() == DType.BF16 || x.dtype() == DType.F16;
    if (!half || weight.dtype() != DType.F32) {
      Checks.alike("layer_norm", x, weight);
    }
    boolean trainsItself = scope.needs(weight) || scope.needs(bias);
    if (Kernels.take(x) && Kernels.take(weight, bias) && !trainsItself && width > 0) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      LayerNorm.forward(scope, x, weight, bias, eps, result);
      return recorded(scope, result, x, weight, eps, LayerNorm::gradient);
    }
    long[] over = {width};
    if (x.dtype() != weight.dtype() && x.device().isCuda()) {
      // libtorch's kernel for GPUs wants one type
      try (Scope block = scope.child()) {
        Tensor wide = Layout.to(block, x, weight.dtype());
        return scope.keep(Layout.to(block, layerNorm(block, wide, weight, bias, eps), x.dtype()));
      }
    }
    try (Scope block = scope.untaped()) {
      @Nullable Tensor[] all = LAYER_NORM.callAll(block, x, over, weight, bias, eps);
      Tensor result = scope.keep(Checks.defined(all[0]));
      if (scope.records(x, weight, bias)) {
        boolean[] mask = {scope.needs(x), scope.needs(weight), scope.needs(bias)};
        scope.record(
            result,
            new Tensor[] {x, weight, bias},
            new Tensor[] {x, weight, bias, Checks.defined(all[1]), Checks.defined(all[2])},
            (s, saved, g) ->
                LAYER_NORM_BACKWARD.callAll(
                    s, g[0], saved[0], over, saved[3], saved[4], saved[1], saved[2], mask));
      }
      return result;
    }
  }

  /// A kernel that writes the gradient of normalised rows.
  @FunctionalInterface
  private interface RowGradient {
    void write(Scope scope, Tensor x, Tensor weight, double eps, Tensor flow, Tensor toX);
  }

  /// Records rows that a kernel has normalised, with the gradient of x alone.
  private static Tensor recorded(
      Scope scope, Tensor result, Tensor x, Tensor weight, double eps, RowGradient gradient) {
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {x, weight},
          (s, saved, g) -> {
            Tensor toX = s.empty(saved[0].dtype(), saved[0].shape());
            gradient.write(s, saved[0], saved[1], eps, Layout.dense(s, g[0]), toX);
            return new Tensor[] {toX};
          });
    }
    return result;
  }

  /// Returns root-mean-square normalisation over the last dimension: x / sqrt(mean(x²) + eps) *
  /// weight.
  ///
  /// Computed in f32 where `x` is narrower, as transformers' `LlamaRMSNorm` does.
  ///
  /// @param scope owner of the result
  /// @param x `(..., C)`
  /// @param weight `(C)`
  /// @param eps added to the mean square
  /// @return the shape and type of `x`
  public static Tensor rmsNorm(Scope scope, Tensor x, Tensor weight, double eps) {
    Checks.floating("rms_norm", x);
    Checks.shape("rms_norm", "weight", weight, x.size(-1));
    if (Kernels.take(x) && Kernels.take(weight) && !scope.needs(weight)) {
      Tensor result = scope.empty(x.dtype(), x.shape());
      RmsNorm.forward(scope, x, weight, eps, result);
      return recorded(scope, result, x, weight, eps, RmsNorm::gradient);
    }
    if (CudaKernels.take(x) && CudaKernels.take(weight) && !scope.needs(weight)) {
      return rmsNormOnGpu(scope, x, weight, eps);
    }
    DType wide = x.dtype() == DType.F64 ? DType.F64 : DType.F32;
    try (Scope block = scope.untaped()) {
      Tensor wideX = Layout.as(block, x, wide);
      Tensor wideWeight = Layout.as(block, weight, wide);
      Tensor square =
          MEAN.call(block, Elementwise.mul(block, wideX, wideX), new long[] {-1}, true, null);
      Tensor rstd =
          Elementwise.pow(block, Elementwise.add(block, square, block.full(eps, wide)), -0.5);
      Tensor scaled = Elementwise.mul(block, Elementwise.mul(block, wideX, rstd), wideWeight);
      Tensor result = scope.keep(Layout.as(block, scaled, x.dtype()));
      if (scope.records(x, weight)) {
        boolean needX = scope.needs(x);
        boolean needWeight = scope.needs(weight);
        DType weightType = weight.dtype();
        scope.record(
            result,
            new Tensor[] {x, weight},
            new Tensor[] {x, wideWeight, rstd},
            (s, saved, g) -> {
              Tensor flow = Layout.as(s, g[0], wide);
              Tensor normed = Elementwise.mul(s, Layout.as(s, saved[0], wide), saved[2]);
              return new Tensor[] {
                needX ? rmsToInput(s, flow, normed, saved[1], saved[2], saved[0].dtype()) : null,
                needWeight
                    ? Layout.as(
                        s,
                        Reduce.sumTo(s, Elementwise.mul(s, flow, normed), saved[1].shape()),
                        weightType)
                    : null
              };
            });
      }
      return result;
    }
  }

  private static Tensor rmsNormOnGpu(Scope scope, Tensor x, Tensor weight, double eps) {
    int width = Math.toIntExact(x.size(-1));
    CudaRmsNorm.Rows rows =
        new CudaRmsNorm.Rows(
            width == 0 ? 0 : x.elements() / width, width, x.dtype(), weight.dtype());
    Tensor result = scope.empty(x.dtype(), x.shape());
    boolean records = scope.records(x);
    try (Scope block = scope.untaped()) {
      Tensor inverse = records ? block.empty(DType.F32, rows.rows()) : null;
      CudaRmsNorm.forward(
          x.dataAddress(),
          weight.dataAddress(),
          eps,
          result.dataAddress(),
          inverse == null ? 0 : inverse.dataAddress(),
          rows);
      if (inverse != null) {
        scope.record(
            result,
            new Tensor[] {x},
            new Tensor[] {x, weight, inverse},
            (s, saved, g) -> {
              Tensor toX = s.empty(saved[0].dtype(), saved[0].shape());
              Tensor flow = Layout.dense(s, g[0]);
              CudaRmsNorm.gradient(
                  saved[0].dataAddress(),
                  saved[1].dataAddress(),
                  saved[2].dataAddress(),
                  flow.dataAddress(),
                  toX.dataAddress(),
                  rows);
              return new Tensor[] {toX};
            });
      }
    }
    return result;
  }

  /// With n = x rstd and h = g w: dx = rstd (h - n mean(h n)).
  private static Tensor rmsToInput(
      Scope scope, Tensor flow, Tensor normed, Tensor weight, Tensor rstd, DType dtype) {
    Tensor weighted = Elementwise.mul(scope, flow, weight);
    Tensor mean =
        MEAN.call(scope, Elementwise.mul(scope, weighted, normed), new long[] {-1}, true, null);
    Tensor inner = Elementwise.sub(scope, weighted, Elementwise.mul(scope, normed, mean));
    return Layout.as(scope, Elementwise.mul(scope, inner, rstd), dtype);
  }
}
