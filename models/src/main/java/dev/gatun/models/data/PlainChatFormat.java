package dev.gatun.models.data;

import java.util.ArrayList;
import java.util.List;

/// The format for models without a chat template of their own.
///
/// Each message is a line with its role, then its content on lines of its own:
///
/// ```
/// <|user|>
/// What is 2 + 2?
/// <|assistant|>
/// 4
/// ```
///
/// The content of an assistant's turn and the end-of-text token right behind it are trained;
/// nothing else is. The role lines are plain text: no token has to be added to the vocabulary.
public final class PlainChatFormat implements ChatFormat {
  /// Makes the format; it has no settings.
  public PlainChatFormat() {}

  @Override
  public List<ChatPiece> pieces(List<ChatMessage> messages) {
    return pieces(messages, true, new StringBuilder());
  }

  @Override
  public List<ChatPiece> prompt(List<ChatMessage> messages) {
    StringBuilder open = new StringBuilder();
    List<ChatPiece> pieces = pieces(messages, false, open);
    pieces.add(new ChatPiece(open + heading(ChatMessage.ASSISTANT), false, false));
    return pieces;
  }

  /// Returns the pieces up to the last assistant's turn and leaves the text behind it in `open`.
  private static List<ChatPiece> pieces(
      List<ChatMessage> messages, boolean trained, StringBuilder open) {
    List<ChatPiece> pieces = new ArrayList<>();
    for (ChatMessage message : messages) {
      open.append(heading(message.role()));
      if (message.isAssistant()) {
        pieces.add(new ChatPiece(open.toString(), false, false));
        pieces.add(new ChatPiece(message.content(), trained, true));
        open.setLength(0);
      } else {
        open.append(message.content());
      }
      open.append('\n');
    }
    return pieces;
  }

  @Override
  public boolean writesBos() {
    return false;
  }

  private static String heading(String role) {
    return "<|" + role + "|>\n";
  }
}
