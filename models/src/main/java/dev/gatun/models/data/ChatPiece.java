package dev.gatun.models.data;

/// A stretch of a conversation as the model sees it.
///
/// Pieces are encoded one by one, so that no token lies across the border of what is learnt.
///
/// @param text the text, with special tokens written out
/// @param trained whether its tokens are learnt
/// @param ended whether the end-of-text token follows; it is learnt if the text is
public record ChatPiece(String text, boolean trained, boolean ended) {}
