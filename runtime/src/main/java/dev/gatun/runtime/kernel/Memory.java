package dev.gatun.runtime.kernel;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Parallel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Supplier;

/// The memory of tensors from their first element on, open to libtorch's threads while a kernel
/// runs.
///
/// A tensor's own segment belongs to its scope's thread; this one does not, so it must not outlive
/// the tensor, which [#with] sees to.
///
/// @param segment all elements
/// @param dtype f32 or bf16
record Memory(MemorySegment segment, DType dtype) {
  /// Elements that are worth a thread: it takes a microsecond or two to begin.
  private static final long LEAST_ELEMENTS = 1 << 13;

  /// What is done with the memories, in the order of the tensors.
  @FunctionalInterface
  interface Use {
    void run(Memory[] memories);
  }

  /// Keeps the tensors from being closed while their memory is used.
  static void with(Use use, Tensor... tensors) {
    int held = 0;
    try {
      Memory[] memories = new Memory[tensors.length];
      while (held < tensors.length) {
        Tensor tensor = tensors[held];
        tensor.acquire();
        held++;
        memories[held - 1] = of(tensor);
      }
      use.run(memories);
    } finally {
      while (held > 0) {
        tensors[--held].release();
      }
    }
  }

  /// Returns the memory of a tensor that the caller keeps alive.
  @SuppressWarnings("restricted")
  static Memory of(Tensor tensor) {
    long bytes = span(tensor) * tensor.dtype().bytes();
    MemorySegment start = MemorySegment.ofAddress(tensor.dataAddress());
    return new Memory(start.reinterpret(bytes), tensor.dtype());
  }

  /// Returns how far the last element lies from the first, and 1 more.
  private static long span(Tensor tensor) {
    if (tensor.isContiguous()) {
      return tensor.elements();
    }
    long[] shape = tensor.shape();
    long[] strides = tensor.strides();
    long span = 1;
    for (int i = 0; i < shape.length; i++) {
      span += (shape[i] - 1) * strides[i];
    }
    return span;
  }

  /// A loop body over one block: its first element, and how many.
  @FunctionalInterface
  interface Blocks {
    void run(long from, int count);
  }

  /// Runs over all elements in blocks of [Block#ELEMENTS], on several threads where that pays.
  ///
  /// @param bodies makes the body of each thread, with arrays of its own
  static void blocks(Scope scope, long elements, Supplier<Blocks> bodies) {
    Parallel.ranges(
        scope,
        elements,
        Block.ELEMENTS,
        LEAST_ELEMENTS,
        (from, to) -> {
          Blocks body = bodies.get();
          for (long at = from; at < to; at += Block.ELEMENTS) {
            body.run(at, (int) Math.min(Block.ELEMENTS, to - at));
          }
        });
  }

  /// A loop body over one row.
  @FunctionalInterface
  interface Rows {
    void run(long row);
  }

  /// Runs over rows, on several threads where that pays.
  ///
  /// @param width elements of a row
  static void rows(Scope scope, long rows, long width, Supplier<Rows> bodies) {
    long least = 1 + LEAST_ELEMENTS / Math.max(1, width);
    Parallel.ranges(
        scope,
        rows,
        1,
        least,
        (from, to) -> {
          Rows body = bodies.get();
          for (long row = from; row < to; row++) {
            body.run(row);
          }
        });
  }

  void load(long index, float[] target, int count) {
    Block.load(segment, dtype, index, target, count);
  }

  /// Reads a row and fills what is left of the array.
  void loadRow(long index, float[] target, int count, float rest) {
    load(index, target, count);
    Arrays.fill(target, count, target.length, rest);
  }

  /// Returns the first elements, and zeros up to whole vectors.
  float[] row(int count) {
    float[] array = new float[Lanes.padded(count)];
    loadRow(0, array, count, 0);
    return array;
  }

  void store(float[] source, long index, int count) {
    Block.store(source, segment, dtype, index, count);
  }
}
