package dev.gatun.models.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.models.AdaptedModel;
import dev.gatun.models.AdaptedTask;
import dev.gatun.models.Parity;
import dev.gatun.models.data.Batch;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Reduce;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Label smoothing beside its formula over all logits.
class LabelSmoothingTest {
  private static final double SHARE = 0.1;
  private static final double SCALE = 0.25;

  private static LanguageModelLoss.Options smoothed(Dropout dropout) {
    return new LanguageModelLoss.Options(dropout, 3, false, false, SHARE);
  }

  /// Returns (1 - s) times the labels' cross-entropies plus s times the mean of all, summed.
  private static Tensor reference(Scope scope, Tensor logits, long... labels) {
    Tensor logP = Norm.logSoftmax(scope, logits);
    Tensor own = Reduce.sum(scope, Layout.gather(scope, logP, scope.of(labels, labels.length, 1)));
    Tensor all = Elementwise.scale(scope, Reduce.sum(scope, logP), -SHARE / logits.size(1));
    return Elementwise.add(scope, Elementwise.scale(scope, own, SHARE - 1), all);
  }

  @Test
  void lossOfTokensAndItsGradientsAreThoseOfTheFormula() throws IOException {
    try (AdaptedModel adapted = AdaptedModel.open("llama", DType.F32)) {
      Batch batch = Batch.of(AdaptedModel.trainingRows("llama").subList(0, 3), 0);
      List<Tensor> parameters = List.copyOf(adapted.adapter().parameters().values());
      double[] losses = new double[2];
      List<double[]> found = new ArrayList<>();
      List<double[]> expected = new ArrayList<>();
      try (Scope scope = adapted.scope().child()) {
        Gradients ours =
            Tape.gradients(
                scope,
                parameters,
                tape -> {
                  Loss.Value value =
                      new LanguageModelLoss(
                              adapted.model(), adapted.adapter(), smoothed(Dropout.NONE))
                          .of(tape, batch, 0, SCALE);
                  losses[0] = value.task();
                  return value.total();
                });
        Gradients reference =
            Tape.gradients(
                scope,
                parameters,
                tape -> {
                  ForwardPass pass =
                      adapted
                          .adapter()
                          .join(
                              ForwardPass.of(tape, adapted.model(), batch.ids(), batch.offsets()),
                              batch.tokens())
                          .build();
                  long[] places = NextTokens.places(batch);
                  Tensor rows =
                      Layout.rows(
                          tape,
                          adapted.model().hidden(tape, pass, false),
                          tape.of(places, places.length));
                  Tensor sum =
                      reference(
                          tape,
                          adapted.model().logits(tape, rows, pass),
                          NextTokens.labels(batch, 1));
                  losses[1] = sum.item();
                  return Elementwise.scale(tape, sum, SCALE);
                });
        for (Tensor parameter : parameters) {
          found.add(Parity.doubles(ours.of(parameter)));
          expected.add(Parity.doubles(reference.of(parameter)));
        }
      }
      assertThat(losses[0]).isCloseTo(losses[1], within(1e-4 * losses[1]));
      for (int i = 0; i < found.size(); i++) {
        assertThat(Parity.distance(found.get(i), expected.get(i))).isLessThan(1e-4);
      }
    }
  }

  @Test
  void lossOfClassesIsThatOfTheFormula() throws IOException {
    try (AdaptedTask adapted = AdaptedTask.open("roberta", DType.F32);
        Scope scope = Scope.open(adapted.model().device())) {
      Batch batch = Batch.of(AdaptedTask.rows("roberta").subList(0, 4), 0);
      Loss.Value value =
          new LanguageModelLoss(adapted.model(), adapted.adapter(), smoothed(Dropout.NONE))
              .of(scope, batch, 0, SCALE);
      ForwardPass pass =
          adapted
              .adapter()
              .join(
                  ForwardPass.of(scope, adapted.model(), batch.ids(), batch.offsets()),
                  batch.tokens())
              .build();
      long[] labels =
          batch.sequenceLabels().stream()
              .mapToLong(label -> ((SequenceLabel.Category) label).index())
              .toArray();
      double expected =
          reference(scope, adapted.model().outputs(scope, pass, false), labels).item();
      assertThat(value.task()).isCloseTo(expected, within(1e-4));
      assertThat(value.total().item()).isCloseTo(SCALE * expected, within(1e-4));
    }
  }

  /// The second branch is not smoothed: both parts of HiddenKey's loss add up.
  @Test
  void divergenceStaysAsItIs() throws IOException {
    Dropout dropout = Dropout.hiddenKey(0.2, 0.1, 1);
    try (AdaptedModel adapted = AdaptedModel.open("gpt2", DType.F32);
        Scope scope = Scope.open(adapted.model().device())) {
      Batch batch = Batch.of(AdaptedModel.trainingRows("gpt2").subList(0, 3), 0);
      Loss.Value plain = adapted.loss(dropout, 3, false).of(scope, batch, 0, SCALE);
      Loss.Value value =
          new LanguageModelLoss(adapted.model(), adapted.adapter(), smoothed(dropout))
              .of(scope, batch, 0, SCALE);
      assertThat(value.divergence()).isEqualTo(plain.divergence());
      assertThat(value.task()).isNotEqualTo(plain.task());
      assertThat(value.total().item())
          .isCloseTo(SCALE * (value.task() + value.divergence()), within(1e-4));
    }
  }

  @Test
  void whatHasNoClassesIsRefused() throws IOException {
    try (AdaptedTask adapted = AdaptedTask.open("xlm-roberta", DType.F32);
        Scope scope = Scope.open(adapted.model().device())) {
      Batch batch = Batch.of(AdaptedTask.rows("xlm-roberta").subList(0, 2), 0);
      LanguageModelLoss loss =
          new LanguageModelLoss(adapted.model(), adapted.adapter(), smoothed(Dropout.NONE));
      assertThatThrownBy(() -> loss.of(scope, batch, 0, SCALE))
          .hasMessage("label smoothing: found 0.1 with a regression, expected 0");
    }
    assertThatThrownBy(() -> new LanguageModelLoss.Options(Dropout.NONE, 0, false, false, 1))
        .hasMessageContaining("label smoothing: found 1.0, expected 0 or more and below 1");
  }
}
