package dev.gatun.runtime.kernel.cuda;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Numbers on the device, rounded to a type, some elements behind a boundary of 256 bytes.
final class DeviceArray implements AutoCloseable {
  private final DeviceMemory memory;
  private final DType dtype;
  private final int count;
  private final int shift;

  @MustBeClosed
  DeviceArray(double[] values, DType dtype, int shift) {
    this.dtype = dtype;
    this.count = values.length;
    this.shift = shift;
    this.memory = DeviceMemory.allocate((long) Math.max(1, count + shift) * dtype.bytes());
    write(values);
  }

  /// An array that holds numbers which no kernel writes.
  @MustBeClosed
  static DeviceArray empty(int count, DType dtype, int shift) {
    double[] values = new double[count];
    java.util.Arrays.fill(values, -77);
    return new DeviceArray(values, dtype, shift);
  }

  long address() {
    return memory.address() + (long) shift * dtype.bytes();
  }

  int count() {
    return count;
  }

  void write(double[] values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, (long) count * dtype.bytes()), 8);
      for (int i = 0; i < count; i++) {
        set(host, i, values[i]);
      }
      memory.write(host.asSlice(0, (long) count * dtype.bytes()), (long) shift * dtype.bytes());
      CudaThread.current().synchronize();
    }
  }

  double[] read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, (long) count * dtype.bytes()), 8);
      memory.read((long) shift * dtype.bytes(), host.asSlice(0, (long) count * dtype.bytes()));
      CudaThread.current().synchronize();
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = get(host, i);
      }
      return values;
    }
  }

  private void set(MemorySegment host, int i, double value) {
    switch (dtype) {
      case F64 -> host.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
      case F32 -> host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      case I64 -> host.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
      case F16 -> host.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) value));
      default -> {
        int bits = Float.floatToRawIntBits((float) value);
        int rounded = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
        host.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) rounded);
      }
    }
  }

  private double get(MemorySegment host, int i) {
    return switch (dtype) {
      case F64 -> host.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
      case F32 -> host.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      case I64 -> host.getAtIndex(ValueLayout.JAVA_LONG, i);
      case F16 -> Float.float16ToFloat(host.getAtIndex(ValueLayout.JAVA_SHORT, i));
      default -> Float.intBitsToFloat(host.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
    };
  }

  @Override
  public void close() {
    memory.close();
  }
}
