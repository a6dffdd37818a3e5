package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.runtime.internal.cuda.CudaKernel;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import dev.gatun.runtime.internal.cuda.Launch;
import java.lang.foreign.MemorySegment;

/// AdamW over many f32 tensors at once, and the sum of squares of their gradients. Addresses go
/// with each launch, 64 tensors of them, so that no table is kept on the device.
public final class CudaAdamW {
  private static final CudaProgram PROGRAM = CudaProgram.of("adamw.cu");
  private static final CudaKernel STEP = PROGRAM.kernel("adamw_step");
  private static final CudaKernel SQUARES = PROGRAM.kernel("squares_of_blocks");
  private static final CudaKernel TOTAL = PROGRAM.kernel("squares_total");

  private static final int MOST = 64; // tensors of a launch
  private static final int CHUNK = 4096; // elements of a block
  private static final int ROW = MOST * Long.BYTES; // an array of the struct
  private static final int STARTS = (MOST + 1) * Integer.BYTES;
  private static final int SETTINGS_BYTES = 8 * Float.BYTES;

  private CudaAdamW() {}

  /// Tensors of a step: addresses of f32 elements, one of each array for a tensor.
  ///
  /// @param parameters changed
  /// @param gradients read
  /// @param first first moments, changed
  /// @param second second moments, changed
  /// @param counts elements of each
  public record Tensors(
      long[] parameters, long[] gradients, long[] first, long[] second, long[] counts) {
    /// Checks the lengths.
    public Tensors {
      for (long[] each : new long[][] {gradients, first, second, counts}) {
        if (each.length != parameters.length) {
          throw new IllegalArgumentException(
              "adamw: found %d of %d tensors".formatted(each.length, parameters.length));
        }
      }
    }
  }

  /// One step, as `torch.optim.AdamW` takes it.
  ///
  /// @param number of the step, from 1
  /// @param rate learning rate
  /// @param beta1 decay of the first moment
  /// @param beta2 decay of the second moment
  /// @param eps added to the root of the second moment
  /// @param weightDecay share of the learning rate by which weights shrink
  public record Step(
      int number, double rate, double beta1, double beta2, double eps, double weightDecay) {}

  /// Takes a step.
  ///
  /// @param tensors what it changes
  /// @param step its numbers
  /// @param squares address of the f64 sum of squares of all gradients, which [#sumOfSquares]
  ///   writes; not read where `maxNorm` is 0
  /// @param maxNorm norm to which gradients are scaled down, as `clip_grad_norm_` does; 0 for none
  public static void step(Tensors tensors, Step step, long squares, double maxNorm) {
    for (int from = 0; from < tensors.counts.length; from += MOST) {
      int count = Math.min(MOST, tensors.counts.length - from);
      Launch launch = STEP.launch();
      MemorySegment table = launch.struct(5 * ROW + STARTS + Integer.BYTES);
      copy(tensors.parameters, from, count, table, 0);
      copy(tensors.gradients, from, count, table, ROW);
      copy(tensors.first, from, count, table, 2 * ROW);
      copy(tensors.second, from, count, table, 3 * ROW);
      copy(tensors.counts, from, count, table, 4 * ROW);
      long blocks = starts(tensors.counts, from, count, table.asSlice(5 * ROW));
      settings(launch.struct(SETTINGS_BYTES), step);
      launch.with(squares).with((float) maxNorm);
      if (blocks > 0) {
        launch.run(blocks, Grid.THREADS);
      }
    }
  }

  private static void settings(MemorySegment struct, Step step) {
    double[] values = {
      step.rate * step.weightDecay,
      step.beta1,
      step.beta2,
      1 - step.beta1,
      1 - step.beta2,
      step.rate / (1 - Math.pow(step.beta1, step.number)),
      Math.sqrt(1 - Math.pow(step.beta2, step.number)),
      step.eps
    };
    for (int i = 0; i < values.length; i++) {
      struct.setAtIndex(JAVA_FLOAT, i, (float) values[i]);
    }
  }

  /// {@return the bytes that [#sumOfSquares] needs to work in}
  ///
  /// @param counts elements of each tensor
  public static long scratchBytes(long[] counts) {
    long blocks = 1;
    for (long count : counts) {
      blocks += blocks(count);
    }
    return blocks * Float.BYTES;
  }

  /// Writes the sum of squares of all elements, added in an order that is always the same.
  ///
  /// @param gradients addresses of f32 elements
  /// @param counts elements of each
  /// @param scratch address of memory to work in, see [#scratchBytes]
  /// @param total receives the sum in f64
  public static void sumOfSquares(long[] gradients, long[] counts, long scratch, long total) {
    long done = 0;
    for (int from = 0; from < counts.length; from += MOST) {
      int count = Math.min(MOST, counts.length - from);
      Launch launch = SQUARES.launch();
      MemorySegment table = launch.struct(2 * ROW + STARTS + Integer.BYTES);
      copy(gradients, from, count, table, 0);
      copy(counts, from, count, table, ROW);
      long blocks = starts(counts, from, count, table.asSlice(2 * ROW));
      launch.with(scratch + done * Float.BYTES);
      if (blocks > 0) {
        launch.run(blocks, Grid.THREADS);
      }
      done += blocks;
    }
    TOTAL.launch().with(scratch).with(Math.toIntExact(done)).with(total).run(1, Grid.THREADS);
  }

  private static void copy(long[] values, int from, int count, MemorySegment struct, long at) {
    MemorySegment.copy(values, from, struct, JAVA_LONG, at, count);
  }

  /// Writes each tensor's first block and the number of tensors, and returns the number of blocks.
  private static long starts(long[] counts, int from, int count, MemorySegment struct) {
    long blocks = 0;
    for (int i = 0; i < count; i++) {
      struct.setAtIndex(JAVA_INT, i, Math.toIntExact(blocks));
      blocks += blocks(counts[from + i]);
    }
    struct.setAtIndex(JAVA_INT, count, Math.toIntExact(blocks));
    struct.set(JAVA_INT, STARTS, count);
    return blocks;
  }

  private static long blocks(long count) {
    return (count + CHUNK - 1) / CHUNK;
  }
}
