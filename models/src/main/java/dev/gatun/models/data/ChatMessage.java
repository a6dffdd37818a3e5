package dev.gatun.models.data;

/// One message of a conversation.
///
/// @param role `system`, `user`, `assistant` or `tool`
/// @param content what was said
public record ChatMessage(String role, String content) {
  /// The role whose messages are learnt.
  public static final String ASSISTANT = "assistant";

  /// Returns whether this message is one the model is to learn.
  ///
  /// @return true for the assistant's
  public boolean isAssistant() {
    return role.equals(ASSISTANT);
  }
}
