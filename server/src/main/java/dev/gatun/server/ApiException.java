package dev.gatun.server;

import dev.gatun.models.engine.EngineException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What a request is answered with in place of what it asked for, in OpenAI's form.
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String INVALID = "invalid_request_error";
  private static final String BAD_FRAMING = "bad_framing";

  private final int status;
  private final String type;
  private final @Nullable String param;
  private final @Nullable String code;

  private ApiException(
      int status, String type, @Nullable String param, @Nullable String code, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
  }

  /// The request says something that it may not.
  ///
  /// @param param the field that is to blame, or null for the request as a whole
  static ApiException invalid(@Nullable String param, String message) {
    return new ApiException(400, INVALID, param, null, message);
  }

  /// A field has a value that it may not have.
  static ApiException field(String name, String found, String expected) {
    return invalid(name, name + ": found " + found + ", expected " + expected);
  }

  /// The request asks for more than the model can hold.
  static ApiException tooLong(String param, @Nullable String message) {
    return new ApiException(
        400, INVALID, param, "context_length_exceeded", String.valueOf(message));
  }

  static ApiException noKey() {
    return new ApiException(
        401, INVALID, null, "invalid_api_key", "api key: found none or another, expected the key");
  }

  static ApiException forbidden(@Nullable String param, String message) {
    return new ApiException(403, "permission_error", param, "forbidden", message);
  }

  static ApiException noModel(String name) {
    return new ApiException(
        404,
        INVALID,
        "model",
        "model_not_found",
        "model: found " + name + ", expected one of /v1/models");
  }

  static ApiException notFound(@Nullable String param, String message) {
    return new ApiException(404, INVALID, param, "not_found", message);
  }

  static ApiException method(String found) {
    return new ApiException(
        405, INVALID, null, "method_not_allowed", "method: found " + found + ", expected another");
  }

  static ApiException badFraming() {
    return new ApiException(400, INVALID, null, BAD_FRAMING, "body: found no chunk, expected one");
  }

  static ApiException slowBody() {
    return new ApiException(
        408,
        "timeout_error",
        null,
        "request_timeout",
        "body: found a part, expected all of it sooner");
  }

  static ApiException largeBody(int most) {
    return new ApiException(
        413,
        INVALID,
        null,
        "request_too_large",
        "body: found more bytes, expected at most " + most);
  }

  static ApiException internal() {
    return new ApiException(
        500, "server_error", null, "internal_error", "internal error: the server's log has it");
  }

  static ApiException stopping() {
    return new ApiException(
        503, "server_error", null, "unavailable", "the server is about to stop");
  }

  static ApiException late(long seconds) {
    return new ApiException(
        504,
        "timeout_error",
        null,
        "deadline_exceeded",
        "answer: not ready, expected within " + seconds + " seconds");
  }

  static ApiException of(EngineException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e.kind()) {
      case BUSY -> new ApiException(429, "rate_limit_error", null, "queue_full", message);
      case ADAPTER -> new ApiException(404, INVALID, "model", "model_not_found", message);
      case CONSTRAINT -> invalid(null, message);
      case CLOSED -> stopping();
      case FAILED -> new ApiException(500, "server_error", null, "generation_failed", message);
    };
  }

  int status() {
    return status;
  }

  /// Returns whether the connection cannot go on: the rest of the request was not read.
  boolean endsConnection() {
    return status == 408 || status == 413 || BAD_FRAMING.equals(code);
  }

  /// Returns `{"error": ...}`.
  ObjectNode json() {
    ObjectNode all = Json.object();
    ObjectNode error = all.putObject("error");
    error.put("message", getMessage());
    error.put("type", type);
    error.put("param", param);
    error.put("code", code);
    return all;
  }
}
