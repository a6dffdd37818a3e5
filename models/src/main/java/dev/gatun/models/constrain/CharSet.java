package dev.gatun.models.constrain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A set of characters: sorted, disjoint ranges of Unicode code points, surrogates never among
/// them.
final class CharSet {
  static final CharSet NONE = new CharSet(new int[0]);
  static final CharSet ALL = of(0, Character.MAX_CODE_POINT);
  static final CharSet DIGITS = of('0', '9');

  private final int[] bounds; // first and last of each range, in turn

  private CharSet(int[] bounds) {
    this.bounds = bounds;
  }

  static CharSet of(int first, int last) {
    return NONE.plus(first, last);
  }

  static CharSet of(String characters) {
    return ofRanges(characters.codePoints().mapToObj(c -> new int[] {c, c}).toList());
  }

  /// Returns the characters of ranges `{first, last}`, which may overlap.
  static CharSet ofRanges(List<int[]> ranges) {
    List<int[]> parts = new ArrayList<>();
    for (int[] range : ranges) {
      if (range[0] < Character.MIN_SURROGATE) {
        parts.add(new int[] {range[0], Math.min(range[1], Character.MIN_SURROGATE - 1)});
      }
      if (range[1] > Character.MAX_SURROGATE) {
        parts.add(new int[] {Math.max(range[0], Character.MAX_SURROGATE + 1), range[1]});
      }
    }
    parts.sort(Comparator.comparingInt(part -> part[0]));
    int[] merged = new int[2 * parts.size()];
    int size = 0;
    for (int[] part : parts) {
      if (size > 0 && part[0] <= merged[size - 1] + 1) {
        merged[size - 1] = Math.max(merged[size - 1], part[1]);
      } else {
        merged[size++] = part[0];
        merged[size++] = part[1];
      }
    }
    return new CharSet(Arrays.copyOf(merged, size));
  }

  CharSet plus(int first, int last) {
    return plus(List.of(new int[] {first, last}));
  }

  CharSet plus(CharSet other) {
    return plus(other.ranges());
  }

  private CharSet plus(List<int[]> others) {
    List<int[]> all = new ArrayList<>(ranges());
    all.addAll(others);
    return ofRanges(all);
  }

  CharSet complement() {
    List<int[]> gaps = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      if (bounds[i] > from) {
        gaps.add(new int[] {from, bounds[i] - 1});
      }
      from = bounds[i + 1] + 1;
    }
    if (from <= Character.MAX_CODE_POINT) {
      gaps.add(new int[] {from, Character.MAX_CODE_POINT});
    }
    return ofRanges(gaps);
  }

  CharSet minus(CharSet other) {
    return complement().plus(other).complement();
  }

  CharSet and(CharSet other) {
    return minus(other.complement());
  }

  boolean contains(int character) {
    for (int i = 0; i < bounds.length; i += 2) {
      if (character >= bounds[i] && character <= bounds[i + 1]) {
        return true;
      }
    }
    return false;
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  /// Returns the ranges, `{first, last}` each.
  List<int[]> ranges() {
    List<int[]> ranges = new ArrayList<>(bounds.length / 2);
    for (int i = 0; i < bounds.length; i += 2) {
      ranges.add(new int[] {bounds[i], bounds[i + 1]});
    }
    return ranges;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CharSet set && Arrays.equals(bounds, set.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }
}
