package dev.gatun.bench;

import java.util.Random;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Small f32 matrices of one shape, and what the benchmarks make of them in plain loops: the scale
/// of their figures, and the answer that every library must give.
///
/// The sums of products have a deviation of about 1, where GELU bends.
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // a library's state calls fill() before a benchmark
public abstract class Matrices {
  /// Inner size of the LoRA branch.
  protected static final int RANK = 8;

  /// Factor of the LoRA branch.
  protected static final float SCALE = 2;

  private static final double[] ERF = {
    1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592
  };

  /// Shape `MxK` of the two matrices; the others follow from it.
  @Param({"1x64", "16x16", "64x64"})
  public String shape;

  /// M.
  protected int rows;

  /// K.
  protected int columns;

  /// `(M, K)`
  protected float[] a;

  /// `(M, K)`
  protected float[] b;

  /// `(K, K)`
  protected float[] square;

  /// `(K)`
  protected float[] bias;

  /// `(K, R)`
  protected float[] down;

  /// `(R, K)`
  protected float[] up;

  /// Reads the shape and fills the matrices, the same for every library.
  protected final void fill() {
    int cross = shape.indexOf('x');
    rows = Integer.parseInt(shape.substring(0, cross));
    columns = Integer.parseInt(shape.substring(cross + 1));
    Random random = new Random(1);
    a = normal(random, rows * columns, 1);
    b = normal(random, rows * columns, 1);
    square = normal(random, columns * columns, columns);
    bias = normal(random, columns, 1);
    down = normal(random, columns * RANK, columns);
    up = normal(random, RANK * columns, RANK);
  }

  private static float[] normal(Random random, int length, int inner) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(inner));
    }
    return values;
  }

  /// {@return a + b}
  public final float[] add() {
    float[] sum = new float[a.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }

  /// {@return a * b, element by element}
  public final float[] mul() {
    float[] product = new float[a.length];
    for (int i = 0; i < product.length; i++) {
      product[i] = a[i] * b[i];
    }
    return product;
  }

  /// {@return the matrix product of a and the square one}
  public final float[] matmul() {
    return product(a, square, rows, columns, columns);
  }

  /// {@return gelu(a squareᵀ + bias) * b, a gated layer}
  ///
  /// @param tanh whether GELU is the tanh form, or the exact one
  public final float[] gelu(boolean tanh) {
    float[] result = new float[a.length];
    for (int i = 0; i < rows; i++) {
      for (int n = 0; n < columns; n++) {
        float sum = bias[n];
        for (int j = 0; j < columns; j++) {
          sum += a[i * columns + j] * square[n * columns + j];
        }
        float gate = tanh ? geluTanh(sum) : geluErf(sum);
        result[i * columns + n] = gate * b[i * columns + n];
      }
    }
    return result;
  }

  /// {@return scale * a down up + b, a LoRA branch added to its layer's result}
  public final float[] lora() {
    float[] inner = product(a, down, rows, columns, RANK);
    float[] result = product(inner, up, rows, RANK, columns);
    for (int i = 0; i < result.length; i++) {
      result[i] = SCALE * result[i] + b[i];
    }
    return result;
  }

  /// Multiplies in three loops, the inner one along rows.
  private static float[] product(float[] left, float[] right, int m, int k, int n) {
    float[] product = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < k; j++) {
        float factor = left[i * k + j];
        for (int c = 0; c < n; c++) {
          product[i * n + c] += factor * right[j * n + c];
        }
      }
    }
    return product;
  }

  private static float geluTanh(float x) {
    double u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
    return (float) (0.5 * x * (1 + Math.tanh(u)));
  }

  private static float geluErf(float x) {
    return (float) (0.5 * x * (1 + erf(x / Math.sqrt(2))));
  }

  /// Abramowitz and Stegun, 7.1.26: at most 1.5e-7 off.
  private static double erf(double x) {
    double t = 1 / (1 + 0.3275911 * Math.abs(x));
    double polynomial = 0;
    for (double coefficient : ERF) {
      polynomial = (polynomial + coefficient) * t;
    }
    return Math.copySign(1 - polynomial * Math.exp(-x * x), x);
  }
}
