package dev.gatun.runtime.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gatun.bindings.torch.ParallelFunc;
import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Products of matrices by BLAS, several side by side on libtorch's own threads.
///
/// OpenBLAS computes on the calling thread alone: its own threads would fight OpenMP's for the
/// processors. So a large product is given in parts, and libtorch's threads, which call back into
/// the JVM, take one each.
public final class ParallelProduct {
  private static final int RESULT = 0; // offsets in a part's block
  private static final int C = 8;
  private static final int A = 16;
  private static final int B = 24;
  private static final int BETA = 32;
  private static final int ALPHA = 40;
  private static final int CODE = 48;
  private static final int BYTES = 56;

  private static final MemorySegment RUN =
      ParallelFunc.allocate(ParallelProduct::run, Arena.global());

  private ParallelProduct() {}

  /// One part: beta c + alpha a b, written to `result`.
  ///
  /// @param result `(M, N)`, written
  /// @param c added; may be `result`
  /// @param a `(M, K)`
  /// @param b `(K, N)`
  public record Part(Tensor result, Tensor c, Tensor a, Tensor b) {}

  /// Computes all parts; the order in which they run does not change their results.
  ///
  /// @param parts arguments that were checked
  /// @param beta factor of each c; 0 leaves it unread
  /// @param alpha factor of each product
  public static void run(Part[] parts, double beta, double alpha) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blocks = arena.allocate((long) BYTES * parts.length, 8);
      for (int i = 0; i < parts.length; i++) {
        MemorySegment block = blocks.asSlice((long) BYTES * i, BYTES);
        block.set(ADDRESS, RESULT, parts[i].result.handle());
        block.set(ADDRESS, C, parts[i].c.handle());
        block.set(ADDRESS, A, parts[i].a.handle());
        block.set(ADDRESS, B, parts[i].b.handle());
        block.set(JAVA_DOUBLE, BETA, beta);
        block.set(JAVA_DOUBLE, ALPHA, alpha);
      }
      Shim.check(Torch.torch_parallel_for(0, parts.length, 1, RUN, blocks), "parallel_for");
      for (int i = 0; i < parts.length; i++) {
        if (blocks.get(JAVA_INT, (long) BYTES * i + CODE) != 0) {
          Part failed = parts[i];
          // the text of the error is another thread's: fail once more on this one
          Shim.addmm(
              failed.result.handle(),
              failed.c.handle(),
              failed.a.handle(),
              failed.b.handle(),
              beta,
              alpha);
        }
      }
    }
  }

  /// Runs on any of libtorch's threads; an exception here would end the process.
  @SuppressWarnings("restricted")
  private static void run(long begin, long end, MemorySegment context) {
    MemorySegment blocks = context.reinterpret(BYTES * end);
    for (long i = begin; i < end; i++) {
      MemorySegment block = blocks.asSlice(BYTES * i, BYTES);
      int code =
          Torch.aoti_torch_cpu_addmm_out(
              block.get(ADDRESS, RESULT),
              block.get(ADDRESS, C),
              block.get(ADDRESS, A),
              block.get(ADDRESS, B),
              block.get(JAVA_DOUBLE, BETA),
              block.get(JAVA_DOUBLE, ALPHA));
      block.set(JAVA_INT, CODE, code);
    }
  }
}
