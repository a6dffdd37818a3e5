package dev.gatun.runtime.op;

/// The form in which a [FrozenWeight] is kept for products.
public enum WeightForm {
  /// As it is, for instance in a mapped file: no memory beside it.
  STORED,

  /// Beside it a copy in the order that oneDNN multiplies fastest: 1.5 to 2 times as fast for 2 to
  /// 64 rows, for the bytes of the weight once more. Where the type, the device, the processor or
  /// this libtorch has no such order, it is kept as [#STORED].
  PACKED,

  /// A copy of 8-bit integers and a scale for each output, which is the largest magnitude of its
  /// row divided by 127. A single row reads half the bytes of bf16; many rows take longer, and
  /// results differ from the weight's own by its rounding. On the host alone.
  INT8
}
