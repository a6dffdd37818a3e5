package dev.gatun.models.data;

import java.util.List;
import java.util.stream.IntStream;

/// How a model's conversations are written.
///
/// Training and generation go through the same format, so that a model is asked in the form it has
/// learnt.
public interface ChatFormat {
  /// Writes a conversation out for training. Only the assistant's turns are trained, each with the
  /// token that ends it.
  ///
  /// What comes after the last trained piece may be left out, since nothing is learnt from it.
  ///
  /// @param messages at least one message
  /// @return the pieces in order
  /// @throws IllegalArgumentException if the format does not take such a conversation
  List<ChatPiece> pieces(List<ChatMessage> messages);

  /// Writes a conversation out up to where the assistant's next turn begins.
  ///
  /// @param messages at least one message
  /// @return the pieces to generate from, none of them trained
  /// @throws IllegalArgumentException if the format does not take such a conversation
  List<ChatPiece> prompt(List<ChatMessage> messages);

  /// Encodes a conversation up to where the assistant's next turn begins.
  ///
  /// @param tokenizer the model's
  /// @param messages at least one message
  /// @return the ids to generate from, the beginning token in front where the model's texts have it
  default int[] promptIds(Tokenizer tokenizer, List<ChatMessage> messages) {
    IntStream.Builder ids = IntStream.builder();
    if (tokenizer.beginsDocuments() && !writesBos()) {
      ids.add(tokenizer.bosId().orElseThrow());
    }
    for (ChatPiece piece : prompt(messages)) {
      for (int id : tokenizer.encode(piece.text())) {
        ids.add(id);
      }
      if (piece.ended()) {
        tokenizer.eosId().ifPresent(ids::add);
      }
    }
    return ids.build().toArray();
  }

  /// Returns whether the texts are whole as to the beginning token, which is then not put in front.
  ///
  /// @return true for most templates that come with a model
  boolean writesBos();
}
