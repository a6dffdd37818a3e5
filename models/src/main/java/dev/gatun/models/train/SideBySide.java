package dev.gatun.models.train;

import com.google.errorprone.annotations.MustBeClosed;
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
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Loss;
import dev.gatun.runtime.optim.AdamW;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Trains several adapters of one model at once: each step is one pass over the frozen weights with
/// the rows of all of them.
///
/// Each has its own data order, dropout method, masks, gradient clipping, optimizer and schedule,
/// so it becomes what [Trainer] would make of it alone, but for rounding. Nothing is saved on the
/// way: runs are short, or trained alone. Runs on one thread.
public final class SideBySide {
  /// One of the runs.
  ///
  /// @param trained an adapter that replaces no weights of the model but those of its head
  /// @param options its options; `patience` and `checkpointEvery` are 0, and gradient checkpointing
  ///   is the same for all
  /// @param train what it is trained on
  /// @param heldOut what it is evaluated on, or null
  public record Run(
      Trained trained, TrainOptions options, Dataset train, @Nullable Dataset heldOut) {
    /// Checks the options.
    public Run {
      if (options.patience() > 0 || options.checkpointEvery() > 0) {
        throw new IllegalArgumentException(
            "side by side: found early stopping or checkpoints, expected neither");
      }
    }
  }

  /// Watches the runs. Called on the training thread.
  @FunctionalInterface
  public interface Listener {
    /// Is told of each step of each run.
    ///
    /// @param run index of the run
    /// @param report what the step did; its seconds are those of the pass that all share
    void onStep(int run, StepReport report);

    /// Is told of each evaluation.
    ///
    /// @param run index of the run
    /// @param step steps made before it
    /// @param evaluation the result
    default void onEvaluation(int run, int step, Evaluation evaluation) {}
  }

  private final Transformer model;
  private final List<Member> members = new ArrayList<>();
  private final Listener listener;

  @SuppressWarnings("MustBeClosedChecker") // closed when all have ended
  private SideBySide(Transformer model, List<Run> runs, Listener listener) {
    this.model = model;
    this.listener = listener;
    for (int i = 0; i < runs.size(); i++) {
      members.add(new Member(i, runs.get(i)));
    }
  }

  /// Trains to the end of the longest run.
  ///
  /// @param model the frozen model: a language model, or one with the head of a task
  /// @param runs at least one
  /// @param listener watches
  /// @return what came of each, in their order
  /// @throws IllegalArgumentException if there are none, or they do not go together
  /// @throws NonFiniteLossException if a step's loss is not a number
  public static List<TrainResult> train(Transformer model, List<Run> runs, Listener listener) {
    if (runs.isEmpty()) {
      throw new IllegalArgumentException("side by side: found no runs, expected at least one");
    }
    long ways =
        runs.stream()
            .map(run -> run.options.lossOptions())
            .map(o -> o.checkpointing() + " " + o.oneBatch())
            .distinct()
            .count();
    if (ways > 1) {
      throw new IllegalArgumentException(
          "side by side: found runs with and without gradient checkpointing, or branches in one"
              + " batch, expected the same for all");
    }
    SideBySide all = new SideBySide(model, runs, listener);
    try {
      int steps = runs.stream().mapToInt(run -> run.options.steps()).max().orElseThrow();
      for (int i = 0; i < steps; i++) {
        int index = i;
        all.step(all.members.stream().filter(m -> index < m.options.steps()).toList(), index);
      }
      return all.members.stream().map(Member::result).toList();
    } finally {
      all.members.forEach(Member::close);
    }
  }

