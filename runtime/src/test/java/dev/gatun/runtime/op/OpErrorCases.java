package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// Arguments that ops must refuse before any native call, with a line that names the op and both
/// sides.
final class OpErrorCases {
  private OpErrorCases() {}

  /// A call that must be refused.
  @FunctionalInterface
  interface Call {
    void run(Scope scope);
  }

  /// One refusal.
  ///
  /// @param op class and method
  /// @param call the call
  /// @param type the exception's type
  /// @param parts what its message must hold
  record Row(String op, Call call, Class<? extends Exception> type, List<String> parts) {
    @Override
    public String toString() {
      return op + ": " + String.join(" ... ", parts);
    }
  }

  static Row shape(String op, Call call, String... parts) {
    return new Row(op, call, ShapeException.class, List.of(parts));
  }

  static Row dtype(String op, Call call, String... parts) {
    return new Row(op, call, DTypeException.class, List.of(parts));
  }

  static Stream<Row> all() {
    return Stream.of(
            elementwise(),
            layout(),
            joins(),
            reductions(),
            products(),
            norms(),
            embeddings(),
            AttentionErrorCases.rows(),
            losses())
        .flatMap(List::stream);
  }

  private static TokenMask noMask(Scope s) {
    return new TokenMask(Ragged.of(s, 0, 2), List.of(ElementwiseCases.sequence(0, 0)));
  }

  static Tensor f32(Scope s, long... shape) {
    return s.zeros(DType.F32, shape);
  }

  static Tensor f64(Scope s, long... shape) {
    return s.zeros(DType.F64, shape);
  }

  static Tensor i64(Scope s, long... shape) {
    return s.zeros(DType.I64, shape);
  }

  @FunctionalInterface
  private interface Binary {
    Tensor apply(Scope scope, Tensor a, Tensor b);
  }

  @FunctionalInterface
  private interface Unary {
    Tensor apply(Scope scope, Tensor x);
  }

  private static Stream<Row> binary(String op, String name, Binary call) {
    return Stream.of(
        shape(op, s -> call.apply(s, f32(s, 2, 3), f32(s, 2, 4)), name + ": ", "(2, 3)", "(2, 4)"),
        dtype(op, s -> call.apply(s, f32(s, 2), f64(s, 2)), name + ": ", "F32 (2)", "F64 (2)"),
        dtype(op, s -> call.apply(s, i64(s, 2), i64(s, 2)), name + ": ", "I64 (2)", "floating"));
  }

  private static Row unary(String op, String name, Unary call) {
    return dtype(op, s -> call.apply(s, i64(s, 2, 3)), name + ": ", "I64 (2, 3)", "floating");
  }

  private static List<Row> elementwise() {
    return Stream.of(
            binary("Elementwise.add", "add", Elementwise::add),
            binary("Elementwise.sub", "sub", Elementwise::sub),
            binary("Elementwise.mul", "mul", Elementwise::mul),
            binary("Elementwise.div", "div", Elementwise::div),
            binary("Elementwise.swiglu", "swiglu", Elementwise::swiglu),
            Stream.of(
                shape(
                    "Elementwise.swiglu",
                    s -> Elementwise.swiglu(s, f32(s, 2, 3), f32(s, 3)),
                    "swiglu: up: ",
                    "(3)",
                    "(2, 3)"),
                unary("Drop.tokens", "drop", (s, x) -> Drop.tokens(s, x, noMask(s))),
                shape("Drop.tokens", s -> Drop.tokens(s, f32(s, 2), noMask(s)), "drop: x: "),
                shape("Drop.tokens", s -> Drop.tokens(s, f32(s, 3, 2), noMask(s)), "at most 2"),
                unary("Elementwise.scale", "scale", (s, x) -> Elementwise.scale(s, x, 2)),
                unary("Elementwise.pow", "pow", (s, x) -> Elementwise.pow(s, x, 2)),
                unary("Elementwise.exp", "exp", Elementwise::exp),
                unary("Elementwise.log", "log", Elementwise::log),
                unary("Elementwise.sqrt", "sqrt", Elementwise::sqrt),
                unary("Elementwise.tanh", "tanh", Elementwise::tanh),
                unary("Elementwise.sigmoid", "sigmoid", Elementwise::sigmoid),
                unary("Elementwise.relu", "relu", Elementwise::relu),
                unary("Elementwise.silu", "silu", Elementwise::silu),
                unary("Elementwise.gelu", "gelu", (s, x) -> Elementwise.gelu(s, x, true))))
        .flatMap(rows -> rows)
        .toList();
  }

