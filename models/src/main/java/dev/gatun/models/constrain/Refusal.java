package dev.gatun.models.constrain;

/// Makes the errors for grammars that are not taken: one line each, whatever the input holds.
final class Refusal {
  private static final int MAX_LENGTH = 120;

  private Refusal() {}

  static IllegalArgumentException of(String place, String found, String expected) {
    return new IllegalArgumentException(
        oneLine(place) + ": found " + oneLine(found) + ", expected " + expected);
  }

  /// Escapes what would break the line or hide text, and cuts.
  private static String oneLine(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (line.length() >= MAX_LENGTH) {
        return line.append("...").toString();
      }
      char c = text.charAt(i);
      boolean printable =
          switch (Character.getType(c)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                false;
            default -> true;
          };
      line.append(printable ? String.valueOf(c) : String.format("\\u%04x", (int) c));
    }
    return line.toString();
  }
}
