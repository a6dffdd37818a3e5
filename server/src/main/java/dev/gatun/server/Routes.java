package dev.gatun.server;

import dev.gatun.models.engine.EngineException;
import dev.gatun.server.ServerOptions.Limits;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/// Brings requests to their endpoints: past the guard, counted, and with every failure answered.
final class Routes {
  private static final System.Logger LOG = System.getLogger(Routes.class.getName());
  private static final int CLIENT_GONE = 499; // nginx's number, for the log alone

  private final HttpRouting.Builder routing = HttpRouting.builder();
  private final Sockets sockets;
  private final Guard guard;
  private final Metrics metrics;
  private final Limits limits;
  private final AtomicInteger running = new AtomicInteger();
  private volatile boolean draining;

  Routes(Sockets sockets, Guard guard, Metrics metrics, Limits limits) {
    this.sockets = sockets;
    this.guard = guard;
    this.metrics = metrics;
    this.limits = limits;
  }

  /// Adds a route that anybody may ask, at any time.
  Routes open(Method method, String path, Endpoint endpoint) {
    return add(
        method,
        path,
        exchange -> {
          guard.checkOrigin(exchange);
          endpoint.answer(exchange);
        });
  }

  /// Adds a route for those who have the key, until the server stops.
  Routes keyed(Method method, String path, Endpoint endpoint) {
    return add(
        method,
        path,
        exchange -> {
          guard.checkOrigin(exchange);
          guard.checkKey(exchange);
          running.incrementAndGet();
          try {
            if (draining) {
              throw ApiException.stopping();
            }
            endpoint.answer(exchange);
          } finally {
            running.decrementAndGet();
          }
        });
  }

  private Routes add(Method method, String path, Endpoint endpoint) {
    routing.route(method, path, (request, response) -> serve(path, endpoint, request, response));
    routing.route(
        Method.OPTIONS,
        path,
        (request, response) -> serve(path, this::preflight, request, response));
    routing.any(path, (request, response) -> serve(path, Routes::refuseMethod, request, response));
    return this;
  }

  private void preflight(Exchange exchange) {
    guard.checkOrigin(exchange);
    guard.preflight(exchange);
  }

  private static void refuseMethod(Exchange exchange) {
    throw ApiException.method(exchange.request().prologue().method().text());
  }

  /// Returns the routes, all others answered with 404.
  HttpRouting.Builder routing() {
    routing.any((request, response) -> serve("other", Routes::refusePath, request, response));
    return routing;
  }

  /// Returns what answers requests for what this model cannot do.
  ///
  /// @param what what is asked for
  /// @param expected where it could be had
  static Endpoint lacking(String what, String expected) {
    return exchange -> {
      throw ApiException.notFound("model", what + ": found none here, expected " + expected);
    };
  }

  private static void refusePath(Exchange exchange) {
    throw ApiException.notFound(null, "path: found no such, expected one of /v1");
  }

  /// Takes no more requests for what has a key.
  void drain() {
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /// Returns how many such requests are not answered yet.
  int running() {
    return running.get();
  }

  private void serve(
      String path, Endpoint endpoint, ServerRequest request, ServerResponse response) {
    Exchange exchange = new Exchange(request, response, sockets, limits);
    int status = CLIENT_GONE;
    try {
      answer(endpoint, exchange);
      status = exchange.status();
    } catch (ClientGoneException e) {
      throw new CloseConnectionException("the client is gone", e);
    } catch (CloseConnectionException e) {
      status = exchange.status();
      throw e;
    } finally {
      metrics.answered(path, status);
    }
  }

  private static void answer(Endpoint endpoint, Exchange exchange) {
    try {
      endpoint.answer(exchange);
    } catch (ApiException e) {
      exchange.fail(e);
    } catch (EngineException e) {
      exchange.fail(ApiException.of(e));
    } catch (ClientGoneException | CloseConnectionException e) {
      throw e;
    } catch (RuntimeException | IOException e) {
      LOG.log(System.Logger.Level.ERROR, "a request failed", e);
      exchange.fail(ApiException.internal());
    }
  }
}
