package dev.gatun.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FiguresTest {
  @Test
  void numbersHaveFourDigits() {
    assertThat(Figures.of(2.51949)).isEqualTo("2.519");
    assertThat(Figures.of(-12.4149)).isEqualTo("−12.41");
    assertThat(Figures.of(9.99999)).isEqualTo("10.00");
    assertThat(Figures.of(0.0028934)).isEqualTo("0.002893");
    assertThat(Figures.of(59_874.1)).isEqualTo("59,874");
    assertThat(Figures.of(2e-4)).isEqualTo("2e−4");
    assertThat(Figures.of(1.23456e38)).isEqualTo("1.235e38");
    assertThat(Figures.of(0)).isEqualTo("0");
    assertThat(Figures.of(Double.NaN)).isEqualTo("not a number");
    assertThat(Figures.trimmed(2.4)).isEqualTo("2.4");
    assertThat(Figures.trimmed(3)).isEqualTo("3");
    assertThat(Figures.trimmed(600)).isEqualTo("600");
  }

  @Test
  void unitsAreChosenBySize() {
    assertThat(Figures.bytes(0)).isEqualTo("0 B");
    assertThat(Figures.bytes(1536)).isEqualTo("1.50 KiB");
    assertThat(Figures.bytes(312L << 20)).isEqualTo("312 MiB");
    assertThat(Figures.bytes(Long.MAX_VALUE)).isEqualTo("8.00 EiB");
    assertThat(Figures.duration(12.34)).isEqualTo("12.3 s");
    assertThat(Figures.duration(59.97)).isEqualTo("1 min 00 s");
    assertThat(Figures.duration(7500)).isEqualTo("2 h 05 min");
    assertThat(Figures.percent(98_304, 4_213_760)).isEqualTo("2.33 %");
    assertThat(Figures.percent(1, 0)).isEmpty();
  }
}
