package dev.gatun.cli;

import org.jspecify.annotations.Nullable;

/// Where a conversation is held.
interface ChatConsole extends AutoCloseable {
  /// Returns the next line that was typed; null at the end.
  ///
  /// @param more whether the line goes on with one before it
  @Nullable String read(boolean more);

  /// Writes a piece of an answer.
  void answer(String piece);

  /// Ends an answer.
  void endAnswer();

  /// Says something that is no answer.
  void note(String line);

  /// Runs something whenever the user wants an answer to end, until it runs something else.
  void onInterrupt(Runnable action);

  @Override
  void close();
}
