package dev.gatun.runtime;

import java.util.concurrent.atomic.AtomicLong;

/// The count of live tensors and their bytes in this process, and a limit on them.
///
/// Storages are counted once however many tensors view them; borrowed memory (mapped files, the
/// caller's segments) is not counted. Thread-safe.
public final class NativeMemory {
  private static final AtomicLong TENSORS = new AtomicLong();
  private static final AtomicLong BYTES = new AtomicLong();
  private static final AtomicLong PEAK = new AtomicLong();
  private static volatile long budget = Long.MAX_VALUE;

  private NativeMemory() {}

  /// {@return how many tensors are open}
  public static long liveTensors() {
    return TENSORS.get();
  }

  /// {@return how many bytes the storages of open tensors hold}
  public static long liveBytes() {
    return BYTES.get();
  }

  /// {@return the largest value of [#liveBytes] since the start or the last [#resetPeak]}
  public static long peakBytes() {
    return PEAK.get();
  }

  /// Starts a new measurement of [#peakBytes] at the bytes live now.
  public static void resetPeak() {
    PEAK.set(BYTES.get());
  }

  /// Refuses, from now on, tensors that would bring [#liveBytes] above a limit: allocations before
  /// they are made, results of operations as soon as their size is known.
  ///
  /// @param bytes the limit in bytes, at least 1
  public static void setBudget(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("budget: found " + bytes + ", expected at least 1 byte");
    }
    budget = bytes;
  }

  static void addTensor() {
    TENSORS.getAndIncrement();
  }

  static void removeTensor() {
    TENSORS.getAndDecrement();
  }

  static void removeTensors(int count) {
    TENSORS.addAndGet(-count);
  }

  static void checkBudget(long bytes) {
    long live = BYTES.get();
    if (bytes > budget - live) {
      throw new MemoryBudgetException(bytes, live, budget);
    }
  }

  static void addBytes(long bytes) {
    long now = BYTES.addAndGet(bytes);
    long peak = PEAK.get();
    while (now > peak && !PEAK.compareAndSet(peak, now)) {
      peak = PEAK.get();
    }
  }

  static void removeBytes(long bytes) {
    BYTES.addAndGet(-bytes);
  }
}
