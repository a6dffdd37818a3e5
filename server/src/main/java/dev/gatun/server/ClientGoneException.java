package dev.gatun.server;

/// The other side has closed the connection, or does not read what it is sent.
final class ClientGoneException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ClientGoneException() {
    super("the client is gone", null, false, false);
  }

  ClientGoneException(Throwable cause) {
    super("the client is gone", cause, false, false);
  }
}
