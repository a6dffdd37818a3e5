package dev.gatun.runtime.internal.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.util.Optional;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Runs tests on a CUDA device: the machine's, or a fake one where `gatun.cuda.fake` is set. Where
/// there is none they are skipped, with one line.
///
/// Use it by [ExtendWith], beside the tag `gpu`.
public final class TestDevice implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    if (FakeCuda.isWanted()) {
      String missing = HostKernels.missing();
      if (missing != null) {
        skip(context, missing);
      }
      FakeCuda.install();
    }
    Optional<String> missing = Driver.missing().or(KernelCompiler::missing);
    missing.ifPresent(text -> skip(context, text));
  }

  private static void skip(ExtensionContext context, String reason) {
    String line = context.getDisplayName() + ": skipped: " + reason;
    System.out.println(line);
    abort(line);
  }
}
