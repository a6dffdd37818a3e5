package dev.gatun.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.cli.report.Series.Look;
import dev.gatun.cli.report.Series.Point;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

class LineChartTest {
  private static final Axis STEPS = Axis.exact(1, 10_000, 8);

  private static Series line(int steps, java.util.function.IntToDoubleFunction value) {
    return new Series(
        "line",
        Look.MAIN,
        IntStream.rangeClosed(1, steps)
            .mapToObj(i -> new Point(i, value.applyAsDouble(i)))
            .toList());
  }

  private static String path(Page page, String look) {
    return page.withClass("path", look).getFirst().getAttribute("d");
  }

  @Test
  void thinningKeepsSpikesGapsAndEnds() {
    Series series =
        line(10_000, i -> i == 5003 ? 90 : i == 7001 ? -90 : i == 8002 ? Double.NaN : 1);
    List<Point> thinned = series.thinned(STEPS, 400);
    assertThat(thinned).hasSizeLessThan(5 * 400).isSubsetOf(series.points());
    assertThat(thinned)
        .contains(new Point(5003, 90), new Point(7001, -90), new Point(8002, Double.NaN))
        .startsWith(new Point(1, 1))
        .endsWith(new Point(10_000, 1));
    assertThat(thinned).isSortedAccordingTo(java.util.Comparator.comparingDouble(Point::x));
  }

  @Test
  void thinningKeepsAShortLineWhole() {
    Series series = line(300, Math::sin);
    assertThat(series.thinned(Axis.exact(1, 300, 8), 900)).isEqualTo(series.points());
  }

  @Test
  void smoothingStartsAtTheFirstValueAndKeepsGaps() {
    assertThat(line(50, i -> 4).smoothed("mean", 10).points())
        .allMatch(p -> Math.abs(p.y() - 4) < 1e-12);
    // Span 3 keeps half: (1 * .25 + 3 * .5) / .75.
    List<Point> mean = line(3, i -> i == 2 ? Double.NaN : i).smoothed("mean", 3).points();
    assertThat(mean.get(0).y()).isEqualTo(1);
    assertThat(mean.get(1).y()).isNaN();
    assertThat(mean.get(2).y()).isEqualTo(1.75 / 0.75);
  }

  @Test
  void gapsBreakTheLine() {
    Page page = Page.of(Runs.of(Runs.train(9, i -> i == 3 || i == 5 ? Double.NaN : i), List.of()));
    // 1-2, the lone 4, 6-9
    assertThat(path(page, "main").split("M", -1)).hasSize(4);
    assertThat(path(page, "main")).containsOnlyOnce("h0");
    assertThat(page.text()).contains("2 values are not finite: the line has a gap there.");
  }

  @Test
  void infinityIsAGapToo() {
    Page page =
        Page.of(Runs.of(Runs.train(9, i -> i == 4 ? Double.POSITIVE_INFINITY : i), List.of()));
    assertThat(path(page, "main").split("M", -1)).hasSize(3);
    assertThat(page.text()).contains("1 value is not finite");
  }

  @Test
  void aLoneSpikeLeavesTheChartAndIsNamed() {
    Page page =
        Page.of(Runs.of(Runs.train(1000, i -> i == 700 ? 5e4 : 2 + i % 10 * 0.1), List.of()));
    assertThat(page.text())
        .contains("1 spike leaves the chart at the top")
        .contains("50,000 at step 700");
    assertThat(path(page, "faint")).contains(" 0L"); // drawn up to the edge
  }

  @Test
  void aWideRangeIsDrawnOnALogScale() {
    Page page = Page.of(Runs.of(Runs.train(1000, i -> 1e4 / i), List.of()));
    assertThat(page.withClass("span", "note").getFirst().getTextContent())
        .isEqualTo("nats per token, log scale");
    Page linear = Page.of(Runs.of(Runs.train(1000, i -> 3 - i * 1e-3), List.of()));
    assertThat(linear.withClass("span", "note").getFirst().getTextContent())
        .isEqualTo("nats per token");
  }

  @Test
  void hoverTitlesCoverEveryStepOnce() {
    Page page = Page.of(Runs.of(Runs.train(30, i -> i), List.of()));
    List<String> titles =
        page.elements("rect").stream()
            .map(Element::getTextContent)
            .filter(t -> t.contains("each step"))
            .toList();
    assertThat(titles).hasSize(30);
    assertThat(titles.get(6))
        .startsWith("step 7\neach step: 7.000\ntrain, mean of about 5 steps: ");
    Page many = Page.of(Runs.of(Runs.train(1200, i -> i), List.of()));
    assertThat(many.elements("rect").getFirst().getTextContent()).startsWith("steps 1 – ");
  }

  @Test
  void marksWhereAnEpochBegins() {
    List<Element> marks =
        Page.of(Runs.of(Runs.train(300, i -> i), List.of())).withClass("text", "epoch");
    assertThat(marks).extracting(Element::getTextContent).containsExactly("epoch 2", "epoch 3");
  }
}
