package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Batches;
import dev.gatun.models.data.Cursor;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Step;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.TrainResult.End;
import dev.gatun.models.train.TrainResult.Evaluated;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.optim.AdamW;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Trains an adapter, or all weights, step by step on one thread; resumes where a killed run
/// stopped.
///
/// What is learnt is what the model's head is for: the next tokens, or a task. Loss and gradients
/// are normalised over all labels of an optimizer step, however it is divided into batches.
public final class Trainer {
  private static final int WARMUP_STEPS = 2;

  private final Transformer model;
  private final Trained trained;
  private final TrainOptions options;
  private final List<Tensor> parameters;

  /// The trained tensors, and what else a checkpoint and the best weights consist of.
  private final Map<String, Tensor> kept;

  private final @Nullable Path checkpoints;

  private final List<Double> losses = new ArrayList<>();
  private final List<Double> divergences = new ArrayList<>();
  private final List<Evaluated> evaluations = new ArrayList<>();
  private final List<Double> seconds = new ArrayList<>();
  private long timedTokens;
  private int bestStep = -1;
  private boolean interrupted;

  /// Prepares a run.
  ///
  /// @param model a language model, or one with the head of a task
  /// @param trained what is trained
  /// @param options the settings
  /// @param checkpoints directory of checkpoints, or null for none
  public Trainer(
      Transformer model, Trained trained, TrainOptions options, @Nullable Path checkpoints) {
    this.model = model;
    this.trained = trained;
    this.options = options;
    this.checkpoints = checkpoints;
    this.parameters = List.copyOf(trained.parameters().values());
    this.kept = new LinkedHashMap<>(trained.parameters());
    kept.putAll(trained.state());
  }

