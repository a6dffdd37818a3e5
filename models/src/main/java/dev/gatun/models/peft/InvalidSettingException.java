package dev.gatun.models.peft;

import java.io.Serial;

/// A setting whose value cannot be used. The message is one line, `PLACE: found X, expected Y`.
public final class InvalidSettingException extends IllegalArgumentException {
  @Serial private static final long serialVersionUID = 1L;

  /// The setting.
  private final String place;

  /// What is there.
  private final String found;

  /// What should be.
  private final String expected;

  /// Describes one fault.
  ///
  /// @param place name of the setting, as PEFT spells it
  /// @param found its value
  /// @param expected what would do
  public InvalidSettingException(String place, String found, String expected) {
    super(place + ": found " + found + ", expected " + expected);
    this.place = place;
    this.found = found;
    this.expected = expected;
  }

  /// Returns the name of the setting.
  ///
  /// @return for example `lora_dropout`
  public String place() {
    return place;
  }

  /// Returns the value that cannot be used.
  ///
  /// @return the value as text
  public String found() {
    return found;
  }

  /// Returns what would do.
  ///
  /// @return a phrase
  public String expected() {
    return expected;
  }
}
