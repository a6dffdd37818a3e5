package dev.gatun.runtime.internal;

import dev.gatun.bindings.torch.ParallelFunc;
import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.Scope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Runs Java code on libtorch's own threads.
///
/// They spin between libtorch's operations; threads of ours would fight them for the processors.
public final class Parallel {
  private static final MemorySegment RUN = ParallelFunc.allocate(Parallel::run, Arena.global());
  private static final Map<Long, Job> JOBS = new ConcurrentHashMap<>();
  private static final AtomicLong NEXT = new AtomicLong();

  private Parallel() {}

  private static final class Job {
    private final IntConsumer body;
    private volatile @Nullable Throwable failure;

    Job(IntConsumer body) {
      this.body = body;
    }
  }

  /// A range of a loop.
  @FunctionalInterface
  public interface Range {
    /// Computes the elements from `from` to before `to`.
    void run(long from, long to);
  }

  /// Runs the parts of a job, on several threads where there are several; returns when all have
  /// ended.
  ///
  /// @param parts number of parts
  /// @param body runs one part, by its number from 0
  public static void run(int parts, IntConsumer body) {
    if (parts == 1) {
      body.accept(0);
      return;
    }
    Job job = new Job(body);
    long id = NEXT.incrementAndGet();
    JOBS.put(id, job);
    try {
      MemorySegment context = MemorySegment.ofAddress(id);
      Shim.check(Torch.torch_parallel_for(0, parts, 1, RUN, context), "parallel_for");
    } finally {
      JOBS.remove(id);
    }
    switch (job.failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    }
  }

  /// Returns into how many parts a loop is worth dividing, at most one for each thread.
  ///
  /// @param scope for the number of threads
  /// @param length number of elements
  /// @param least elements that are worth a thread
  public static int parts(Scope scope, long length, long least) {
    long worthwhile = Math.max(1, length / Math.max(1, least));
    return worthwhile == 1 ? 1 : (int) Math.min(worthwhile, Shim.threads(scope));
  }

  /// Divides a loop between the threads.
  ///
  /// @param scope for the number of threads
  /// @param length number of elements
  /// @param unit elements that stay together
  /// @param least elements that are worth a thread
  /// @param range computes a part
  public static void ranges(Scope scope, long length, long unit, long least, Range range) {
    long units = (length + unit - 1) / unit;
    int parts = (int) Math.min(units, parts(scope, length, least));
    if (parts <= 1) {
      range.run(0, length);
      return;
    }
    run(
        parts,
        part -> {
          long from = units * part / parts * unit;
          long to = Math.min(length, units * (part + 1) / parts * unit);
          range.run(from, to);
        });
  }

  /// Divides a loop whose elements take unequal times: who has done with one takes the next.
  ///
  /// @param parts of [#parts]
  /// @param length number of elements
  /// @param bodies makes the body of each part, with arrays of its own
  public static void each(int parts, int length, Supplier<IntConsumer> bodies) {
    AtomicInteger next = new AtomicInteger();
    run(
        Math.min(length, parts),
        part -> {
          IntConsumer body = bodies.get();
          for (int i = next.getAndIncrement(); i < length; i = next.getAndIncrement()) {
            body.accept(i);
          }
        });
  }

  /// Called by libtorch, on any of its threads; an exception that left it would end the process.
  private static void run(long begin, long end, MemorySegment context) {
    Job job = JOBS.get(context.address());
    if (job == null) {
      return;
    }
    try {
      for (long i = begin; i < end; i++) {
        job.body.accept((int) i);
      }
    } catch (Throwable e) { // a native frame is the caller
      job.failure = e;
    }
  }
}
