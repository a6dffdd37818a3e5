package dev.gatun.runtime;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads libtorch's own reference count, which a handle that Gatun lost would raise for ever.
public final class NativeUses {
  private NativeUses() {}

  /// Returns how many handles there are of the tensor under this one: a handle points to the
  /// `TensorImpl`, whose count follows its table of virtual functions.
  @SuppressWarnings("restricted")
  public static int of(Tensor tensor) {
    MemorySegment handle = MemorySegment.ofAddress(tensor.handleAddress()).reinterpret(8);
    return handle.get(ValueLayout.ADDRESS, 0).reinterpret(12).get(ValueLayout.JAVA_INT, 8);
  }
}
