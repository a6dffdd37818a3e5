package dev.gatun.runtime;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails a test that leaves native tensors or bytes open. Every test class of this module has it,
/// which [LeakCheckTest] sees to.
public final class LeakCheck implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace SPACE =
      ExtensionContext.Namespace.create(LeakCheck.class);

  /// What is open at one moment.
  record Live(long tensors, long bytes) {
    static Live now() {
      return new Live(NativeMemory.liveTensors(), NativeMemory.liveBytes());
    }

    /// Fails if something is open now that was not open then.
    void checkNothingMore() {
      Live now = now();
      if (!now.equals(this)) {
        throw new AssertionError(
            "leak: found %d live tensors of %d bytes after the test, expected %d of %d as before it"
                .formatted(now.tensors, now.bytes, tensors, bytes));
      }
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(SPACE).put(Live.class, Live.now());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Live before = context.getStore(SPACE).get(Live.class, Live.class);
    if (before == null) {
      throw new IllegalStateException("leak check: afterEach without beforeEach");
    }
    before.checkNothingMore();
  }
}
