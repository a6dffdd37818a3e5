package dev.gatun.templates;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.util.Locale;

/// Python's `strftime` of a time without a zone, in the C locale.
final class Strftime {
  private Strftime() {}

  static String format(LocalDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      boolean unpadded = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += unpadded ? 2 : 1;
      String field = field(time, format.charAt(i));
      out.append(unpadded ? field.replaceFirst("^[0 ]+(?=.)", "") : field);
    }
    return out.toString();
  }

  private static String field(LocalDateTime time, char field) {
    return switch (field) {
      case 'Y' -> with(time, "uuuu");
      case 'y' -> with(time, "uu");
      case 'm' -> with(time, "MM");
      case 'B' -> with(time, "MMMM");
      case 'b', 'h' -> with(time, "MMM");
      case 'd' -> with(time, "dd");
      case 'e' -> "%2d".formatted(time.getDayOfMonth());
      case 'j' -> with(time, "DDD");
      case 'A' -> with(time, "EEEE");
      case 'a' -> with(time, "EEE");
      case 'u' -> String.valueOf(time.getDayOfWeek().getValue());
      case 'w' -> String.valueOf(time.getDayOfWeek().getValue() % 7);
      case 'H' -> with(time, "HH");
      case 'I' -> with(time, "hh");
      case 'p' -> time.get(ChronoField.AMPM_OF_DAY) == 0 ? "AM" : "PM";
      case 'M' -> with(time, "mm");
      case 'S' -> with(time, "ss");
      case 'f' -> with(time, "SSSSSS");
      case 'F' -> with(time, "uuuu-MM-dd");
      case 'T', 'X' -> with(time, "HH:mm:ss");
      case 'R' -> with(time, "HH:mm");
      case 'D', 'x' -> with(time, "MM/dd/uu");
      case 'z', 'Z' -> "";
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      default ->
          throw new TemplateException(
              "strftime_now: found %" + field + ", expected another field of a date or time");
    };
  }

  private static String with(LocalDateTime time, String pattern) {
    return time.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH));
  }
}
