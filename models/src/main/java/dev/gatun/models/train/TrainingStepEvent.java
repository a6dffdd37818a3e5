package dev.gatun.models.train;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

@Name("dev.gatun.TrainingStep")
@Label("Training Step")
@Category("Gatun")
@Description("One optimizer step, from the first forward pass to the update")
@StackTrace(false)
final class TrainingStepEvent extends Event {
  @Label("Step")
  int step;

  @Label("Loss")
  @Description("Mean task loss per predicted token")
  double loss;

  @Label("KL Loss")
  double klLoss;

  @Label("Gradient Norm")
  double gradientNorm;

  @Label("Learning Rate")
  double learningRate;

  @Label("Tokens")
  @Description("Positions without padding")
  long tokens;

  @Label("Live Bytes")
  @Description("Native bytes of all tensors after the step")
  @DataAmount
  long liveBytes;

  void commit(StepReport report) {
    step = report.step();
    loss = report.loss();
    klLoss = report.divergence();
    gradientNorm = report.gradNorm();
    learningRate = report.learningRate();
    tokens = report.tokens();
    liveBytes = report.nativeBytes();
    commit();
  }
}
