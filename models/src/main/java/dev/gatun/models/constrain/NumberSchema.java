package dev.gatun.models.constrain;

import dev.gatun.models.constrain.DecimalRange.Bound;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/// What a JSON Schema says about numbers: its bounds.
final class NumberSchema {
  private static final long MOST = 999_999_999_999_999_999L; // 18 digits
  private static final long USUAL = 9_999_999_999_999_999L; // 16: as other numbers

  private NumberSchema() {}

  /// Returns what takes the whole numbers between a schema's bounds.
  static Expr integer(Schema schema) {
    long low = -MOST - 1;
    long high = MOST + 1;
    if (schema.has("minimum")) {
      low = whole(schema.in("minimum"), RoundingMode.CEILING);
    }
    if (schema.has("exclusiveMinimum")) {
      low = Math.max(low, whole(schema.in("exclusiveMinimum"), RoundingMode.FLOOR) + 1);
    }
    if (schema.has("maximum")) {
      high = whole(schema.in("maximum"), RoundingMode.FLOOR);
    }
    if (schema.has("exclusiveMaximum")) {
      high = Math.min(high, whole(schema.in("exclusiveMaximum"), RoundingMode.CEILING) - 1);
    }
    // an open side ends where other numbers do, unless the other side is beyond
    long least = low >= -MOST ? low : high < -USUAL ? -MOST : -USUAL;
    long most = high <= MOST ? high : low > USUAL ? MOST : USUAL;
    if (least > most || least > MOST || most < -MOST) {
      throw schema.wrong("no whole number in its range", "one of at most 18 digits");
    }
    return IntegerRange.of(least, most);
  }

  /// Returns a bound as a whole number; one step beyond 18 digits stands for all that are larger.
  private static long whole(Schema bound, RoundingMode rounding) {
    if (!bound.node().isNumber()) {
      throw bound.wrong("a number");
    }
    double size = bound.node().doubleValue();
    if (Math.abs(size) > MOST) {
      return size < 0 ? -MOST - 1 : MOST + 1;
    }
    return bound.node().decimalValue().setScale(0, rounding).longValueExact();
  }

  /// Returns what takes the numbers between a schema's bounds, or null if it has none.
  static @Nullable Expr number(Schema schema) {
    Bound low = narrower(bound(schema, "minimum"), bound(schema, "exclusiveMinimum"), 1);
    Bound high = narrower(bound(schema, "maximum"), bound(schema, "exclusiveMaximum"), -1);
    if (low == null && high == null) {
      return null;
    }
    Expr range = DecimalRange.of(low, high);
    if (range == null) {
      throw schema.wrong("no number in its range", "one of at most 16 digits");
    }
    return range;
  }

  private static @Nullable Bound bound(Schema schema, String keyword) {
    if (!schema.has(keyword)) {
      return null;
    }
    Schema bound = schema.in(keyword);
    if (!bound.node().isNumber()) {
      throw bound.wrong("a number");
    }
    double size = Math.abs(bound.node().doubleValue());
    if (size > USUAL || (size != 0 && size < 1e-16)) {
      throw bound.wrong("a bound of at most 16 digits on each side of the point");
    }
    BigDecimal value = bound.node().decimalValue();
    if (value.stripTrailingZeros().scale() > JsonRules.MAX_DIGITS) {
      throw bound.wrong("a bound of at most 16 digits on each side of the point");
    }
    return new Bound(value, keyword.startsWith("exclusive"));
  }

  private static @Nullable Bound narrower(@Nullable Bound closed, @Nullable Bound open, int sign) {
    if (closed == null || open == null) {
      return closed == null ? open : closed;
    }
    return sign * closed.value().compareTo(open.value()) > 0 ? closed : open;
  }
}