  private static List<Row> layout() {
    return List.of(
        shape(
            "Layout.reshape",
            s -> Layout.reshape(s, f32(s, 2, 3), 4, 2),
            "reshape: ",
            "F32 (2, 3)",
            "(4, 2)"),
        shape(
            "Layout.reshape",
            s -> Layout.reshape(s, f32(s, 2, 3), -1, 4),
            "reshape: ",
            "F32 (2, 3)",
            "(-1, 4)"),
        shape(
            "Layout.reshape",
            s -> Layout.reshape(s, f32(s, 2, 3), -2, -3),
            "reshape: ",
            "(-2, -3)"),
        shape("Layout.reshape", s -> Layout.reshape(s, f32(s, 2, 3), -1, -1), "reshape: ", "-1)"),
        shape(
            "Layout.unflatten",
            s -> Layout.unflatten(s, f32(s, 2, 6), 4, 2),
            "unflatten: ",
            "F32 (2, 6)",
            "(2, 8)"),
        shape(
            "Layout.unflatten",
            s -> Layout.unflatten(s, f32(s, 2, 6), -2, -3),
            "unflatten: ",
            "(2, -2, -3)"),
        shape(
            "Layout.unflatten",
            s -> Layout.unflatten(s, f32(s, 2, 3, 2), 3, 2),
            "unflatten: ",
            "F32 (2, 3, 2)",
            "(2, 6)"),
        shape(
            "Layout.transpose",
            s -> Layout.transpose(s, f32(s, 2, 3), 0, 2),
            "transpose: ",
            "dimension 2",
            "(2, 3)"),
        shape(
            "Layout.transpose",
            s -> Layout.transpose(s, f32(s, 2, 3), -3, 0),
            "transpose: ",
            "dimension -3",
            "(2, 3)"),
        shape(
            "Layout.narrow",
            s -> Layout.narrow(s, f32(s, 2, 3), 2, 0, 1),
            "narrow: ",
            "dimension 2",
            "(2, 3)"),
        shape(
            "Layout.narrow",
            s -> Layout.narrow(s, f32(s, 2, 3), 1, 2, 2),
            "narrow: ",
            "2 + 2",
            "F32 (2, 3)"),
        shape(
            "Layout.narrow",
            s -> Layout.narrow(s, f32(s, 2, 3), 1, -1, 2),
            "narrow: ",
            "-1 + 2",
            "F32 (2, 3)"),
        shape(
            "Layout.narrow",
            s -> Layout.narrow(s, f32(s, 2, 3), 1, 2, -1),
            "narrow: ",
            "2 + -1",
            "F32 (2, 3)"),
        shape(
            "Layout.narrow",
            s -> Layout.narrow(s, f32(s, 2, 3), 1, Long.MAX_VALUE, 2),
            "narrow: ",
            "F32 (2, 3)"),
        shape(
            "Layout.split",
            s -> Layout.split(s, f32(s, 2, 3), 1, 1, 1),
            "split: ",
            "F32 (2, 3)",
            "(1, 1)"),
        shape("Layout.split", s -> Layout.split(s, f32(s, 2, 3), 1, 5, -2), "F32 (2, 3)", "-2"),
        shape("Layout.split", s -> Layout.split(s, f32(s, 2, 3), 2, 1), "dimension", "(2, 3)"),
        shape(
            "Layout.expand",
            s -> Layout.expand(s, f32(s, 2, 3), 4, 3),
            "expand: ",
            "F32 (2, 3)",
            "(4, 3)"),
        shape(
            "Layout.expand",
            s -> Layout.expand(s, f32(s, 2, 3), 3),
            "expand: ",
            "F32 (2, 3)",
            "(3)"),
        shape("Layout.expand", s -> Layout.expand(s, f32(s, 1, 3), -1, 3), "expand: ", "(-1, 3)"),
        shape(
            "Layout.expand",
            s -> Layout.expand(s, f32(s, 1, 1), 1L << 40, 1L << 40),
            "expand: ",
            "overflow"));
  }

