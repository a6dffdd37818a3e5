package dev.gatun.cli;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Checks the text of a dropout method, see [DropoutText]. Which layers it masks where it does not
/// say so is known when the model is.
final class DropoutArgument implements ITypeConverter<String> {
  @Override
  public String convert(String text) {
    try {
      of(text, true);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
    return text;
  }

  /// Returns the method: in the latter half of a decoder's layers and in all of an encoder's, as
  /// HiddenKey's paper has it, unless the text says otherwise.
  static Dropout of(String text, boolean causal) {
    return DropoutText.parse(text, causal ? Dropout.Layers.LATTER_HALF : Dropout.Layers.ALL);
  }
}
