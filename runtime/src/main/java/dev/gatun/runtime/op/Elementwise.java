package dev.gatun.runtime.op;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Operator;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.kernel.Arithmetic;
import dev.gatun.runtime.kernel.Arithmetic.Operation;
import dev.gatun.runtime.kernel.Gelu;
import dev.gatun.runtime.kernel.Kernels;
import dev.gatun.runtime.kernel.SwiGlu;
import dev.gatun.runtime.kernel.cuda.CudaGelu;
import dev.gatun.runtime.kernel.cuda.CudaKernels;
import dev.gatun.runtime.kernel.cuda.CudaSwiGlu;
import java.lang.foreign.MemorySegment;

/// Operations on each element alone. Two arguments are broadcast as in PyTorch and share one type.
public final class Elementwise {
  private static final Operator DIV = Operator.of("div.Tensor");
  private static final Operator EXP = Operator.of("exp");
  private static final Operator LOG = Operator.of("log");
  private static final Operator SQRT = Operator.of("sqrt");
  private static final Operator TANH = Operator.of("tanh");
  private static final Operator SIGMOID = Operator.of("sigmoid");
  private static final Operator SILU = Operator.of("silu");
  private static final Operator SILU_BACKWARD = Operator.of("silu_backward");
  private static final Operator GELU = Operator.of("gelu");
  private static final Operator GELU_BACKWARD = Operator.of("gelu_backward");
  private static final Operator RELU = Operator.of("relu");
  private static final Operator WHERE = Operator.of("where.self");
  private static final Operator GREATER = Operator.of("gt.Tensor");

  private Elementwise() {}

  /// What the gradient of a function of one argument reads.
  private enum Saved {
    ARGUMENT,
    RESULT
  }

  /// The gradient of a function of one argument, from that of its result and what was saved.
  @FunctionalInterface
  private interface Derivative {
    Tensor apply(Scope scope, Tensor gradient, Tensor saved);
  }

