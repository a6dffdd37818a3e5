package dev.gatun.models.data;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Best-fit packing: each example goes into the fullest row that still has room for it.
///
/// Source: Ding et al. 2024, "Fewer Truncations Improve Language Modeling", arXiv:2404.10830,
/// without its segment tree.
final class RowPacker {
  private final int maxLength;
  private final List<List<Integer>> rows = new ArrayList<>();

  /// Rows by the room they have left, in tokens.
  private final TreeMap<Integer, ArrayDeque<List<Integer>>> open = new TreeMap<>();

  RowPacker(int maxLength) {
    this.maxLength = maxLength;
  }

  /// Adds an example of `length` tokens; one longer than a row gets a row of its own.
  void add(int example, int length) {
    List<Integer> row;
    int room;
    Map.Entry<Integer, ArrayDeque<List<Integer>>> best = open.ceilingEntry(length);
    if (best == null) {
      row = new ArrayList<>();
      rows.add(row);
      room = maxLength;
    } else {
      row = best.getValue().removeFirst();
      room = best.getKey();
      if (best.getValue().isEmpty()) {
        open.remove(best.getKey());
      }
    }
    row.add(example);
    if (room > length) {
      open.computeIfAbsent(room - length, r -> new ArrayDeque<>()).addLast(row);
    }
  }

  List<int[]> rows() {
    return rows.stream().map(row -> row.stream().mapToInt(i -> i).toArray()).toList();
  }
}