  /// Runs all steps, or those that are left.
  ///
  /// An interrupt ends the run as the listener's `false` does, after the current step and with a
  /// checkpoint; the thread is interrupted again when this returns.
  ///
  /// The trained tensors hold the result: the last step's, or the best evaluation's where the
  /// options ask for early stopping.
  ///
  /// @param train what is trained on
  /// @param heldOut what is evaluated, or null
  /// @param resume whether to go on from the newest checkpoint, if there is one
  /// @param listener watches
  /// @return what came of the run
  /// @throws NonFiniteLossException if a step's loss is not a number
  /// @throws IllegalArgumentException if a checkpoint is of a run with other settings or data
  /// @throws IOException if a checkpoint cannot be read or written
  public TrainResult run(
      Dataset train, @Nullable Dataset heldOut, boolean resume, TrainListener listener)
      throws IOException {
    Batches batches = new Batches(train, options.batches());
    Map<String, String> settings = options.fingerprint();
    settings.putAll(trained.fingerprint());
    if (checkpoints != null) {
      settings.put("data", train.fingerprint());
    }
    try (Scope state = Scope.open();
        AdamW optimizer = Update.optimizer(trained, options.adamW())) {
      Map<String, Tensor> best = new LinkedHashMap<>();
      Cursor cursor = Cursor.START;
      int made = 0;
      if (resume && checkpoints != null) {
        Optional<Path> newest = Checkpoint.newest(checkpoints);
        if (newest.isPresent()) {
          RunState read = Checkpoint.read(newest.get(), kept, best, state, optimizer);
          adopt(newest.get(), read, settings);
          cursor = new Cursor(read.epoch(), read.place());
          made = read.step();
        }
      }
      End end = outOfPatience() ? End.STOPPED_EARLY : End.COMPLETED;
      Iterator<Step> steps = batches.from(cursor);
      while (made < options.steps() && end == End.COMPLETED) {
        Step step = steps.next();
        boolean goOn = listener.onStep(step(step, made, optimizer)) && !takeInterrupt();
        made++;
        cursor = new Cursor(step.cursor().epoch(), step.cursor().step() + 1);
        boolean last = made == options.steps();
        if (heldOut != null
            && options.evalEvery() > 0
            && made % options.evalEvery() == 0
            && !last
            && evaluate(heldOut, made, best, state, listener)) {
          end = End.STOPPED_EARLY;
        }
        if (!goOn && !last && end == End.COMPLETED) {
          end = End.CANCELLED;
        }
        boolean due = options.checkpointEvery() > 0 && made % options.checkpointEvery() == 0;
        if (checkpoints != null && (due || last || end != End.COMPLETED)) {
          save(made, cursor, settings, best, optimizer, listener);
        }
      }
      if (heldOut != null && options.patience() > 0 && end == End.COMPLETED) {
        evaluate(heldOut, made, best, state, listener);
      }
      if (end != End.CANCELLED) {
        best.forEach(
            (name, tensor) -> Layout.copyInPlace(Objects.requireNonNull(kept.get(name)), tensor));
      }
      return result(end, made);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Returns whether this thread was interrupted, and clears that until the run has ended: an
  /// interrupted thread can write no file.
  private boolean takeInterrupt() {
    interrupted |= Thread.interrupted();
    return interrupted;
  }

  private void adopt(Path file, RunState read, Map<String, String> wanted) {
    wanted.forEach((name, value) -> {
      String found = read.settings().get(name);
      if (!value.equals(found)) {
        throw new IllegalArgumentException(
            "resume from %s: %s: found %s, expected %s, as the run asks now"
                .formatted(file, name, found, value));
      }
    });
    read.settings()
        .forEach((name, found) -> {
          if (!wanted.containsKey(name)) {
            throw new IllegalArgumentException(
                "resume from %s: %s: found %s, expected none, as the run asks now"
                    .formatted(file, name, found));
          }
        });
    losses.addAll(read.losses());
    divergences.addAll(read.divergences());
    evaluations.addAll(read.evaluations());
    bestStep = read.bestStep();
  }

  private StepReport step(Step step, int index, AdamW optimizer) throws IOException {
    TrainingStepEvent event = new TrainingStepEvent();
    event.begin();
    long start = System.nanoTime();
    LanguageModelLoss loss = new LanguageModelLoss(model, trained, options.lossOptions());
    long targets = step.targetCount();
    double task = 0;
    double divergence = 0;
    double norm = 0;
    double rate = options.schedule().at(index);
    try (Scope scope = Scope.open()) {
      Update update = new Update(scope, trained);
      for (Batch batch : step.batches()) {
        if (batch.targetCount() == 0) {
          continue;
        }
        Loss.Value[] value = new Loss.Value[1];
        Gradients gradients =
            Tape.gradients(
                scope,
                parameters,
                tape -> {
                  value[0] = loss.of(tape, batch, index, 1.0 / targets);
                  return value[0].total();
                });
        task += value[0].task();
        divergence += value[0].divergence();
        update.add(gradients);
      }
      double penalty = update.addPenalty();
      task /= Math.max(1, targets);
      divergence /= Math.max(1, targets);
      finite(index, "loss", task + options.dropout().lambda() * divergence + penalty);
      norm = update.norm();
      finite(index, "gradient norm", norm);
      update.apply(optimizer, index, norm, options.maxGradNorm(), rate);
    }
    losses.add(task);
    divergences.add(divergence);
    double duration = (System.nanoTime() - start) / 1e9;
    seconds.add(duration);
    if (seconds.size() > WARMUP_STEPS) {
      timedTokens += step.tokens();
    }
    StepReport report =
        new StepReport(
            index + 1,
            options.steps(),
            step.cursor().epoch(),
            task,
            divergence,
            rate,
            norm,
            step.tokens(),
            duration,
            NativeMemory.liveBytes());
    event.commit(report);
    return report;
  }

  private void finite(int index, String what, double value) throws IOException {
    if (!Double.isFinite(value)) {
      Path good = checkpoints == null ? null : Checkpoint.newest(checkpoints).orElse(null);
      throw new NonFiniteLossException(index + 1, what, value, good);
    }
  }

  /// Evaluates, keeps the weights if they are the best so far, and returns whether patience is at
  /// its end.
  private boolean evaluate(
      Dataset heldOut, int made, Map<String, Tensor> best, Scope owner, TrainListener listener) {
    Evaluation evaluation = Evaluation.of(model, trained, heldOut, done -> {});
    evaluations.add(new Evaluated(made, evaluation.loss(), evaluation.tokens()));
    listener.onEvaluation(made, evaluation);
    if (options.patience() == 0) {
      return false;
    }
    double lowest =
        evaluations.stream()
            .filter(e -> e.step() == bestStep)
            .mapToDouble(Evaluated::loss)
            .findFirst()
            .orElse(Double.POSITIVE_INFINITY);
    if (evaluation.loss() < lowest) {
      bestStep = made;
      kept.forEach((name, tensor) ->
          Layout.copyInPlace(best.computeIfAbsent(name, n -> Layout.copy(owner, tensor)), tensor));
      return false;
    }
    return outOfPatience();
  }

  private boolean outOfPatience() {
    long since = evaluations.stream().filter(e -> e.step() > bestStep).count();
    return options.patience() > 0 && since >= options.patience();
  }

  private void save(
      int made,
      Cursor cursor,
      Map<String, String> settings,
      Map<String, Tensor> best,
      AdamW optimizer,
      TrainListener listener)
      throws IOException {
    RunState state =
        new RunState(
            made,
            cursor.epoch(),
            cursor.step(),
            losses,
            divergences,
            evaluations,
            bestStep,
            settings);
    listener.onCheckpoint(made, write(state, best, optimizer));
  }

  private Path write(RunState state, Map<String, Tensor> best, AdamW optimizer) throws IOException {
    Path folder = Objects.requireNonNull(checkpoints);
    try {
      return Checkpoint.write(folder, state, kept, best, optimizer);
    } catch (ClosedByInterruptException e) {
      takeInterrupt();
      return Checkpoint.write(folder, state, kept, best, optimizer);
    }
  }

  private TrainResult result(End end, int made) {
    double[] timed = seconds.stream().skip(WARMUP_STEPS).mapToDouble(s -> s).sorted().toArray();
    double rate =
        timed.length == 0 ? 0 : timedTokens / (double) timed.length / timed[timed.length / 2];
    Evaluated best =
        evaluations.stream().filter(e -> e.step() == bestStep).findFirst().orElse(null);
    return new TrainResult(end, made, losses, divergences, evaluations, best, rate);
  }
}
