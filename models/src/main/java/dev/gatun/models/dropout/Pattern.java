package dev.gatun.models.dropout;

/// Which elements are dropped together. Source: arXiv:2403.00812, figure 2.
public enum Pattern {
  /// Each by itself: a query and a key of a head, a token and a channel.
  ELEMENT,
  /// A key for all queries of a head, a token with all its channels, a column of A or a row of B.
  COLUMN,
  /// One run of keys or tokens for each sequence (and head): round(p L) of its L, from a place that
  /// is drawn uniformly. The paper does not give the rule of its length; this is the natural one.
  SPAN
}
