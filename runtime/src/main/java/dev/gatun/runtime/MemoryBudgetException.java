package dev.gatun.runtime;

/// A tensor would exceed the byte budget set by [NativeMemory#setBudget].
public final class MemoryBudgetException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Creates one.
  ///
  /// @param asked bytes of the refused tensor
  /// @param live bytes of all live tensors before it
  /// @param budget the limit in bytes
  public MemoryBudgetException(long asked, long live, long budget) {
    super(
        "native memory budget exceeded: asked %,d bytes with %,d live, budget %,d"
            .formatted(asked, live, budget));
  }
}
