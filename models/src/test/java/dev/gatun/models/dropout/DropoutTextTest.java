package dev.gatun.models.dropout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutTextTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "none",
        "hiddenkey-minus",
        "hiddenkey-minus:p=0.05,p_hidden=0.2",
        "hiddenkey:p=0.05,lambda=0.5,both=true",
        "hiddenkey:lambda=0",
        "hiddenkey:loss=js,lambda=2",
        "dropkey:p=0.3,layers=all",
        "dropattention:p=0.2",
        "hiddencut:p=0.2",
        "lora-dropout:p=0.3,n=6",
        "weight-span/normalised@0.1-falling+output@0.2",
        "key-element@0.3-rising+hidden-column/inverted@0.1:layers=all,n=2",
        "branch@0.1+adapter@0.2+input-span@0.15"
      })
  void whatIsWrittenReadsBackAsTheSameMethod(String text) {
    Dropout method = DropoutText.parse(text);
    assertThat(DropoutText.parse(DropoutText.of(method))).isEqualTo(method);
  }

  @Test
  void shortFormsSayEveryPart() {
    assertThat(DropoutText.parse("weight-span/normalised@0.1-falling:loss=js,lambda=2,layers=all"))
        .isEqualTo(
            Dropout.of(
                    new Mask(
                        Position.WEIGHT, Pattern.SPAN, 0.1, Depth.FALLING, Rescaling.NORMALISED))
                .withAgreement(Agreement.JS, 2)
                .withLayers(Dropout.Layers.ALL));
    assertThat(DropoutText.parse("key@0.1+hidden@0.2")).isEqualTo(Dropout.hiddenKeyMinus(0.1, 0.2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dropouts | found 'dropouts', expected none, hiddenkey-minus",
        "key@x | key: found 'x', expected a number",
        "keys@0.1 | position: found 'keys', expected key, weight, hidden",
        "key-row@0.1 | pattern: found 'row', expected element, column, span",
        "key/inverted@0.1 | key: found inverted, expected none",
        "key@0.1+key@0.2 | dropout: found two masks for KEY, expected one",
        "key@1 | key: found rate 1.0, expected 0 <= p < 1",
        "key@0.1+hidden | found 'hidden', expected POSITION@RATE",
        "hiddenkey:q=1 | found 'q', expected p, p_key, p_hidden",
        "hiddenkey:loss=l2 | loss: found 'l2', expected kl, js",
        "lora-dropout:n=0 | instances: found 0, expected 1 to 100",
        "branch-column@0.1 | branch: found column, expected element"
      })
  void whatIsNoMethodIsRefusedInOneLine(String text, String message) {
    assertThatThrownBy(() -> DropoutText.parse(text)).hasMessageStartingWith(message);
  }

  @Test
  void layersAreTheUsualOnesUnlessTheTextNamesThem() {
    assertThat(DropoutText.parse("dropkey", Dropout.Layers.ALL).layers())
        .isEqualTo(Dropout.Layers.ALL);
    assertThat(DropoutText.parse("dropkey:layers=latter-half", Dropout.Layers.ALL).layers())
        .isEqualTo(Dropout.Layers.LATTER_HALF);
    assertThat(DropoutText.parse("key@0.1").layers()).isEqualTo(Dropout.Layers.LATTER_HALF);
  }
}
