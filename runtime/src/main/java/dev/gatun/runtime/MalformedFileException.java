package dev.gatun.runtime;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/// A file that breaks the rules of its format: weights, shard index, configuration, tokenizer,
/// adapter or data.
///
/// The message is always one line, `FILE: PLACE: found X, expected Y`: control characters that came
/// from the file are escaped and long values are cut.
public final class MalformedFileException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  private static final int MAX_LENGTH = 300;

  /// The file.
  private final String file;

  /// Where in it.
  private final String place;

  /// What is there.
  private final String found;

  /// What should be.
  private final String expected;

  /// Describes one fault.
  ///
  /// @param file the malformed file
  /// @param place where in it: a key, a tensor, a line, a byte
  /// @param found what is there
  /// @param expected what the format asks for
  public MalformedFileException(Path file, String place, String found, String expected) {
    this(oneLine(file.toString()), oneLine(place), oneLine(found), oneLine(expected));
  }

  private MalformedFileException(String file, String place, String found, String expected) {
    super(file + ": " + place + ": found " + found + ", expected " + expected);
    this.file = file;
    this.place = place;
    this.found = found;
    this.expected = expected;
  }

  /// Returns the malformed file, as its opener named it.
  ///
  /// @return a path
  public String file() {
    return file;
  }

  /// Returns where in the file the fault is.
  ///
  /// @return a key, a tensor, a line or a byte
  public String place() {
    return place;
  }

  /// Returns what is at the place.
  ///
  /// @return one line
  public String found() {
    return found;
  }

  /// Returns what the format asks for at the place.
  ///
  /// @return one line
  public String expected() {
    return expected;
  }

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
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                false;
            default -> true;
          };
      if (printable) {
        line.append(c);
      } else {
        line.append(String.format("\\u%04x", (int) c));
      }
    }
    return line.toString();
  }
}
