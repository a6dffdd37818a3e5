package dev.gatun.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

class HtmlReportTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<script>alert(1)</script>",
        "</title><script>alert(1)</script>",
        "</style><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "' onmouseover='alert(1)",
        "&lt;script&gt; &amp; &#60;script&#62;",
        "<!-- ]]> -->",
        "\n first line and \t tab",
        "雪 \uD83D\uDE00 \u202E backwards",
      })
  void showsHostileTextAsItIs(String text) {
    Page page = Page.of(Runs.saying(text));
    assertThat(page.elements("script")).isEmpty();
    assertThat(page.elements("img")).isEmpty();
    assertThat(page.elements("title").getFirst().getTextContent()).isEqualTo(text);
    assertThat(page.elements("h1").getFirst().getTextContent()).isEqualTo(text);
    assertThat(page.withClass("span", "prompt").getFirst().getTextContent()).isEqualTo(text);
    assertThat(page.elements("dt")).anyMatch(e -> e.getTextContent().equals(text));
    assertThat(page.elements("li").getFirst().getTextContent()).isEqualTo(text);
    for (Element element : page.elements("*")) {
      assertThat(element.hasAttribute("onmouseover")).isFalse();
    }
  }

  @Test
  void replacesWhatNoPageCanHold() {
    Page page = Page.of(Runs.saying("bell\u0007 nul\u0000 half\uD800 del\u007F none\uFFFF cr\r"));
    assertThat(page.elements("h1").getFirst().getTextContent())
        .isEqualTo("bell\u2407 nul\u2400 half\uFFFD del\uFFFD none\uFFFD cr\u240D");
  }

  @Test
  void asksForNothingFromOutside() {
    Page page = Page.of(Runs.of(Runs.train(100, i -> 3.0 / i), Runs.evals(3, 2, 1)));
    String source = page.source().replace("http://www.w3.org/2000/svg", "");
    assertThat(source).doesNotContain("http:", "https:", "url(", "@import", "src=", "href=");
    assertThat(page.elements("meta"))
        .anyMatch(e -> e.getAttribute("content").startsWith("default-src 'none'"));
  }

  @Test
  void saysHowPerplexityChanged() {
    assertThat(verdict(3, 2)).contains("20.09 → 7.389").contains("−63.2 %");
    assertThat(verdict(2, 3)).contains("7.389 → 20.09").contains("+171.8 %");
    assertThat(verdict(2, 2.0001)).contains("unchanged");
    assertThat(verdict(2, Double.NaN)).contains("7.389 → not a number").doesNotContain("%");
    assertThat(verdict(2, 800)).contains("7.389 → ∞").doesNotContain("%");
    assertThat(verdict()).contains("no verdict");
  }

  private static String verdict(double... losses) {
    Page page = Page.of(Runs.of(Runs.train(20, i -> 2), Runs.evals(losses)));
    return page.elements("*").stream()
        .filter(e -> e.getAttribute("class").startsWith("verdict"))
        .map(Element::getTextContent)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void drawsNoChartWithoutTwoValues() {
    Page none = Page.of(Runs.of(List.of(), List.of()));
    assertThat(none.elements("svg")).isEmpty();
    assertThat(none.text()).contains("No steps.");
    Page one = Page.of(Runs.of(Runs.train(1, i -> 2.25), List.of()));
    assertThat(one.elements("svg")).isEmpty();
    assertThat(one.text()).contains("One value only, a curve needs two: 2.250");
    Page notFinite = Page.of(Runs.of(Runs.train(5, i -> Double.NaN), List.of()));
    assertThat(notFinite.elements("p"))
        .anyMatch(e -> e.getTextContent().equals("No finite value."));
    Page oneStep = Page.of(Runs.of(Runs.train(1, i -> 2.25), Runs.evals(2, 1)));
    assertThat(oneStep.elements("circle")).hasSize(2);
  }

  @Test
  void drawsKlLossOnlyWhereThereIsOne() {
    RunReport plain = Runs.of(Runs.train(30, i -> 2), List.of());
    assertThat(Page.of(plain).text()).doesNotContain("KL loss");
    List<RunReport.TrainPoint> train =
        plain.train().stream()
            .map(p ->
                new RunReport.TrainPoint(
                    p.step(), p.epoch(), p.taskLoss(), 0.01, 1e-4, Double.NaN, 1, 1))
            .toList();
    Page page = Page.of(Runs.of(train, List.of()));
    assertThat(page.text()).contains("KL loss").doesNotContain("Gradient norm");
  }

  @Test
  void pointsAtTheBestEvaluation() {
    List<RunReport.TrainPoint> train = Runs.train(30, i -> 2);
    assertThat(Page.of(Runs.of(train, Runs.evals(3, 2, 2.5))).text())
        .contains("Lowest eval loss 2.000 at step 10, 2.500 at the last evaluation");
    assertThat(Page.of(Runs.of(train, Runs.evals(3, 2.5, 2))).text()).doesNotContain("Lowest");
  }

  @ParameterizedTest
  @ValueSource(ints = {5_000, 200_000})
  void staysSmallForManySteps(int steps) {
    Random random = new Random(1);
    Page page =
        Page.of(Runs.of(Runs.train(steps, i -> 2 + random.nextGaussian()), Runs.evals(3, 2, 1)));
    assertThat(page.source().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(500_000);
  }

  @Test
  void writesTheSameBytesEachTime(@TempDir Path folder) throws IOException {
    Path first = folder.resolve("a.html");
    Path second = folder.resolve("b.html");
    HtmlReport.write(first, Runs.of(Runs.train(300, Math::sin), Runs.evals(3, 2)));
    HtmlReport.write(second, Runs.of(Runs.train(300, Math::sin), Runs.evals(3, 2)));
    HtmlReport.write(second, Runs.of(Runs.train(300, Math::sin), Runs.evals(3, 2)));
    assertThat(second).hasSameBinaryContentAs(first);
    assertThat(Files.readString(first)).startsWith("<!DOCTYPE html>");
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.0, 1e-320, 1e-12, 5, -5, 1e12, 1e38, 1e299, 1e301})
  void drawsValuesOfAnySize(double size) {
    for (RunReport report :
        List.of(
            Runs.of(Runs.train(40, i -> size), List.of()),
            Runs.of(Runs.train(40, i -> size * i), List.of()),
            Runs.of(Runs.train(40, i -> i == 20 ? size : 1), List.of()),
            Runs.of(Runs.train(40, i -> i % 2 == 0 ? size : -size), List.of()))) {
      assertThat(Page.of(report).elements("path"))
          .allSatisfy(path -> assertThat(path.getAttribute("d")).matches(PATH));
    }
  }

  private static final Pattern PATH = Pattern.compile("([ML]-?[0-9.]+ -?[0-9.]+|h0)*");
}