  private void step(List<Member> active, int index) {
    long start = System.nanoTime();
    try (Scope scope = Scope.open(model.device())) {
      active.forEach(member -> member.begin(scope));
      int passes = active.stream().mapToInt(m -> m.step().batches().size()).max().orElseThrow();
      for (int pass = 0; pass < passes; pass++) {
        pass(scope, active, pass, index);
      }
      for (Member member : active) {
        member.update(index);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    for (Member member : active) {
      listener.onStep(member.number, member.report(index, seconds));
      member.evaluate(index + 1);
    }
  }

  /// Adds the gradients of everybody's batch of that number.
  private void pass(Scope scope, List<Member> active, int pass, int index) {
    List<Member> with = new ArrayList<>();
    List<JointLoss.Part> parts = new ArrayList<>();
    List<Tensor> parameters = new ArrayList<>();
    for (Member member : active) {
      List<Batch> batches = member.step().batches();
      if (pass < batches.size() && batches.get(pass).targetCount() > 0) {
        with.add(member);
        double scale = 1.0 / member.step().targetCount();
        parts.add(
            new JointLoss.Part(
                batches.get(pass), member.trained, member.options.lossOptions(), index, scale));
        parameters.addAll(member.parameters);
      }
    }
    if (parts.isEmpty()) {
      return;
    }
    List<Loss.Value> values = new ArrayList<>();
    Gradients gradients =
        Tape.gradients(
            scope,
            parameters,
            tape -> {
              values.addAll(new JointLoss(tape, model, parts).values(tape));
              Tensor sum = values.getFirst().total();
              for (Loss.Value value : values.subList(1, values.size())) {
                sum = Elementwise.add(tape, sum, value.total());
              }
              return sum;
            });
    for (int i = 0; i < with.size(); i++) {
      with.get(i).add(values.get(i), gradients);
    }
  }

  /// One run on its way.
  private final class Member implements AutoCloseable {
    private final int number;
    private final Trained trained;
    private final TrainOptions options;
    private final @Nullable Dataset heldOut;
    private final List<Tensor> parameters;
    private final Iterator<Step> steps;
    private final AdamW optimizer;
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> divergences = new ArrayList<>();
    private final List<Double> seconds = new ArrayList<>();
    private final List<Evaluated> evaluations = new ArrayList<>();
    private @Nullable Step step;
    private @Nullable Update update;
    private double task;
    private double divergence;
    private double norm;
    private long tokens;

    @MustBeClosed
    @SuppressWarnings("MustBeClosedChecker") // closed with the member
    Member(int number, Run run) {
      this.number = number;
      this.trained = run.trained;
      this.options = run.options;
      this.heldOut = run.heldOut;
      this.parameters = List.copyOf(trained.parameters().values());
      this.steps = new Batches(run.train, options.batches()).from(Cursor.START);
      this.optimizer = Update.optimizer(trained, options.adamW());
    }

    private static <T> T begun(@Nullable T value) {
      if (value == null) {
        throw new IllegalStateException("no step has begun");
      }
      return value;
    }

    Step step() {
      return begun(step);
    }

    void begin(Scope scope) {
      step = steps.next();
      update = new Update(scope, trained);
      task = 0;
      divergence = 0;
    }

    void add(Loss.Value value, Gradients gradients) {
      task += value.task();
      divergence += value.divergence();
      begun(update).add(gradients);
    }

    void update(int index) {
      long targets = Math.max(1, step().targetCount());
      task /= targets;
      divergence /= targets;
      double penalty = begun(update).addPenalty();
      finite(index, "loss", task + options.dropout().lambda() * divergence + penalty);
      norm = begun(update).norm();
      finite(index, "gradient norm", norm);
      begun(update)
          .apply(optimizer, index, norm, options.maxGradNorm(), options.schedule().at(index));
      losses.add(task);
      divergences.add(divergence);
      tokens += step().tokens();
    }

    private void finite(int index, String what, double value) {
      if (!Double.isFinite(value)) {
        throw new NonFiniteLossException(index + 1, what, value, null);
      }
    }

    StepReport report(int index, double duration) {
      seconds.add(duration);
      return new StepReport(
          index + 1,
          options.steps(),
          step().cursor().epoch(),
          task,
          divergence,
          options.schedule().at(index),
          norm,
          step().tokens(),
          duration,
          NativeMemory.liveBytes(model.device()));
    }

    void evaluate(int made) {
      boolean due = options.evalEvery() > 0 && made % options.evalEvery() == 0;
      if (heldOut != null && due && made < options.steps()) {
        Evaluation evaluation = Evaluation.of(model, trained, heldOut, done -> {});
        evaluations.add(new Evaluated(made, evaluation.loss(), evaluation.tokens()));
        listener.onEvaluation(number, made, evaluation);
      }
    }

    TrainResult result() {
      double all = seconds.stream().mapToDouble(s -> s).sum();
      return new TrainResult(
          End.COMPLETED,
          options.steps(),
          losses,
          divergences,
          evaluations,
          null,
          all == 0 ? 0 : tokens / all);
    }

    @Override
    public void close() {
      optimizer.close();
    }
  }
}