  private static List<Row> joins() {
    return List.of(
        shape(
            "Layout.copyInPlace",
            s -> Layout.copyInPlace(f32(s, 2, 3), f32(s, 3)),
            "copy: ",
            "F32 (3)",
            "(2, 3)"),
        shape(
            "Layout.cat",
            s -> Layout.cat(s, 0, f32(s, 2, 3), f32(s, 2, 4)),
            "cat: ",
            "F32 (2, 3)",
            "F32 (2, 4)"),
        shape(
            "Layout.cat",
            s -> Layout.cat(s, 1, f32(s, 2, 3), f32(s, 2)),
            "cat: ",
            "F32 (2, 3)",
            "F32 (2)"),
        shape(
            "Layout.cat",
            s -> Layout.cat(s, 0, f32(s, 2), f32(s, 2, 3)),
            "cat: ",
            "F32 (2)",
            "F32 (2, 3)"),
        shape(
            "Layout.cat",
            s -> Layout.cat(s, 2, f32(s, 2, 3), f32(s, 2, 3)),
            "cat: ",
            "dimension 2",
            "(2, 3)"),
        shape("Layout.cat", s -> Layout.cat(s, 0), "cat: ", "no tensors"),
        dtype(
            "Layout.cat",
            s -> Layout.cat(s, 0, f32(s, 2), f64(s, 2)),
            "cat: ",
            "F32 (2)",
            "F64 (2)"),
        shape(
            "Layout.rows",
            s -> Layout.rows(s, f32(s, 2, 3), i64(s, 1, 1)),
            "rows: ",
            "I64 (1, 1)",
            "1 dimensions"),
        shape("Layout.rows", s -> Layout.rows(s, f32(s), i64(s, 1)), "rows: ", "F32 ()"),
        dtype(
            "Layout.rows",
            s -> Layout.rows(s, f32(s, 2, 3), f32(s, 1)),
            "rows: ",
            "F32 (1)",
            "I64"),
        dtype(
            "Layout.gather",
            s -> Layout.gather(s, f32(s, 2, 3), f32(s, 2, 1)),
            "gather: index: ",
            "F32 (2, 1)",
            "I64"),
        shape(
            "Layout.gather",
            s -> Layout.gather(s, f32(s, 2, 3), i64(s, 3, 1)),
            "gather: index: ",
            "I64 (3, 1)",
            "(2, 1)"),
        shape(
            "Layout.gather",
            s -> Layout.gather(s, f32(s, 2, 3), i64(s, 2)),
            "gather: index: ",
            "I64 (2)",
            "F32 (2, 3)"),
        shape("Layout.gather", s -> Layout.gather(s, f32(s), i64(s)), "gather: index: ", "F32 ()"));
  }

  private static List<Row> reductions() {
    return List.of(
        unary("Reduce.sum", "sum", Reduce::sum),
        shape(
            "Reduce.sum",
            s -> Reduce.sum(s, f32(s, 2, 3), false, 2),
            "sum: ",
            "dimension 2",
            "(2, 3)"),
        shape(
            "Reduce.sum",
            s -> Reduce.sum(s, f32(s, 2, 3), false, 0, -2),
            "sum: ",
            "dimension -2",
            "(2, 3)",
            "twice"),
        unary("Reduce.mean", "sum", Reduce::mean),
        unary("Reduce.sumOfSquares", "sum", Reduce::sumOfSquares),
        shape(
            "Reduce.argmax",
            s -> Reduce.argmax(s, f32(s, 2, 3), 2),
            "argmax: ",
            "dimension 2",
            "(2, 3)"),
        shape(
            "Reduce.max", s -> Reduce.max(s, f32(s, 2, 3), -3), "max: ", "dimension -3", "(2, 3)"));
  }

