package dev.gatun.bindings.load;

import java.util.List;

/// libtorch could not be found, unpacked or opened. The message is one line: what failed, where,
/// what was found and wanted, and the flag or variable that changes it.
///
/// Like every [LinkageError] it is not meant to be caught and survived, except by a program that
/// only reports on its surroundings.
public final class LibTorchLinkError extends LinkageError {
  private static final long serialVersionUID = 1L;

  private final transient List<LibTorch.Step> steps;

  LibTorchLinkError(String message, List<LibTorch.Step> steps, Throwable cause) {
    super(message, cause);
    this.steps = List.copyOf(steps);
  }

  LibTorchLinkError(String message, List<LibTorch.Step> steps) {
    super(message);
    this.steps = List.copyOf(steps);
  }

  /// Returns the places looked at before the failure, in search order.
  ///
  /// @return the steps of the search, the failed one last; empty after deserialisation
  public List<LibTorch.Step> steps() {
    return steps == null ? List.of() : steps;
  }
}
