package dev.gatun.runtime.op;

import java.util.stream.Stream;

/// Every op of the package, each with at least one row. The rows feed [OpGradientTest],
/// [OpParityTest], [OpLeakTest] and [OpCoverageTest].
final class OpCases {
  private OpCases() {}

  static Stream<OpCase> all() {
    return Stream.of(
            ElementwiseCases.rows(),
            LayoutCases.rows(),
            MatmulCases.rows(),
            AttentionCases.rows(),
            LossCases.rows())
        .flatMap(rows -> rows);
  }

  static Stream<OpCase> differentiable() {
    return all().filter(OpCase::differentiable);
  }
}
