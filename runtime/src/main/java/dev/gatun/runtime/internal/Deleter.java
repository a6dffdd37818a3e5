package dev.gatun.runtime.internal;

import dev.gatun.bindings.cuda.CUhostFn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// C functions that end what their argument points to: `void (*)(void *)`, which is the type of the
/// driver's host functions, too.
public final class Deleter {
  private Deleter() {}

  /// Makes one, for the life of the process; nothing may be thrown by its body.
  public static MemorySegment of(Consumer<MemorySegment> body) {
    return CUhostFn.allocate(body::accept, Arena.global());
  }

  /// Calls one.
  public static void call(MemorySegment deleter, MemorySegment argument) {
    CUhostFn.invoke(deleter, argument);
  }
}
