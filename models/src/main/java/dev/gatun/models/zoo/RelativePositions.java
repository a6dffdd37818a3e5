package dev.gatun.models.zoo;

/// DeBERTa's relative positions: how far a query is from a key, as a row of the table of relative
/// embeddings.
///
/// Distances below half the buckets have a row each; greater ones share rows, on a logarithmic
/// scale up to the greatest distance. Source: He et al., arXiv:2111.09543, and transformers,
/// `make_log_bucket_position`, whose f32 rounding decides which row a distance on a boundary has.
///
/// @param buckets rows for each direction, or 0 for a row for each distance
/// @param farthest greatest distance
record RelativePositions(int buckets, int farthest) {
  /// Rows for each direction.
  int span() {
    return buckets > 0 ? buckets : farthest;
  }

  /// Returns the rows for T queries and T keys, `(T, T)` by query.
  long[] rows(int tokens) {
    long[] byDistance = new long[2 * tokens - 1];
    for (int i = 0; i < byDistance.length; i++) {
      byDistance[i] = row(i - tokens + 1);
    }
    long[] rows = new long[tokens * tokens];
    for (int query = 0; query < tokens; query++) {
      for (int key = 0; key < tokens; key++) {
        rows[query * tokens + key] = byDistance[query - key + tokens - 1];
      }
    }
    return rows;
  }

  /// Returns the row of a query that is so many tokens after its key.
  int row(int distance) {
    int near = buckets > 0 ? bucket(distance) : distance;
    return Math.clamp(near + span(), 0, 2 * span() - 1);
  }

  private int bucket(int distance) {
    int middle = buckets / 2;
    int size = Math.abs(distance);
    if (size <= middle) {
      return distance;
    }
    float ratio = log((float) size / middle) / log((float) ((farthest - 1) / (double) middle));
    return Integer.signum(distance) * ((int) Math.ceil(ratio * (middle - 1)) + middle);
  }

  private static float log(float x) {
    return (float) Math.log(x);
  }
}
