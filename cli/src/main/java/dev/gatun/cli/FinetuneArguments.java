package dev.gatun.cli;

import dev.gatun.models.data.BatchOptions;
import dev.gatun.models.data.Batches;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.runtime.optim.AdamW;
import dev.gatun.runtime.optim.Schedule;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The settings of `finetune` that decide its course.
final class FinetuneArguments {
  private static final double WARMUP_SHARE = 0.03;
  private static final int BOTTLENECK = 64;

  @Option(
      names = "--method",
      defaultValue = "lora",
      paramLabel = "METHOD",
      description =
          "What is trained: lora, dora, adalora, bitfit (the biases), houlsby or pfeiffer"
              + " (bottlenecks), or full. Default: lora.")
  private Method method = Method.LORA;

  @Option(
      names = "--bottleneck",
      paramLabel = "N",
      description = "With houlsby and pfeiffer: inner width. Default: 64.")
  private @Nullable Integer bottleneck;

  @Option(
      names = "--fresh",
      description =
          "With --method full: start from random weights; the model directory needs only a config.")
  private boolean fresh;

  @Option(
      names = "--dropout",
      paramLabel = "METHOD[:K=V,..]",
      converter = DropoutArgument.class,
      description =
          "none, hiddenkey-minus, hiddenkey, dropkey, dropattention, hiddencut or lora-dropout, with"
              + " p, p_key, p_hidden, lambda, loss=kl|js, layers=all|latter-half, both=true, n; or"
              + " masks, POSITION[-PATTERN][/RESCALING]@RATE[-falling|-rising] joined by +, of key,"
              + " weight, hidden, input, output, branch, adapter in element, column or span, such as"
              + " key-column@0.1+hidden-element@0.1. Default: hiddenkey-minus:p=0.1 (full: none).")
  private @Nullable String dropout;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "Peak learning rate. Default: 2e-4; demo 5e-3.")
  private @Nullable Double learningRate;

  @Option(
      names = "--weight-decay",
      paramLabel = "W",
      defaultValue = "0.01",
      description = "Decoupled weight decay of AdamW. Default: 0.01.")
  private double weightDecay;

  @Option(
      names = "--schedule",
      paramLabel = "SHAPE",
      defaultValue = "cosine",
      description = "Course of the learning rate: constant, linear or cosine. Default: cosine.")
  private Schedule.Shape schedule = Schedule.Shape.COSINE;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description = "Steps of warm-up; below 1 a share of all steps. Default: 0.03.")
  private double warmup = WARMUP_SHARE;

  @Option(
      names = "--max-grad-norm",
      paramLabel = "X",
      defaultValue = "1.0",
      description = "Limit of the gradients' norm; 0 for none. Default: 1.")
  private double maxGradNorm;

  @Option(names = "--steps", paramLabel = "N", description = "Optimizer steps. Wins over --epochs.")
  private @Nullable Integer steps;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data. Default: 1.")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "4",
      description = "Rows of a forward pass. Default: 4.")
  private int batch;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      defaultValue = "1",
      description = "Forward passes of an optimizer step. Default: 1.")
  private int accumulate;

  @Option(
      names = "--pack",
      description = "Fill rows with several examples, which do not see each other.")
  private boolean pack;

  @Option(
      names = "--no-shuffle",
      description = "File order, no bucketing, batches of exactly --batch rows.")
  private boolean noShuffle;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the order, the masks and the adapter. Default: 0.")
  private long seed;

  @Option(
      names = "--gradient-checkpointing",
      description = "Save memory: compute each layer again for its gradient.")
  private boolean checkpointing;

  @Option(
      names = "--kl-one-batch",
      description =
          "HiddenKey's two branches as one batch of twice the rows, not one after the other.")
  private boolean oneBatch;

  @Option(
      names = "--eval-every",
      paramLabel = "N",
      defaultValue = "0",
      description = "Steps between evaluations; 0 for before and after alone. Default: 0.")
  private int evalEvery;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Stop after N evaluations without a better loss and keep the best weights; 0: never.")
  private int patience;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "0",
      description = "Steps between checkpoints; 0 for the last alone. Default: 0.")
  private int checkpointEvery;

  @Option(
      names = "--init-adapter",
      paramLabel = "DIR",
      description = "Start from this PEFT adapter, which fixes rank, alpha and targets.")
  private @Nullable Path initAdapter;

  Method method() {
    return method;
  }

  int bottleneck() {
    return bottleneck == null ? BOTTLENECK : bottleneck;
  }

  boolean isFull() {
    return method == Method.FULL;
  }

  boolean isFresh() {
    return fresh;
  }

  boolean shuffles() {
    return !noShuffle;
  }

  long seed() {
    return seed;
  }

  @Nullable Path initAdapter() {
    return initAdapter;
  }

  boolean checkpointing() {
    return checkpointing;
  }

  int batch() {
    return batch;
  }

  /// Returns the dropout method.
  ///
  /// @param causal whether the model is a decoder
  Dropout dropout(boolean causal) {
    String usual = isFull() ? "none" : "hiddenkey-minus";
    return DropoutArgument.of(dropout == null ? usual : dropout, causal);
  }

  /// Refuses what goes against each other before anything is opened.
  void check(@Nullable String loraOption) {
    boolean inAdapters =
        dropout(true).mask(Position.BRANCH).isPresent()
            || dropout(true).mask(Position.ADAPTER).isPresent();
    if (inAdapters && !method.isLora()) {
      throw new RefusedException(
          "--dropout: found masks of adapters beside "
              + method.given()
              + ", expected --method lora, dora or adalora");
    }
    if (fresh && !isFull()) {
      throw new RefusedException("--fresh: found " + method.given() + ", expected --method full");
    }
    if (initAdapter != null && method != Method.LORA && method != Method.DORA) {
      throw new RefusedException(
          "--init-adapter: found " + method.given() + ", expected --method lora or dora");
    }
    if (loraOption != null && !method.isLora()) {
      throw new RefusedException(
          loraOption + ": found " + method.given() + ", expected --method lora");
    }
    if (bottleneck != null && !method.isBottleneck()) {
      throw new RefusedException(
          "--bottleneck: found " + method.given() + ", expected --method houlsby or pfeiffer");
    }
    positive("--bottleneck", bottleneck());
    if (noShuffle && pack) {
      throw new RefusedException("--pack: found --no-shuffle, expected one of the two");
    }
    positive("--batch", batch);
    positive("--accumulate", accumulate);
    if (steps != null) {
      positive("--steps", steps);
    }
    if (epochs != null) {
      positive("--epochs", epochs);
    }
    notNegative("--warmup", warmup);
    notNegative("--weight-decay", weightDecay);
    notNegative("--max-grad-norm", maxGradNorm);
    notNegative("--eval-every", evalEvery);
    notNegative("--patience", patience);
    notNegative("--checkpoint-every", checkpointEvery);
    if (learningRate != null) {
      notNegative("--lr", learningRate);
    }
    if (patience > 0 && evalEvery == 0) {
      throw new RefusedException(
          "--patience: found no --eval-every, expected evaluations on the way");
    }
  }

  private static void positive(String option, int value) {
    if (value < 1) {
      throw new RefusedException(option + ": found " + value + ", expected at least 1");
    }
  }

  private static void notNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new RefusedException(option + ": found " + value + ", expected 0 or more");
    }
  }

  TrainOptions options(Dataset train, int maxLength, boolean causal, boolean demo) {
    BatchOptions batches =
        new BatchOptions(batch, accumulate, !noShuffle, !noShuffle && !pack, pack, maxLength, seed);
    int passes = epochs == null ? 1 : epochs;
    long total = steps != null ? steps : new Batches(train, batches).totalSteps(passes);
    if (total > 1 << 22) {
      throw new RefusedException("--steps: found " + total + ", expected at most " + (1 << 22));
    }
    int whole = (int) total;
    int rising = warmup < 1 ? (int) Math.round(warmup * whole) : (int) warmup;
    double peak = learningRate != null ? learningRate : demo ? 5e-3 : 2e-4;
    return new TrainOptions(
        new LanguageModelLoss.Options(dropout(causal), seed, checkpointing, oneBatch),
        AdamW.Config.defaults().withWeightDecay(weightDecay),
        new Schedule(schedule, peak, rising, whole),
        maxGradNorm,
        batches,
        evalEvery,
        checkpointEvery,
        patience);
  }
}
