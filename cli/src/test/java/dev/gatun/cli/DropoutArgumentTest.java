package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.dropout.Dropout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutArgumentTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "none",
        "hiddenkey-minus",
        "hiddenkey-minus:p_key=0,p_hidden=0.2",
        "hiddenkey:p=0.05,lambda=0.5,both=true",
        "hiddenkey:lambda=0",
        "dropkey:p=0.3,layers=all",
        "hiddencut:p=0.2"
      })
  void whatIsWrittenReadsBackAsTheSameMethod(String text) {
    DropoutArgument argument = new DropoutArgument();
    Dropout method = argument.convert(text);
    assertThat(argument.convert(DropoutArgument.text(method))).isEqualTo(method);
  }
}
