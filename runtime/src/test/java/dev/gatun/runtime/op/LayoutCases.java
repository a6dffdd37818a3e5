package dev.gatun.runtime.op;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// Rows of [Layout] and [Reduce].
final class LayoutCases {
  private LayoutCases() {}

  static Stream<OpCase> rows() {
    return Stream.of(shapes(), cuts(), copies(), sums()).flatMap(List::stream);
  }

  /// Returns the elements at the given places.
  private static OpCase.Plain pick(int... places) {
    return in -> {
      double[] result = new double[places.length];
      for (int i = 0; i < places.length; i++) {
        result[i] = in[0][places[i]];
      }
      return result;
    };
  }

  private static List<OpCase> shapes() {
    return List.of(
        OpCase.of("Layout.reshape", "dense", (s, in) -> Layout.reshape(s, in[0], 3, 2))
            .input("x", 2, 3)
            .plain(pick(0, 1, 2, 3, 4, 5)),
        OpCase.of("Layout.reshape", "-1", (s, in) -> Layout.reshape(s, in[0], 2, -1, 1))
            .input("x", 2, 3)
            .plain(pick(0, 1, 2, 3, 4, 5)),
        OpCase.of(
                "Layout.reshape",
                "strided, so copied",
                (s, in) -> Layout.reshape(s, Layout.transpose(s, in[0], 0, 1), 6))
            .input("x", 2, 3)
            .plain(pick(0, 3, 1, 4, 2, 5)),
        OpCase.of("Layout.reshape", "to a scalar", (s, in) -> Layout.reshape(s, in[0]))
            .input("x", 1, 1)
            .plain(pick(0)),
        OpCase.of("Layout.unflatten", "dense", (s, in) -> Layout.unflatten(s, in[0], 3, 2))
            .input("x", 2, 6)
            .plain(pick(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
        OpCase.of(
                "Layout.unflatten",
                "a part of wider rows",
                (s, in) -> Layout.unflatten(s, Layout.narrow(s, in[0], 1, 1, 4), 2, 2))
            .input("x", 2, 6)
            .plain(pick(1, 2, 3, 4, 7, 8, 9, 10)),
        OpCase.of("Layout.transpose", "matrix", (s, in) -> Layout.transpose(s, in[0], 0, 1))
            .input("x", 2, 3)
            .plain(pick(0, 3, 1, 4, 2, 5)),
        OpCase.of(
                "Layout.transpose", "from the back", (s, in) -> Layout.transpose(s, in[0], -1, -3))
            .input("x", 2, 1, 3)
            .plain(pick(0, 3, 1, 4, 2, 5)),
        OpCase.of("Layout.transpose", "same", (s, in) -> Layout.transpose(s, in[0], 1, 1))
            .input("x", 2, 2)
            .plain(pick(0, 1, 2, 3)),
        OpCase.of("Layout.expand", "size 1", (s, in) -> Layout.expand(s, in[0], 2, 2))
            .input("x", 2, 1)
            .plain(pick(0, 0, 1, 1)),
        OpCase.of("Layout.expand", "new dimension", (s, in) -> Layout.expand(s, in[0], 2, 1, 2))
            .input("x", 1, 2)
            .plain(pick(0, 1, 0, 1)),
        OpCase.of("Layout.expand", "new size 1", (s, in) -> Layout.expand(s, in[0], 1, 2, 1, 2))
            .input("x", 1, 2)
            .plain(pick(0, 1, 0, 1)),
        OpCase.of("Layout.expand", "nothing", (s, in) -> Layout.expand(s, in[0], 1, 2))
            .input("x", 1, 2)
            .plain(pick(0, 1)));
  }

  private static List<OpCase> cuts() {
    return List.of(
        OpCase.of("Layout.narrow", "rows", (s, in) -> Layout.narrow(s, in[0], 0, 1, 2))
            .input("x", 4, 2)
            .plain(pick(2, 3, 4, 5)),
        OpCase.of("Layout.narrow", "last columns", (s, in) -> Layout.narrow(s, in[0], -1, 2, 1))
            .input("x", 2, 3)
            .plain(pick(2, 5)),
        OpCase.of("Layout.narrow", "nothing", (s, in) -> Layout.narrow(s, in[0], 0, 2, 0))
            .input("x", 2, 3)
            .plain(pick()),
        OpCase.of(
                "Layout.split",
                "all parts used, one twice",
                (s, in) -> {
                  Tensor[] parts = Layout.split(s, in[0], 1, 1, 2, 1);
                  return Layout.cat(s, 1, parts[2], parts[0], parts[1], parts[0]);
                })
            .input("x", 2, 4)
            .plain(pick(3, 0, 1, 2, 0, 7, 4, 5, 6, 4)),
        OpCase.of("Layout.split", "one part unused", (s, in) -> Layout.split(s, in[0], 0, 1, 2)[1])
            .input("x", 3, 2)
            .plain(pick(2, 3, 4, 5)),
        OpCase.of("Layout.cat", "rows", (s, in) -> Layout.cat(s, 0, in[0], in[1]))
            .input("a", 1, 2)
            .input("b", 2, 2)
            .plain(in -> Stream.of(in).flatMapToDouble(Arrays::stream).toArray()),
        OpCase.of("Layout.cat", "the same twice", (s, in) -> Layout.cat(s, -1, in[0], in[0]))
            .input("a", 2, 2)
            .plain(pick(0, 1, 0, 1, 2, 3, 2, 3)),
        OpCase.of(
                "Layout.rows",
                "one twice",
                (s, in) -> Layout.rows(s, in[0], s.of(new long[] {2, 0, 2}, 3)))
            .input("x", 4, 2)
            .plain(pick(4, 5, 0, 1, 4, 5)),
        OpCase.of(
                "Layout.rows",
                "i32, rank 3",
                (s, in) -> Layout.rows(s, in[0], s.of(new int[] {1, 1}, 2)))
            .input("x", 2, 1, 2)
            .plain(pick(2, 3, 2, 3)),
        OpCase.of(
                "Layout.gather",
                "one twice",
                (s, in) -> Layout.gather(s, in[0], s.of(new long[] {2, 0, 2, 1, 1, 0}, 2, 3)))
            .input("x", 2, 3)
            .plain(pick(2, 0, 2, 4, 4, 3)),
        OpCase.of(
                "Layout.gather",
                "index expanded and transposed",
                (s, in) -> {
                  Tensor index =
                      Layout.transpose(s, s.of(new long[] {2, 0, 1, 1, 3, 3}, 1, 3, 2), 1, 2);
                  return Layout.gather(s, in[0], Layout.expand(s, index, 2, 2, 3));
                })
            .input("x", 2, 2, 4)
            .plain(pick(2, 1, 3, 4, 5, 7, 10, 9, 11, 12, 13, 15)));
  }

  private static List<OpCase> copies() {
    return List.of(
        OpCase.of(
                "Layout.copy",
                "strided",
                (s, in) -> Layout.copy(s, Layout.transpose(s, in[0], 0, 1)))
            .input("x", 2, 3)
            .plain(pick(0, 3, 1, 4, 2, 5)),
        OpCase.of(
                "Layout.to",
                "through f32",
                (s, in) -> Layout.to(s, Layout.to(s, in[0], DType.F32), DType.F64))
            .input("x", 2, 3)
            .plain(OpCase.Plain.each(x -> (float) x))
            .tolerance(1e-4, 1e-2),
        OpCase.of("Layout.as", "same type", (s, in) -> Layout.as(s, in[0], in[0].dtype()))
            .input("x", 2)
            .plain(pick(0, 1)),
        OpCase.of(
                "Layout.as",
                "through f32",
                (s, in) -> Layout.as(s, Layout.as(s, in[0], DType.F32), DType.F64))
            .input("x", 2)
            .plain(OpCase.Plain.each(x -> (float) x))
            .tolerance(1e-4, 1e-2),
        OpCase.of(
                "Layout.copyInPlace",
                "into a strided view",
                (s, in) -> {
                  Tensor target = s.zeros(in[0].dtype(), 3, 2);
                  Layout.copyInPlace(Layout.transpose(s, target, 0, 1), in[0]);
                  return target;
                })
            .constant("x", 2, 3)
            .plain(pick(0, 3, 1, 4, 2, 5))
            .withoutGradient());
  }

  private static List<OpCase> sums() {
    return List.of(
        OpCase.of("Reduce.sum", "all", (s, in) -> Reduce.sum(s, in[0]))
            .input("x", 2, 2)
            .plain(in -> new double[] {in[0][0] + in[0][1] + in[0][2] + in[0][3]}),
        OpCase.of("Reduce.sum", "of a scalar", (s, in) -> Reduce.sum(s, in[0]))
            .input("x")
            .plain(pick(0)),
        OpCase.of("Reduce.sum", "one dimension", (s, in) -> Reduce.sum(s, in[0], false, 0))
            .input("x", 2, 2)
            .plain(in -> new double[] {in[0][0] + in[0][2], in[0][1] + in[0][3]}),
        OpCase.of("Reduce.sum", "kept, from the back", (s, in) -> Reduce.sum(s, in[0], true, -1, 0))
            .input("x", 2, 1, 2)
            .plain(in -> new double[] {in[0][0] + in[0][1] + in[0][2] + in[0][3]}),
        OpCase.of("Reduce.mean", "all", (s, in) -> Reduce.mean(s, in[0]))
            .input("x", 2, 2)
            .plain(in -> new double[] {(in[0][0] + in[0][1] + in[0][2] + in[0][3]) / 4}),
        OpCase.of("Reduce.sumOfSquares", "all", (s, in) -> Reduce.sumOfSquares(s, in[0]))
            .constant("x", 2, 2)
            .plain(in -> new double[] {Arrays.stream(in[0]).map(x -> x * x).sum()})
            .withoutGradient(),
        OpCase.of("Reduce.argmax", "last", (s, in) -> Reduce.argmax(s, in[0], -1))
            .constant("x", 2, 2)
            .plain(in -> new double[] {in[0][0] < in[0][1] ? 1 : 0, in[0][2] < in[0][3] ? 1 : 0})
            .withoutGradient(),
        OpCase.of("Reduce.max", "last", (s, in) -> Reduce.max(s, in[0], -1))
            .constant("x", 2, 2)
            .plain(in -> new double[] {Math.max(in[0][0], in[0][1]), Math.max(in[0][2], in[0][3])})
            .withoutGradient());
  }
}
