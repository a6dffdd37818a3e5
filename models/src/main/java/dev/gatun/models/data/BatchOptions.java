package dev.gatun.models.data;

/// How examples are grouped.
///
/// @param rows rows of a forward pass; with packing a row is as many examples as fit into
///   `maxLength`
/// @param accumulation forward passes of an optimizer step
/// @param shuffle whether each epoch has its own random order; else the order is that of the data
///   and `bucket` and `pack` must be false
/// @param bucket whether examples of like length come together
/// @param pack whether examples share rows
/// @param maxLength tokens of a packed row
/// @param seed of the orders
public record BatchOptions(
    int rows,
    int accumulation,
    boolean shuffle,
    boolean bucket,
    boolean pack,
    int maxLength,
    long seed) {
  /// Checks the numbers.
  public BatchOptions {
    if (rows < 1 || accumulation < 1 || maxLength < 1) {
      throw new IllegalArgumentException(
          "batches: %d rows, accumulation %d, maximum length %d: expected positive numbers"
              .formatted(rows, accumulation, maxLength));
    }
    if (!shuffle && (bucket || pack)) {
      throw new IllegalArgumentException(
          "batches: found length bucketing or packing without shuffling, expected the data's own"
              + " order");
    }
  }

  /// Returns rows in random order with length bucketing.
  ///
  /// @param rows rows of a forward pass
  /// @param seed of the orders
  /// @return options without accumulation and packing
  public static BatchOptions shuffled(int rows, long seed) {
    return new BatchOptions(rows, 1, true, true, false, 1, seed);
  }

  /// Returns rows in the order of the data.
  ///
  /// @param rows rows of a forward pass
  /// @return options without accumulation and packing
  public static BatchOptions inOrder(int rows) {
    return new BatchOptions(rows, 1, false, false, false, 1, 0);
  }
}
