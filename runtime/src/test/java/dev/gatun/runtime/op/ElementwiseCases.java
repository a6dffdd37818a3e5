package dev.gatun.runtime.op;

import static dev.gatun.runtime.random.SequenceMask.Shape.COLUMN;
import static dev.gatun.runtime.random.SequenceMask.Shape.ELEMENT;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.SequenceMask;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.Stream;

/// Rows of [Elementwise].
final class ElementwiseCases {
  private static final MaskStream STREAM = new MaskStream(3, 1, 2, MaskStream.Site.HIDDEN, 0, 0);

  private ElementwiseCases() {}

  static Stream<OpCase> rows() {
    return Stream.of(binary(), unary(), fused()).flatMap(List::stream);
  }

  @FunctionalInterface
  private interface Binary {
    Tensor apply(Scope scope, Tensor a, Tensor b);
  }

  private static List<OpCase> binary() {
    return Stream.of(
            broadcasts("Elementwise.add", Elementwise::add, Double::sum),
            broadcasts("Elementwise.sub", Elementwise::sub, (a, b) -> a - b),
            broadcasts("Elementwise.mul", Elementwise::mul, (a, b) -> a * b),
            broadcasts("Elementwise.div", Elementwise::div, (a, b) -> a / b),
            Stream.of(
                OpCase.of(
                        "Elementwise.mul", "by itself", (s, in) -> Elementwise.mul(s, in[0], in[0]))
                    .input("x", 3, 2)
                    .plain(OpCase.Plain.each(x -> x * x)),
                OpCase.of(
                        "Elementwise.div", "by itself", (s, in) -> Elementwise.div(s, in[0], in[0]))
                    .positive("x", 3, 2)
                    .plain(OpCase.Plain.each(x -> 1)),
                OpCase.of(
                        "Elementwise.add",
                        "strided",
                        (s, in) -> Elementwise.add(s, Layout.transpose(s, in[0], 0, 1), in[1]))
                    .input("a", 2, 3)
                    .input("b", 3, 2)
                    .plain(in -> {
                      double[] result = new double[6];
                      for (int i = 0; i < 6; i++) {
                        result[i] = in[0][i % 2 * 3 + i / 2] + in[1][i];
                      }
                      return result;
                    })))
        .flatMap(rows -> rows)
        .toList();
  }

  private static Stream<OpCase> broadcasts(String op, Binary binary, DoubleBinaryOperator plain) {
    return Stream.of(
        shapes(op, binary, plain, new long[] {3, 4}, new long[] {3, 4}),
        shapes(op, binary, plain, new long[] {3, 4}, new long[] {4}),
        shapes(op, binary, plain, new long[] {3, 1}, new long[] {2, 1, 4}),
        shapes(op, binary, plain, new long[] {}, new long[] {2, 2}),
        shapes(op, binary, plain, new long[] {0, 3}, new long[] {3}));
  }

  private static OpCase shapes(
      String op, Binary binary, DoubleBinaryOperator plain, long[] a, long[] b) {
    String variant = Shapes.text(a) + " with " + Shapes.text(b);
    OpCase row =
        OpCase.of(op, variant, (s, in) -> binary.apply(s, in[0], in[1]))
            .plain(OpCase.Plain.each(a, b, plain));
    return op.endsWith("div")
        ? row.positive("a", a).positive("b", b)
        : row.input("a", a).input("b", b);
  }