  private static List<Row> products() {
    return List.of(
        shape(
            "Matmul.matmul",
            s -> Matmul.matmul(s, f32(s, 4, 8), f32(s, 9, 2)),
            "matmul: ",
            "F32 (4, 8)",
            "F32 (9, 2)"),
        shape(
            "Matmul.matmul",
            s -> Matmul.matmul(s, f32(s, 4), f32(s, 4)),
            "matmul: ",
            "F32 (4)",
            "rank 2 or 3"),
        shape(
            "Matmul.matmul",
            s -> Matmul.matmul(s, f32(s, 2, 4), f32(s, 1, 4, 2)),
            "matmul: ",
            "F32 (2, 4)",
            "F32 (1, 4, 2)"),
        shape(
            "Matmul.matmul",
            s -> Matmul.matmul(s, f32(s, 2, 3, 4), f32(s, 3, 4, 2)),
            "matmul: batches",
            "F32 (2, 3, 4)",
            "F32 (3, 4, 2)"),
        dtype(
            "Matmul.matmul",
            s -> Matmul.matmul(s, f32(s, 2, 4), f64(s, 4, 2)),
            "matmul: ",
            "F32 (2, 4)",
            "F64 (4, 2)"),
        dtype(
            "Matmul.matmul",
            s -> Matmul.matmul(s, i64(s, 2, 4), i64(s, 4, 2)),
            "matmul: ",
            "I64 (2, 4)"),
        shape(
            "Matmul.linear",
            s -> Matmul.linear(s, f32(s, 3, 4), f32(s, 2, 5), null),
            "linear: ",
            "F32 (3, 4)",
            "F32 (2, 5)"),
        shape(
            "Matmul.linear",
            s -> Matmul.linear(s, f32(s, 4), f32(s, 2, 4), null),
            "linear: x: ",
            "F32 (4)",
            "2 dimensions"),
        shape(
            "Matmul.linear",
            s -> Matmul.linear(s, f32(s, 3, 4), f32(s, 4), null),
            "linear: weight: ",
            "F32 (4)",
            "2 dimensions"),
        shape(
            "Matmul.linear",
            s -> Matmul.linear(s, f32(s, 3, 4), f32(s, 2, 4), f32(s, 3)),
            "linear: bias: ",
            "F32 (3)",
            "(2)"),
        dtype(
            "Matmul.linear",
            s -> Matmul.linear(s, f32(s, 3, 4), f64(s, 2, 4), null),
            "linear: ",
            "F32 (3, 4)",
            "F64 (2, 4)"),
        dtype(
            "Matmul.linear",
            s -> Matmul.linear(s, i64(s, 3, 4), i64(s, 2, 4), null),
            "linear: ",
            "I64 (3, 4)",
            "floating"),
        shape(
            "FrozenWeight.of",
            s -> FrozenWeight.of(s, f32(s, 4), WeightForm.PACKED),
            "frozen weight: weight: ",
            "F32 (4)",
            "2 dimensions"),
        dtype(
            "FrozenWeight.of",
            s -> FrozenWeight.of(s, i64(s, 3, 4), WeightForm.STORED),
            "frozen weight: ",
            "I64 (3, 4)",
            "floating"),
        shape(
            "FrozenWeight.of",
            s ->
                FrozenWeight.of(s, f32(s, 130, 128), WeightForm.PACKED)
                    .linear(s, f32(s, 2, 127), null),
            "linear: inner sizes differ",
            "F32 (2, 127)",
            "F32 (130, 128)"),
        shape(
            "Matmul.addLowRankInPlace",
            s -> addLowRank(s, f32(s, 3, 2), new LowRank(2, 4, f32(s, 1, 4), f32(s, 2, 1), 1)),
            "low rank: found rows 2 to 4",
            "0 to 3"),
        shape(
            "Matmul.addLowRankInPlace",
            s -> addLowRank(s, f32(s, 3, 2), new LowRank(0, 1, f32(s, 1, 5), f32(s, 2, 1), 1)),
            "low rank: a: ",
            "F32 (1, 5)",
            "(1, 4)"),
        shape(
            "Matmul.addLowRankInPlace",
            s -> addLowRank(s, f32(s, 3, 2), new LowRank(0, 1, f32(s, 1, 4), f32(s, 2, 2), 1)),
            "low rank: b: ",
            "F32 (2, 2)",
            "(2, 1)"),
        shape(
            "Matmul.addLowRankInPlace",
            s -> addLowRank(s, f32(s, 2, 2), new LowRank(0, 1, f32(s, 1, 4), f32(s, 2, 1), 1)),
            "low rank: target: ",
            "F32 (2, 2)",
            "(3, 2)"),
        dtype(
            "Matmul.addLowRankInPlace",
            s -> addLowRank(s, f64(s, 3, 2), new LowRank(0, 1, f32(s, 1, 4), f32(s, 2, 1), 1)),
            "low rank: ",
            "F64 (3, 2)",
            "F32 (3, 4)"),
        shape(
            "Matmul.addProductInPlace",
            s -> Matmul.addProductInPlace(s, f32(s, 2, 3), 1, f32(s, 2, 4), f32(s, 4, 2)),
            "addmm: target: ",
            "F32 (2, 3)",
            "(2, 2)"),
        shape(
            "Matmul.addProductInPlace",
            s -> Matmul.addProductInPlace(s, f32(s, 2, 2), 1, f32(s, 2, 4), f32(s, 3, 2)),
            "F32 (2, 4)",
            "F32 (3, 2)"),
        shape(
            "Matmul.addProductInPlace",
            s -> Matmul.addProductInPlace(s, f32(s, 1, 2, 2), 1, f32(s, 1, 2, 4), f32(s, 1, 4, 2)),
            "F32 (1, 2, 4)"),
        dtype(
            "Matmul.addProductInPlace",
            s -> Matmul.addProductInPlace(s, f64(s, 2, 2), 1, f32(s, 2, 4), f32(s, 4, 2)),
            "addmm: ",
            "F64 (2, 2)",
            "F32 (2, 4)"));
  }

