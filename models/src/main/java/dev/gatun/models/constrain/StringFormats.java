package dev.gatun.models.constrain;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The formats of strings that a JSON Schema may ask for, as regular expressions: RFC 3339 for
/// dates and times, leap years included and leap seconds not; RFC 4122; the usual part of RFC 5321.
final class StringFormats {
  private static final String DATE =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
          + "|02-(?:0[1-9]|1\\d|2[0-8]))|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])"
          + "|(?:[02468][048]|[13579][26])00)-02-29)";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-7]):[0-5]\\d)";
  private static final Map<String, String> REGEXES =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
          "email",
          "[A-Za-z0-9_%+-]{1,32}(?:\\.[A-Za-z0-9_%+-]{1,31}){0,1}"
              + "@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){1,3}[A-Za-z]{2,24}");

  private StringFormats() {}

  /// Returns the expression of a format, or null if it is not known.
  static @Nullable String regex(String format) {
    return REGEXES.get(format);
  }

  /// Returns the known formats, for messages.
  static String names() {
    return String.join(", ", REGEXES.keySet().stream().sorted().toList());
  }
}
