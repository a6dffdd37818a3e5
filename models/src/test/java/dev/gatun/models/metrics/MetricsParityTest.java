package dev.gatun.models.metrics;

import static dev.gatun.models.metrics.MetricsFixture.assertClose;
import static dev.gatun.models.metrics.MetricsFixture.doubles;
import static dev.gatun.models.metrics.MetricsFixture.ints;
import static dev.gatun.models.metrics.MetricsFixture.lists;
import static dev.gatun.models.metrics.MetricsFixture.strings;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// Every metric against the implementation that papers use.
class MetricsParityTest {
  static List<JsonNode> classification() {
    return MetricsFixture.cases("classification");
  }

  static List<JsonNode> correlation() {
    return MetricsFixture.cases("correlation");
  }

  static List<JsonNode> calibration() {
    return MetricsFixture.cases("calibration");
  }

  static List<JsonNode> binEnds() {
    return MetricsFixture.cases("bin_ends");
  }

  static List<JsonNode> squad() {
    return MetricsFixture.cases("squad");
  }

  static List<JsonNode> squadV2() {
    return MetricsFixture.cases("squad_v2");
  }

  static List<JsonNode> words() {
    return MetricsFixture.cases("words");
  }

  static List<JsonNode> stems() {
    return MetricsFixture.cases("stems");
  }

  static List<JsonNode> generation() {
    return MetricsFixture.cases("generation");
  }

  @ParameterizedTest
  @MethodSource("classification")
  void scoresClassesAsScikitLearnDoes(JsonNode row) {
    int[] predictions = ints(row.get("predictions"));
    int[] labels = ints(row.get("labels"));
    assertClose(Classification.accuracy(predictions, labels), row.get("accuracy"), "accuracy");
    assertClose(Classification.macroF1(predictions, labels), row.get("macro_f1"), "macro F1");
    assertClose(Classification.matthews(predictions, labels), row.get("matthews"), "Matthews");
    if (!row.get("binary_f1").isNull()) {
      assertClose(Classification.binaryF1(predictions, labels), row.get("binary_f1"), "binary F1");
    }
  }

  @ParameterizedTest
  @MethodSource("correlation")
  void correlatesAsScipyDoes(JsonNode row) {
    double[] predictions = doubles(row.get("predictions"));
    double[] labels = doubles(row.get("labels"));
    assertCorrelation(Correlation.pearson(predictions, labels), row.get("pearson"));
    assertCorrelation(Correlation.spearman(predictions, labels), row.get("spearman"));
  }

  private static void assertCorrelation(double found, JsonNode expected) {
    if (expected.isNull()) {
      assertThat(found).isNaN();
    } else {
      assertClose(found, expected, "correlation");
    }
  }

  @ParameterizedTest
  @MethodSource("calibration")
  void calibratesAsDefined(JsonNode row) {
    double[][] probabilities = new double[row.get("probabilities").size()][];
    for (int i = 0; i < probabilities.length; i++) {
      probabilities[i] = doubles(row.get("probabilities").get(i));
    }
    int[] labels = ints(row.get("labels"));
    assertCalibration(Calibration.of(probabilities, labels, row.get("bins").size()), row);
    assertClose(Calibration.brier(probabilities, labels), row.get("brier"), "Brier");
    assertClose(
        Calibration.negativeLogLikelihood(probabilities, labels),
        row.get("negative_log_likelihood"),
        "negative log-likelihood");
  }

  @ParameterizedTest
  @MethodSource("binEnds")
  void putsConfidencesAtTheEndsOfBinsBelow(JsonNode row) {
    double[] confidences = doubles(row.get("confidences"));
    boolean[] correct = new boolean[confidences.length];
    for (int i = 0; i < correct.length; i++) {
      correct[i] = row.get("correct").get(i).booleanValue();
    }
    assertCalibration(Calibration.of(confidences, correct, row.get("bins").size()), row);
  }

