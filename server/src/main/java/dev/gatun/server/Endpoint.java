package dev.gatun.server;

import java.io.IOException;

/// Answers the requests of one route.
@FunctionalInterface
interface Endpoint {
  /// Answers a request.
  ///
  /// @throws ApiException if it is refused
  /// @throws ClientGoneException if nobody waits for the answer any more
  /// @throws IOException if the server's own files cannot be read
  void answer(Exchange exchange) throws IOException;
}
