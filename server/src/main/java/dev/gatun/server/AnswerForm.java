package dev.gatun.server;

import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.GenerationEvent.Token;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// How one of the API's two forms writes the choices of an answer. One for each request.
interface AnswerForm {
  /// Logarithms below are told as this: JSON has no infinity.
  double LEAST_LOGPROB = -9999;

  /// Returns what the answer's id begins with.
  String prefix();

  /// Returns the `object` of an answer, or of a part of a streamed one.
  String object(boolean streamed);

  /// Writes what a streamed choice begins with, or returns null if that is nothing.
  ///
  /// @param index the choice's number, over all prompts
  @Nullable ObjectNode begin(int index);

  /// Writes more of a streamed choice.
  ///
  /// @param text what comes next
  /// @param tokens its tokens
  ObjectNode more(int index, String text, List<Token> tokens);

  /// Writes the end of a streamed choice.
  ObjectNode end(int index, FinishReason reason);

  /// Writes a choice as a whole.
  ObjectNode whole(int index, String text, List<Token> tokens, FinishReason reason);

  /// Returns the word for an end.
  static String word(FinishReason reason) {
    return switch (reason) {
      case STOP -> "stop";
      case LENGTH -> "length";
      case CANCELLED -> "abort"; // vLLM's word: OpenAI has none
    };
  }
}
