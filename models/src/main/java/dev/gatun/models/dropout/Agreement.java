package dev.gatun.models.dropout;

/// The extra loss that draws two outputs of the same input together. Source: arXiv:2403.00812,
/// equations 11 and 12.
public enum Agreement {
  /// Half the sum of the KL divergences both ways between two passes with masks of their own.
  KL,
  /// The KL divergence from the masked pass to one without masks, D(P1 || P), which the paper calls
  /// JS.
  JS
}
