package dev.gatun.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

/// What all endpoints of a model share.
///
/// @param adapters the names that requests can ask for
/// @param metrics what is counted
/// @param stopping whether the server can wait no longer
record Serving(Adapters adapters, Metrics metrics, BooleanSupplier stopping) {
  private static final int PIECE = 16 << 10; // about the 4096 tokens of an encoder's pass

  /// Takes texts to a model a pass's worth at a time, for as long as somebody waits for them.
  ///
  /// @param texts all texts of the request, whose body has been read
  /// @param length characters of a text
  /// @throws ClientGoneException if nobody waits for them any more
  /// @throws ApiException if it takes too long or the server stops
  /// @throws X what the model throws
  <T, X extends Exception> void inPieces(
      Exchange exchange, List<T> texts, ToIntFunction<T> length, Piece<T, X> piece) throws X {
    exchange.watch();
    try {
      List<T> next = new ArrayList<>();
      int characters = 0;
      for (T text : texts) {
        next.add(text);
        characters += length.applyAsInt(text);
        if (characters >= PIECE) {
          exchange.checkAwaited(stopping);
          piece.take(next);
          next = new ArrayList<>();
          characters = 0;
        }
      }
      if (!next.isEmpty()) {
        exchange.checkAwaited(stopping);
        piece.take(next);
      }
    } finally {
      metrics.whole((System.nanoTime() - exchange.began()) / 1e9);
    }
  }

  /// Takes some of a request's texts to a model.
  @FunctionalInterface
  interface Piece<T, X extends Exception> {
    void take(List<T> texts) throws X;
  }
}