  private static Tensor unary(
      Scope scope, String name, Operator operator, Tensor x, Saved saved, Derivative derivative) {
    Checks.floating(name, x);
    Tensor result = operator.call(scope, x);
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {saved == Saved.RESULT ? result : x},
          (s, kept, g) -> new Tensor[] {derivative.apply(s, g[0], kept[0])});
    }
    return result;
  }

  /// Returns the shape of the result.
  private static long[] check(String op, Tensor a, Tensor b) {
    Checks.alike(op, a, b);
    Checks.floating(op, a);
    return a.hasShapeOf(b) ? a.shape() : Shapes.broadcast(op, a.shape(), b.shape());
  }

  private static Tensor pairwise(Scope scope, String op, Operation operation, Tensor a, Tensor b) {
    long[] shape = check(op, a, b);
    if (Kernels.available() && Arithmetic.takes(a, b)) {
      Tensor result = scope.empty(a.dtype(), shape);
      Arithmetic.compute(operation, a, b, result);
      return result;
    }
    MemorySegment handle =
        switch (operation) {
          case ADD -> Shim.add(scope, a, b, 1);
          case SUBTRACT -> Shim.sub(scope, a, b);
          case MULTIPLY -> Shim.mul(scope, a, b);
        };
    return scope.adopt(handle, a.dtype(), shape);
  }

  /// {@return a + b}
  ///
  /// @param scope owner of the result
  /// @param a a floating-point tensor
  /// @param b of the type of `a`, of a shape that broadcasts with it
  /// @throws dev.gatun.runtime.ShapeException if the shapes cannot be broadcast
  /// @throws dev.gatun.runtime.DTypeException if the types differ or are not floating-point
  public static Tensor add(Scope scope, Tensor a, Tensor b) {
    Tensor result = pairwise(scope, "add", Operation.ADD, a, b);
    if (scope.records(a, b)) {
      long[] shapeA = a.shape();
      long[] shapeB = b.shape();
      boolean needA = scope.needs(a);
      boolean needB = scope.needs(b);
      scope.record(
          result,
          new Tensor[] {a, b},
          new Tensor[0],
          (s, saved, g) ->
              new Tensor[] {
                needA ? Reduce.sumTo(s, g[0], shapeA) : null,
                needB ? Reduce.sumTo(s, g[0], shapeB) : null
              });
    }
    return result;
  }

  /// {@return a - b} Errors as [#add].
  ///
  /// @param scope owner of the result
  /// @param a a floating-point tensor
  /// @param b of the type of `a`, of a shape that broadcasts with it
  public static Tensor sub(Scope scope, Tensor a, Tensor b) {
    Tensor result = pairwise(scope, "sub", Operation.SUBTRACT, a, b);
    if (scope.records(a, b)) {
      long[] shapeA = a.shape();
      long[] shapeB = b.shape();
      boolean needA = scope.needs(a);
      boolean needB = scope.needs(b);
      scope.record(
          result,
          new Tensor[] {a, b},
          new Tensor[0],
          (s, saved, g) ->
              new Tensor[] {
                needA ? Reduce.sumTo(s, g[0], shapeA) : null,
                needB ? Reduce.sumTo(s, scale(s, g[0], -1), shapeB) : null
              });
    }
    return result;
  }

  /// {@return a * b} Errors as [#add].
  ///
  /// @param scope owner of the result
  /// @param a a floating-point tensor
  /// @param b of the type of `a`, of a shape that broadcasts with it
  public static Tensor mul(Scope scope, Tensor a, Tensor b) {
    Tensor result = pairwise(scope, "mul", Operation.MULTIPLY, a, b);
    if (scope.records(a, b)) {
      boolean needA = scope.needs(a);
      boolean needB = scope.needs(b);
      // only what the wanted gradients read is kept
      Tensor[] saved = needA && needB ? new Tensor[] {a, b} : new Tensor[] {needA ? b : a};
      long[] shapeA = a.shape();
      long[] shapeB = b.shape();
      scope.record(
          result,
          new Tensor[] {a, b},
          saved,
          (s, kept, g) ->
              new Tensor[] {
                needA ? Reduce.sumTo(s, mul(s, g[0], kept[kept.length - 1]), shapeA) : null,
                needB ? Reduce.sumTo(s, mul(s, g[0], kept[0]), shapeB) : null
              });
    }
    return result;
  }

  /// {@return a / b} Errors as [#add].
  ///
  /// @param scope owner of the result
  /// @param a a floating-point tensor
  /// @param b of the type of `a`, of a shape that broadcasts with it
  public static Tensor div(Scope scope, Tensor a, Tensor b) {
    check("div", a, b);
    Tensor result = DIV.call(scope, a, b);
    if (scope.records(a, b)) {
      boolean needA = scope.needs(a);
      boolean needB = scope.needs(b);
      long[] shapeA = a.shape();
      scope.record(
          result,
          new Tensor[] {a, b},
          new Tensor[] {b, result},
          (s, saved, g) -> {
            Tensor byA = div(s, g[0], saved[0]);
            return new Tensor[] {
              needA ? Reduce.sumTo(s, byA, shapeA) : null,
              needB ? Reduce.sumTo(s, scale(s, mul(s, byA, saved[1]), -1), saved[0].shape()) : null
            };
          });
    }
    return result;
  }

  /// {@return x times a constant}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  /// @param factor the constant
  public static Tensor scale(Scope scope, Tensor x, double factor) {
    Checks.floating("scale", x);
    Tensor result = scope.adopt(Shim.scale(scope, x, factor), x.dtype(), x.shape());
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[0],
          (s, saved, g) -> new Tensor[] {scale(s, g[0], factor)});
    }
    return result;
  }

  /// {@return x to a constant power}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  /// @param exponent the constant
  public static Tensor pow(Scope scope, Tensor x, double exponent) {
    Checks.floating("pow", x);
    Tensor result = scope.adopt(Shim.pow(scope, x, exponent), x.dtype(), x.shape());
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {x},
          (s, saved, g) ->
              new Tensor[] {mul(s, g[0], scale(s, pow(s, saved[0], exponent - 1), exponent))});
    }
    return result;
  }

  /// {@return e to the power x}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor exp(Scope scope, Tensor x) {
    return unary(scope, "exp", EXP, x, Saved.RESULT, Elementwise::mul);
  }

  /// {@return the natural logarithm}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor log(Scope scope, Tensor x) {
    return unary(scope, "log", LOG, x, Saved.ARGUMENT, Elementwise::div);
  }

  /// {@return the square root}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor sqrt(Scope scope, Tensor x) {
    return unary(scope, "sqrt", SQRT, x, Saved.RESULT, (s, g, y) -> scale(s, div(s, g, y), 0.5));
  }

  /// {@return the hyperbolic tangent}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor tanh(Scope scope, Tensor x) {
    return unary(
        scope, "tanh", TANH, x, Saved.RESULT, (s, g, y) -> sub(s, g, mul(s, g, mul(s, y, y))));
  }

  /// {@return 1 / (1 + e^-x)}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor sigmoid(Scope scope, Tensor x) {
    return unary(
        scope,
        "sigmoid",
        SIGMOID,
        x,
        Saved.RESULT,
        (s, g, y) -> {
          Tensor flow = mul(s, g, y);
          return sub(s, flow, mul(s, flow, y));
        });
  }

  /// {@return max(x, 0)}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor relu(Scope scope, Tensor x) {
    return unary(
        scope,
        "relu",
        RELU,
        x,
        Saved.RESULT,
        (s, g, y) -> {
          Tensor zero = s.full(0, y.dtype());
          return WHERE.call(s, GREATER.call(s, y, zero), g, zero);
        });
  }

  /// {@return x sigmoid(x)}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  public static Tensor silu(Scope scope, Tensor x) {
    return unary(scope, "silu", SILU, x, Saved.ARGUMENT, (s, g, z) -> SILU_BACKWARD.call(s, g, z));
  }

  /// {@return the Gaussian error linear unit}
  ///
  /// @param scope owner of the result
  /// @param x any floating-point tensor
  /// @param tanh whether by the tanh approximation (GPT-2's `gelu_new`) or exactly by erf
  public static Tensor gelu(Scope scope, Tensor x, boolean tanh) {
    Checks.floating("gelu", x);
    String form = tanh ? "tanh" : "none";
    Tensor result;
    if (tanh && Kernels.take(x)) {
      result = scope.empty(x.dtype(), x.shape());
      Gelu.forward(scope, x, result);
    } else if (tanh && CudaKernels.take(x)) {
      result = scope.empty(x.dtype(), x.shape());
      CudaGelu.forward(x.dataAddress(), result.dataAddress(), x.elements(), x.dtype());
    } else {
      result = GELU.call(scope, x, form);
    }
    if (scope.records(x)) {
      scope.record(
          result,
          new Tensor[] {x},
          new Tensor[] {x},
          (s, saved, g) -> {
            if (tanh && Kernels.take(saved[0], g[0])) {
              Tensor toX = s.empty(saved[0].dtype(), saved[0].shape());
              Gelu.gradient(s, saved[0], g[0], toX);
              return new Tensor[] {toX};
            }
            if (tanh && CudaKernels.take(saved[0], g[0])) {
              Tensor toX = s.empty(saved[0].dtype(), saved[0].shape());
              CudaGelu.gradient(
                  saved[0].dataAddress(),
                  g[0].dataAddress(),
                  toX.dataAddress(),
                  toX.elements(),
                  toX.dtype());
              return new Tensor[] {toX};
            }
            return new Tensor[] {GELU_BACKWARD.call(s, g[0], saved[0], form)};
          });
    }
    return result;
  }

  /// {@return silu(gate) * up, the gate of Llama's feed-forward block, as one operation that saves
  /// its two inputs alone}
  ///
  /// @param scope owner of the result
  /// @param gate a floating-point tensor
  /// @param up of the type and shape of `gate`
  public static Tensor swiglu(Scope scope, Tensor gate, Tensor up) {
    check("swiglu", gate, up);
    Checks.shape("swiglu", "up", up, gate.shape());
    Tensor result;
    if (Kernels.take(gate, up)) {
      result = scope.empty(gate.dtype(), gate.shape());
      SwiGlu.forward(scope, gate, up, result);
    } else if (CudaKernels.take(gate, up)) {
      result = scope.empty(gate.dtype(), gate.shape());
      CudaSwiGlu.forward(
          gate.dataAddress(),
          up.dataAddress(),
          result.dataAddress(),
          gate.elements(),
          gate.dtype());
    } else {
      try (Scope block = scope.untaped()) {
        result = scope.keep(mul(block, SILU.call(block, gate), up));
      }
    }
    if (scope.records(gate, up)) {
      scope.record(
          result,
          new Tensor[] {gate, up},
          new Tensor[] {gate, up},
          (s, saved, g) -> {
            if (Kernels.take(saved[0], saved[1], g[0])) {
              Tensor toGate = s.empty(saved[0].dtype(), saved[0].shape());
              Tensor toUp = s.empty(saved[0].dtype(), saved[0].shape());
              SwiGlu.gradient(s, saved[0], saved[1], g[0], toGate, toUp);
              return new Tensor[] {toGate, toUp};
            }
            if (CudaKernels.take(saved[0], saved[1], g[0])) {
              Tensor toGate = s.empty(saved[0].dtype(), saved[0].shape());
              Tensor toUp = s.empty(saved[0].dtype(), saved[0].shape());
              CudaSwiGlu.gradient(
                  saved[0].dataAddress(),
                  saved[1].dataAddress(),
                  g[0].dataAddress(),
                  toGate.dataAddress(),
                  toUp.dataAddress(),
                  toUp.elements(),
                  toUp.dtype());
              return new Tensor[] {toGate, toUp};
            }
            Tensor toUp = mul(s, g[0], SILU.call(s, saved[0]));
            Tensor toGate = SILU_BACKWARD.call(s, mul(s, g[0], saved[1]), saved[0]);
            return new Tensor[] {toGate, toUp};
          });
    }
    return result;
  }
}
