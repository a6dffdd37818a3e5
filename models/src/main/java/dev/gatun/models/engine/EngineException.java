package dev.gatun.models.engine;

/// An [Engine] refuses or gives up a request; its message says why.
public final class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// What kind of reason it was.
  public enum Kind {
    /// The queue is full: ask again later.
    BUSY,
    /// The engine is closed or about to be.
    CLOSED,
    /// There is no such adapter, or no more, or its files have changed.
    ADAPTER,
    /// No token fits what the text must be.
    CONSTRAINT,
    /// A pass failed; the engine goes on.
    FAILED
  }

  /// The kind of reason.
  private final Kind kind;

  EngineException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  EngineException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /// {@return the kind of reason}
  public Kind kind() {
    return kind;
  }
}