  private static List<OpCase> unary() {
    return List.of(
        OpCase.of("Elementwise.scale", "by -2.5", (s, in) -> Elementwise.scale(s, in[0], -2.5))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> -2.5 * x)),
        OpCase.of("Elementwise.pow", "3", (s, in) -> Elementwise.pow(s, in[0], 3))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> x * x * x)),
        OpCase.of("Elementwise.pow", "1", (s, in) -> Elementwise.pow(s, in[0], 1))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> x)),
        OpCase.of("Elementwise.pow", "0", (s, in) -> Elementwise.pow(s, in[0], 0))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> 1)),
        OpCase.of("Elementwise.pow", "-0.5", (s, in) -> Elementwise.pow(s, in[0], -0.5))
            .positive("x", 2, 3)
            .plain(OpCase.Plain.each(x -> 1 / Math.sqrt(x))),
        OpCase.of("Elementwise.exp", "plain", (s, in) -> Elementwise.exp(s, in[0]))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(Math::exp)),
        OpCase.of("Elementwise.log", "plain", (s, in) -> Elementwise.log(s, in[0]))
            .positive("x", 2, 3)
            .plain(OpCase.Plain.each(Math::log)),
        OpCase.of("Elementwise.sqrt", "plain", (s, in) -> Elementwise.sqrt(s, in[0]))
            .positive("x", 2, 3)
            .plain(OpCase.Plain.each(Math::sqrt)),
        OpCase.of("Elementwise.tanh", "plain", (s, in) -> Elementwise.tanh(s, in[0]))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(Math::tanh)),
        OpCase.of("Elementwise.sigmoid", "plain", (s, in) -> Elementwise.sigmoid(s, in[0]))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> 1 / (1 + Math.exp(-x)))),
        OpCase.of("Elementwise.relu", "plain", (s, in) -> Elementwise.relu(s, in[0]))
            .input("x", 4, 5)
            .plain(OpCase.Plain.each(x -> Math.max(x, 0))));
  }

  private static List<OpCase> fused() {
    return List.of(
        OpCase.of("Elementwise.silu", "-30 to 100", (s, in) -> Elementwise.silu(s, in[0]))
            .fixture("silu", "x"),
        OpCase.of("Elementwise.gelu", "tanh", (s, in) -> Elementwise.gelu(s, in[0], true))
            .fixture("gelu_tanh", "x"),
        OpCase.of("Elementwise.gelu", "erf", (s, in) -> Elementwise.gelu(s, in[0], false))
            .fixture("gelu_erf", "x"),
        OpCase.of("Elementwise.swiglu", "plain", (s, in) -> Elementwise.swiglu(s, in[0], in[1]))
            .fixture("swiglu", "gate", "up"),
        OpCase.of("Drop.tokens", "elements", (s, in) -> Drop.tokens(s, in[0], mask(s, ELEMENT)))
            .input("x", 5, 6)
            .plain(in -> dropped(in[0], ELEMENT)),
        OpCase.of("Drop.tokens", "columns", (s, in) -> Drop.tokens(s, in[0], mask(s, COLUMN)))
            .input("x", 5, 6)
            .plain(in -> dropped(in[0], COLUMN)));
  }

  /// Masks of the last two of three sequences, seen from the second token on.
  private static TokenMask mask(Scope scope, SequenceMask.Shape shape) {
    Ragged batch = Ragged.of(scope, 0, 2, 5, 6);
    return new TokenMask(batch, List.of(sequence(0, 0), sequence(1, shape), sequence(2, shape)))
        .from(1);
  }

  private static SequenceMask sequence(int row, SequenceMask.Shape shape) {
    return new SequenceMask(STREAM, row, 0.4, shape, 1.5f, 0);
  }

  static SequenceMask sequence(int row, double rate) {
    return new SequenceMask(STREAM, row, rate, COLUMN, 1, 0);
  }

  private static double[] dropped(double[] x, SequenceMask.Shape shape) {
    double[] result = x.clone();
    int[] sequences = {0, 1, 1, 1, 2};
    int[] positions = {1, 0, 1, 2, 0};
    for (int i = 0; i < result.length; i++) {
      int sequence = sequences[i / 6];
      if (sequence > 0) {
        boolean each = shape == ELEMENT;
        float[] line = new float[8];
        sequence(sequence, shape).line(each ? positions[i / 6] : 0, line, 0, each ? 6 : 3);
        result[i] *= line[each ? i % 6 : positions[i / 6]];
      }
    }
    return result;
  }
}