  private static List<Row> norms() {
    return List.of(
        unary("Norm.softmax", "softmax", Norm::softmax),
        unary("Norm.logSoftmax", "log_softmax", Norm::logSoftmax),
        shape(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, f32(s, 4), f32(s, 4), f32(s, 4), 1e-5),
            "layer_norm: x: ",
            "F32 (4)",
            "2 dimensions"),
        shape(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, f32(s, 2, 4), f32(s, 3), f32(s, 4), 1e-5),
            "layer_norm: weight: ",
            "F32 (3)",
            "(4)"),
        shape(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, f32(s, 2, 4), f32(s, 4), f32(s, 2, 4), 1e-5),
            "layer_norm: bias: ",
            "F32 (2, 4)",
            "(4)"),
        dtype(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, i64(s, 2, 4), f32(s, 4), f32(s, 4), 1e-5),
            "layer_norm: ",
            "I64 (2, 4)",
            "floating"),
        dtype(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, f32(s, 2, 4), f64(s, 4), f64(s, 4), 1e-5),
            "layer_norm: ",
            "F32 (2, 4)",
            "F64 (4)"),
        dtype(
            "Norm.layerNorm",
            s -> Norm.layerNorm(s, f32(s, 2, 4), f32(s, 4), f64(s, 4), 1e-5),
            "layer_norm: ",
            "F64 (4)",
            "F32 (4)"),
        shape(
            "Norm.rmsNorm",
            s -> Norm.rmsNorm(s, f32(s, 2, 4), f32(s, 3), 1e-5),
            "rms_norm: weight: ",
            "F32 (3)",
            "(4)"),
        dtype(
            "Norm.rmsNorm",
            s -> Norm.rmsNorm(s, i64(s, 2, 4), f32(s, 4), 1e-5),
            "rms_norm: ",
            "I64 (2, 4)",
            "floating"));
  }

  private static List<Row> embeddings() {
    return List.of(
        shape(
            "Embed.embedding",
            s -> Embed.embedding(s, f32(s, 4), i64(s, 2)),
            "embedding: table: ",
            "F32 (4)",
            "2 dimensions"),
        shape(
            "Embed.embedding",
            s -> Embed.embedding(s, f32(s, 4, 2), i64(s, 1, 2)),
            "embedding: ids: ",
            "I64 (1, 2)",
            "1 dimensions"),
        dtype(
            "Embed.embedding",
            s -> Embed.embedding(s, f32(s, 4, 2), f32(s, 2)),
            "embedding: ids: ",
            "F32 (2)",
            "I64"),
        shape(
            "Embed.rope",
            s -> Embed.rope(s, f32(s, 5, 4), f32(s, 5, 1, 4), f32(s, 5, 1, 4)),
            "rope: x: ",
            "F32 (5, 4)",
            "3 dimensions"),
        shape(
            "Embed.rope",
            s -> Embed.rope(s, f32(s, 5, 2, 4), f32(s, 4, 1, 4), f32(s, 5, 1, 4)),
            "rope: cos: ",
            "F32 (4, 1, 4)",
            "(5, 1, 4)"),
        shape(
            "Embed.rope",
            s -> Embed.rope(s, f32(s, 5, 2, 4), f32(s, 5, 1, 4), f32(s, 5, 2, 4)),
            "rope: sin: ",
            "F32 (5, 2, 4)",
            "(5, 1, 4)"),
        shape(
            "Embed.rope",
            s -> Embed.rope(s, f32(s, 5, 2, 3), f32(s, 5, 1, 3), f32(s, 5, 1, 3)),
            "rope: ",
            "F32 (5, 2, 3)",
            "even"),
        dtype(
            "Embed.rope",
            s -> Embed.rope(s, f32(s, 5, 2, 4), f64(s, 5, 1, 4), f64(s, 5, 1, 4)),
            "rope: ",
            "F32 (5, 2, 4)",
            "F64 (5, 1, 4)"));
  }

  private static void loss(Scope s, Tensor hidden, Tensor head, long... labels) {
    Loss.crossEntropy(s, hidden, head, labels, 1);
  }

  private static List<Row> losses() {
    long[] labels = {0, 1};
    return List.of(
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 2, 4), f32(s, 5, 3), 0, 1),
            "cross_entropy: ",
            "F32 (2, 4)",
            "F32 (5, 3)"),
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 2, 4), f32(s, 5, 4), 0),
            "cross_entropy: ",
            "F32 (2, 4)",
            "1 labels"),
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 0, 4), f32(s, 5, 4)),
            "cross_entropy: ",
            "F32 (0, 4)",
            "M > 0"),
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 2, 4), f32(s, 5, 4), 0, 5),
            "cross_entropy: ",
            "label 5",
            "0 to 4"),
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 2, 4), f32(s, 5, 4), 0, -100),
            "cross_entropy: ",
            "label -100",
            "0 to 4"),
        shape(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 8), f32(s, 5, 4), 0, 1),
            "cross_entropy: hidden: ",
            "F32 (8)",
            "2 dimensions"),
        dtype(
            "Loss.crossEntropy",
            s -> loss(s, f32(s, 2, 4), f64(s, 5, 4), 0, 1),
            "cross_entropy: ",
            "F32 (2, 4)",
            "F64 (5, 4)"),
        dtype(
            "Loss.crossEntropy",
            s -> loss(s, i64(s, 2, 4), i64(s, 5, 4), 0, 1),
            "cross_entropy: ",
            "I64 (2, 4)",
            "floating"),
        shape(
            "Loss.hiddenKey",
            s -> Loss.hiddenKey(s, f32(s, 2, 4), f32(s, 3, 4), f32(s, 5, 4), labels, 1, 1, false),
            "divergence: second: ",
            "F32 (3, 4)",
            "(2, 4)"),
        dtype(
            "Loss.hiddenKey",
            s -> Loss.hiddenKey(s, f32(s, 2, 4), f64(s, 2, 4), f32(s, 5, 4), labels, 1, 1, false),
            "divergence: ",
            "F32 (2, 4)",
            "F64 (2, 4)"),
        shape(
            "Loss.towards",
            s -> Loss.towards(s, f32(s, 2, 4), f32(s, 3, 4), f32(s, 5, 4), labels, 1, 1),
            "divergence: second: ",
            "F32 (3, 4)",
            "(2, 4)"),
        shape(
            "Loss.ofRows",
            s -> s.of(Loss.ofRows(s, f32(s, 2, 4), f32(s, 5, 3), labels), 2),
            "cross_entropy: ",
            "F32 (2, 4)",
            "F32 (5, 3)"));
  }

  private static void addLowRank(Scope s, Tensor target, LowRank part) {
    Matmul.addLowRankInPlace(s, target, f32(s, 3, 4), List.of(part));
  }
}
