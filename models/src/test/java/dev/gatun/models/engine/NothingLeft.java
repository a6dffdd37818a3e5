package dev.gatun.models.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.NativeMemory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails a test that leaves native tensors open.
final class NothingLeft implements BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace SPACE =
      ExtensionContext.Namespace.create(NothingLeft.class);

  @Override
  public void beforeEach(ExtensionContext context) {
    context.getStore(SPACE).put("live", NativeMemory.liveTensors());
  }

  @Override
  public void afterEach(ExtensionContext context) {
    assertThat(NativeMemory.liveTensors())
        .as("live tensors")
        .isEqualTo(context.getStore(SPACE).get("live"));
  }
}
