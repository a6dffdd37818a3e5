package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.cuda.Cuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The arguments of a launch, given one by one in the kernel's order, and the launch itself.
///
/// There is one for each thread, used again and again: [CudaKernel#launch] hands it out, [#run]
/// ends its use. Sizes are checked against the compiled kernel's own table of parameters. The
/// driver copies the arguments during the call.
public final class Launch {
  /// What a kernel's parameters may take, as CUDA says since its first version.
  private static final int MOST_BYTES = 4096;

  private static final int MOST_PARAMETERS = 32;

  /// Whether each launch is waited for, so that a fault shows where it happens.
  private static final boolean SYNC = Boolean.getBoolean("gatun.cuda.sync");

  private final CudaThread thread;
  private final MemorySegment block = Arena.global().allocate(MOST_BYTES, 16);
  private final MemorySegment pointers = Arena.global().allocate(ADDRESS, MOST_PARAMETERS);
  private CudaKernel.@Nullable Loaded kernel;
  private int given;

  Launch(CudaThread thread) {
    this.thread = thread;
  }

  Launch of(CudaKernel.Loaded loaded) {
    kernel = loaded;
    given = 0;
    return this;
  }

  /// Returns the offset of the next parameter.
  private int next(int bytes) {
    CudaKernel.Loaded loaded = kernel();
    if (given == loaded.sizes().length || loaded.sizes()[given] != bytes) {
      String expected =
          given == loaded.sizes().length ? "no more" : loaded.sizes()[given] + " bytes";
      throw new IllegalArgumentException(
          "kernel %s: argument %d: found %d bytes, expected %s"
              .formatted(loaded.name(), given, bytes, expected));
    }
    int offset = loaded.offsets()[given];
    pointers.setAtIndex(JAVA_LONG, given++, block.address() + offset);
    return offset;
  }

  private CudaKernel.Loaded kernel() {
    if (kernel == null) {
      throw new IllegalStateException("a launch has ended; expected one begun by launch()");
    }
    return kernel;
  }

  /// Gives a device address or a 64-bit number.
  ///
  /// @param value the argument
  /// @return this
  public Launch with(long value) {
    block.set(JAVA_LONG, next(Long.BYTES), value);
    return this;
  }

  /// Gives a 32-bit number.
  ///
  /// @param value the argument
  /// @return this
  public Launch with(int value) {
    block.set(JAVA_INT, next(Integer.BYTES), value);
    return this;
  }

  /// Gives a float.
  ///
  /// @param value the argument
  /// @return this
  public Launch with(float value) {
    block.set(JAVA_FLOAT, next(Float.BYTES), value);
    return this;
  }

  /// Gives a condition, an `int` of the kernel.
  ///
  /// @param value the argument
  /// @return this
  public Launch with(boolean value) {
    return with(value ? 1 : 0);
  }

  /// Gives a struct, to be written where the launch reads it.
  ///
  /// @param bytes size of the struct
  /// @return its memory, with whatever an earlier launch left there
  public MemorySegment struct(int bytes) {
    return block.asSlice(next(bytes), bytes);
  }

  /// Launches on the current stream.
  ///
  /// @param blocks of the grid, at least 1
  /// @param threads of a block, a multiple of 32
  public void run(long blocks, int threads) {
    run(blocks, 1, 1, threads, 0);
  }

  /// Launches on the current stream.
  ///
  /// @param blocksX of the grid, at least 1
  /// @param blocksY of the grid, at least 1
  /// @param blocksZ of the grid, at least 1
  /// @param threads of a block, a multiple of 32
  /// @param sharedBytes dynamic shared memory of a block, see [CudaKernel#allowShared]
  /// @throws dev.gatun.runtime.CudaException if the driver refuses it
  public void run(long blocksX, int blocksY, int blocksZ, int threads, int sharedBytes) {
    CudaKernel.Loaded loaded = kernel();
    kernel = null;
    if (given != loaded.sizes().length) {
      throw new IllegalArgumentException(
          "kernel %s: found %d arguments, expected %d"
              .formatted(loaded.name(), given, loaded.sizes().length));
    }
    if (blocksX < 1 || blocksX > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "kernel %s: found %d blocks, expected 1 to 2^31 - 1".formatted(loaded.name(), blocksX));
    }
    MemorySegment stream = thread.stream();
    int code =
        Cuda.cuLaunchKernel(
            loaded.function(),
            (int) blocksX,
            blocksY,
            blocksZ,
            threads,
            1,
            1,
            sharedBytes,
            stream,
            pointers,
            MemorySegment.NULL);
    if (code != 0) {
      Driver.check(
          code,
          "cuLaunchKernel %s<<<(%d, %d, %d), %d, %d>>>"
              .formatted(loaded.name(), blocksX, blocksY, blocksZ, threads, sharedBytes));
    }
    if (SYNC) {
      Driver.check(Cuda.cuStreamSynchronize(stream), "kernel " + loaded.name());
    }
  }

  static void checkFits(String kernel, int bytes, int parameters) {
    if (bytes > MOST_BYTES || parameters > MOST_PARAMETERS) {
      throw new IllegalArgumentException(
          "kernel %s: found %d parameters of %d bytes, expected at most %d of %d"
              .formatted(kernel, parameters, bytes, MOST_PARAMETERS, MOST_BYTES));
    }
  }
}
