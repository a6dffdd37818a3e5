package dev.gatun.cli;

/// Options that contradict each other or what they name; exit status 2.
final class RefusedException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  RefusedException(String message) {
    super(message);
  }
}
