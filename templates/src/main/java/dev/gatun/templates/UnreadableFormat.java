package dev.gatun.templates;

import dev.gatun.models.data.ChatFormat;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.data.ChatPiece;
import java.util.List;

/// The format of a model whose template cannot be read: refuses every conversation.
///
/// @param reason what is wrong with the template
record UnreadableFormat(String reason) implements ChatFormat {
  @Override
  public List<ChatPiece> pieces(List<ChatMessage> messages) {
    throw new TemplateException(reason);
  }

  @Override
  public List<ChatPiece> prompt(List<ChatMessage> messages) {
    throw new TemplateException(reason);
  }

  @Override
  public boolean writesBos() {
    return true;
  }
}
