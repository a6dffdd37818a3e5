package dev.gatun.runtime.internal.cuda;

import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Runs tests on a CUDA device: the machine's, or a fake one where `gatun.cuda.fake` is set. Where
/// there is none they are skipped, with one line for the class.
///
/// Use it by [ExtendWith], beside the tag `gpu`.
public final class CudaCondition implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    return result(context, missing());
  }

  private static Optional<String> missing() {
    if (FakeCuda.isWanted()) {
      String without = HostKernels.missing();
      if (without != null) {
        return Optional.of(without);
      }
      FakeCuda.install();
    }
    return Driver.missing().or(KernelCompiler::missing);
  }

  static ConditionEvaluationResult result(ExtensionContext context, Optional<String> missing) {
    if (missing.isEmpty()) {
      return ConditionEvaluationResult.enabled("it is there");
    }
    if (context.getTestMethod().isEmpty()) {
      System.out.println(context.getDisplayName() + ": skipped: " + missing.get());
    }
    return ConditionEvaluationResult.disabled(missing.get());
  }

  /// Runs tests where there is NVRTC.
  static final class Nvrtc implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return result(context, KernelCompiler.missing());
    }
  }
}
