package dev.gatun.models.dropout;

/// Where a dropout method masks.
///
/// Source: "LoRA Meets Dropout under a Unified Framework", arXiv:2403.00812, section 3 and figure
/// 1; BRANCH is LoRA's own dropout (arXiv:2106.09685), ADAPTER LoRA Dropout's (arXiv:2404.09610).
public enum Position {
  /// Attention scores, after scaling and before the softmax: DropKey.
  KEY,
  /// Attention weights, after the softmax: DropAttention.
  WEIGHT,
  /// The output of each feed-forward block, before the residual: HiddenCut.
  HIDDEN,
  /// The model's input embeddings.
  INPUT,
  /// The representation that the head reads.
  OUTPUT,
  /// The input of each adapter's low-rank branch; the frozen path sees it undropped. DoRA's scaled
  /// path sees it dropped, as in DoRA's own code: y = W x + (c - 1) ⊙ W z + c ⊙ s B A z.
  BRANCH,
  /// The adapter's weights: columns of A and rows of B. With DoRA, which that paper does not treat,
  /// the masked change is what the row norms are taken of, so that rows keep their trained lengths.
  ADAPTER;

  /// {@return whether the method's choice of layers applies}
  boolean isOfLayers() {
    return this == KEY || this == WEIGHT || this == HIDDEN;
  }
}
