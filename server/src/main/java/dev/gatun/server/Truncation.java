package dev.gatun.server;

/// What becomes of texts with more tokens than a model reads, by vLLM's `truncate_prompt_tokens`.
final class Truncation {
  private static final String FIELD = "truncate_prompt_tokens";

  private Truncation() {}

  /// Returns whether they are cut at their ends; else they are refused.
  static boolean read(JsonFields fields) {
    return fields.has(FIELD) && fields.integer(FIELD, -1, -1, -1) == -1;
  }

  /// Returns what a text that is not cut is refused with.
  static String refusal(int most) {
    return "input: found a text of more tokens, expected at most %d, or %s -1 to cut it"
        .formatted(most, FIELD);
  }
}
