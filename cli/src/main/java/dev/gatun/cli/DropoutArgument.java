package dev.gatun.cli;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Reads a dropout method, see [DropoutText].
final class DropoutArgument implements ITypeConverter<Dropout> {
  @Override
  public Dropout convert(String text) {
    try {
      return DropoutText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
