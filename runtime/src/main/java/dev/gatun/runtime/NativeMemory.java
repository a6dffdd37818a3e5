package dev.gatun.runtime;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The count of live tensors and their bytes in this process, by device, and a limit on the bytes.
///
/// Storages are counted once however many tensors view them; borrowed memory (mapped files, the
/// caller's segments) is not counted. Thread-safe.
///
/// A GPU's memory in use, as the driver counts it ([CudaReport.Device]), is more: it has the
/// contexts and kernels of all processes, and the blocks that libtorch keeps for later tensors, of
/// which its C ABI does not tell.
public final class NativeMemory {
  private static final AtomicLong TENSORS = new AtomicLong();
  private static final Ledger HOST = new Ledger();
  private static final Map<Device, Ledger> GPUS = new ConcurrentHashMap<>();

  private NativeMemory() {}

  /// The bytes on one device.
  private static final class Ledger {
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();
    private volatile long budget = Long.MAX_VALUE;

    void add(long more) {
      long now = bytes.addAndGet(more);
      long most = peak.get();
      while (now > most && !peak.compareAndSet(most, now)) {
        most = peak.get();
      }
    }
  }

  private static Ledger of(Device device) {
    return device.isCuda() ? GPUS.computeIfAbsent(device, d -> new Ledger()) : HOST;
  }

  /// {@return how many tensors are open, on all devices}
  public static long liveTensors() {
    return TENSORS.get();
  }

  /// {@return how many bytes of the host the storages of open tensors hold}
  public static long liveBytes() {
    return liveBytes(Device.CPU);
  }

  /// {@return how many bytes of a device the storages of open tensors hold}
  ///
  /// @param device the device
  public static long liveBytes(Device device) {
    return of(device).bytes.get();
  }

  /// {@return the largest value of [#liveBytes()] since the start or the last [#resetPeak]}
  public static long peakBytes() {
    return peakBytes(Device.CPU);
  }

  /// {@return the largest value of [#liveBytes(Device)] since the start or the last [#resetPeak]}
  ///
  /// @param device the device
  public static long peakBytes(Device device) {
    return of(device).peak.get();
  }

  /// Starts a new measurement of the peaks at the bytes live now.
  public static void resetPeak() {
    HOST.peak.set(HOST.bytes.get());
    GPUS.values().forEach(gpu -> gpu.peak.set(gpu.bytes.get()));
  }

  /// Refuses, from now on, tensors of the host that would bring [#liveBytes()] above a limit:
  /// allocations before they are made, results of operations as soon as their size is known.
  ///
  /// @param bytes the limit in bytes, at least 1
  public static void setBudget(long bytes) {
    setBudget(Device.CPU, bytes);
  }

  /// Refuses, from now on, tensors that would bring [#liveBytes(Device)] above a limit, as
  /// [#setBudget(long)] does for the host.
  ///
  /// @param device the device
  /// @param bytes the limit in bytes, at least 1
  public static void setBudget(Device device, long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("budget: found " + bytes + ", expected at least 1 byte");
    }
    of(device).budget = bytes;
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

  static void checkBudget(Device device, long bytes) {
    Ledger ledger = of(device);
    long live = ledger.bytes.get();
    if (bytes > ledger.budget - live) {
      throw new MemoryBudgetException(bytes, live, ledger.budget);
    }
  }

  static void addBytes(Device device, long bytes) {
    of(device).add(bytes);
  }

  static void removeBytes(Device device, long bytes) {
    of(device).bytes.addAndGet(-bytes);
  }
}
