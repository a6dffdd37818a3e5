package dev.gatun.bindings.load;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The C library's allocator, for memory that native code will free.
@SuppressWarnings("restricted")
public final class CLibrary {
  private static final MethodHandle MALLOC =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("malloc"),
              FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

  private CLibrary() {}

  /// Allocates memory that whoever receives it frees with `free`.
  ///
  /// @param bytes how many bytes
  /// @return the memory, of zero length until it is reinterpreted
  /// @throws OutOfMemoryError if there is none
  public static MemorySegment malloc(long bytes) {
    MemorySegment memory;
    try {
      memory = (MemorySegment) MALLOC.invokeExact(bytes);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("malloc throws nothing", e);
    }
    if (memory.address() == 0) {
      throw new OutOfMemoryError("malloc of " + bytes + " bytes");
    }
    return memory;
  }
}