  private static void assertCalibration(Calibration found, JsonNode row) {
    assertClose(found.error(), row.get("error"), "calibration error");
    JsonNode bins = row.get("bins");
    assertThat(found.bins()).hasSize(bins.size());
    for (int i = 0; i < bins.size(); i++) {
      Calibration.Bin bin = found.bins().get(i);
      assertThat(bin.count()).isEqualTo(bins.get(i).get(0).intValue());
      assertClose(bin.confidence(), bins.get(i).get(1), "confidence of bin " + i);
      assertClose(bin.accuracy(), bins.get(i).get(2), "accuracy of bin " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("squad")
  void scoresAnAnswerAsSquadDoes(JsonNode row) {
    String prediction = row.get("prediction").stringValue();
    List<String> answers = strings(row.get("answers"));
    assertThat(Squad.normalize(prediction)).isEqualTo(row.get("normalized").stringValue());
    assertClose(Squad.exactMatch(prediction, answers), row.get("exact"), "exact match");
    assertClose(Squad.f1(prediction, answers), row.get("f1"), "F1");
    Squad one = Squad.of(List.of(prediction), List.of(answers));
    assertThat(one.exactMatch()).isEqualTo(100 * Squad.exactMatch(prediction, answers));
    assertThat(one.f1()).isEqualTo(100 * Squad.f1(prediction, answers));
  }

  @ParameterizedTest
  @MethodSource("squadV2")
  void scoresAnswersAndNoneAsSquad2Does(JsonNode row) {
    Squad.V2 found = Squad.v2(strings(row.get("predictions")), lists(row.get("answers")));
    assertSquad(Optional.of(found.all()), row.get("all"));
    assertSquad(found.hasAnswer(), row.get("has_answer"));
    assertSquad(found.noAnswer(), row.get("no_answer"));
  }

  private static void assertSquad(Optional<Squad> found, @Nullable JsonNode expected) {
    assertThat(found.isPresent()).isEqualTo(expected != null);
    if (expected != null) {
      assertClose(found.orElseThrow().exactMatch(), expected.get(0), "exact match");
      assertClose(found.orElseThrow().f1(), expected.get(1), "F1");
      assertThat(found.orElseThrow().total()).isEqualTo(expected.get(2).intValue());
    }
  }

  @ParameterizedTest
  @MethodSource("words")
  void cutsWordsAsSacrebleuDoes(JsonNode row) {
    String text = row.get("text").stringValue();
    assertThat(Tokenization.WHITE_SPACE.words(text)).isEqualTo(strings(row.get("white_space")));
    assertThat(Tokenization.MTEVAL_13A.words(text)).isEqualTo(strings(row.get("mteval_13a")));
    assertThat(Tokenization.MTEVAL_13A_LOWER_CASE.words(text))
        .isEqualTo(strings(row.get("mteval_13a_lower_case")));
  }

  @ParameterizedTest
  @MethodSource("stems")
  void stemsAsNltkDoes(JsonNode row) {
    assertThat(PorterStemmer.stem(row.get(0).stringValue())).isEqualTo(row.get(1).stringValue());
  }

  @ParameterizedTest
  @MethodSource("generation")
  void countsNGramsAsSacrebleuAndMtevalDo(JsonNode row) {
    List<String> hypotheses = strings(row.get("hypotheses"));
    List<List<String>> references = lists(row.get("references"));
    for (Tokenization tokenization : Tokenization.values()) {
      JsonNode bleu = row.get("bleu").get(tokenization.ordinal());
      Bleu found = Bleu.of(hypotheses, references, tokenization);
      assertClose(found.score(), bleu.get(0), "BLEU " + tokenization);
      for (int n = 0; n < 4; n++) {
        assertClose(found.precisions().get(n), bleu.get(1).get(n), "precision " + n);
      }
      assertClose(found.brevityPenalty(), bleu.get(2), "brevity penalty");
      assertThat(found.hypothesisWords()).isEqualTo(bleu.get(3).longValue());
      assertThat(found.referenceWords()).isEqualTo(bleu.get(4).longValue());
    }
    assertClose(
        Nist.of(hypotheses, references, Tokenization.WHITE_SPACE), row.get("nist").get(0), "NIST");
    assertClose(
        Nist.of(hypotheses, references, Tokenization.MTEVAL_13A_LOWER_CASE),
        row.get("nist").get(1),
        "NIST of cut words");
  }

  @ParameterizedTest
  @MethodSource("generation")
  void findsSubsequencesAsRougeScoreAndCocoDo(JsonNode row) {
    List<String> hypotheses = strings(row.get("hypotheses"));
    List<List<String>> references = lists(row.get("references"));
    for (int i = 0; i < hypotheses.size(); i++) {
      for (RougeL.Stemming stemming : RougeL.Stemming.values()) {
        JsonNode expected = row.get("rouge_l").get(i).get(stemming.ordinal());
        RougeL found = RougeL.of(hypotheses.get(i), references.get(i), stemming);
        assertClose(found.precision(), expected.get(0), "precision, " + stemming);
        assertClose(found.recall(), expected.get(1), "recall, " + stemming);
        assertClose(found.f1(), expected.get(2), "F1, " + stemming);
      }
    }
    assertClose(RougeL.coco(hypotheses, references), row.get("coco_rouge_l"), "coco's ROUGE-L");
  }

  @ParameterizedTest
  @MethodSource("generation")
  void matchesStemsAsNltkDoes(JsonNode row) {
    List<String> hypotheses = strings(row.get("hypotheses"));
    List<List<String>> references = lists(row.get("references"));
    double sum = 0;
    for (int i = 0; i < hypotheses.size(); i++) {
      double found = Meteor.of(hypotheses.get(i), references.get(i));
      assertClose(found, row.get("meteor").get(i), "METEOR");
      sum += found;
    }
    assertThat(Meteor.of(hypotheses, references)).isEqualTo(sum / hypotheses.size());
  }

  @ParameterizedTest
  @MethodSource("generation")
  void weighsNGramsAsCocoDoes(JsonNode row) {
    Cider found = Cider.of(strings(row.get("hypotheses")), lists(row.get("references")));
    double sum = 0;
    for (int i = 0; i < found.each().size(); i++) {
      assertClose(found.each().get(i), row.get("cider").get(i), "CIDEr");
      sum += found.each().get(i);
    }
    assertThat(found.score()).isEqualTo(sum / row.get("cider").size());
  }

  @ParameterizedTest
  @MethodSource("generation")
  void shiftsWordsAsSacrebleuDoes(JsonNode row) {
    Ter found = Ter.of(strings(row.get("hypotheses")), lists(row.get("references")));
    assertClose(found.score(), row.get("ter").get(0), "TER");
    assertThat(found.edits()).isEqualTo(row.get("ter").get(1).longValue());
    assertClose(found.referenceWords(), row.get("ter").get(2), "words of the references");
  }
}
