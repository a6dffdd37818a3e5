package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.dropout.Agreement;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.dropout.DropoutMasks.Source;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.FrozenWeights;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Sublayers;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The losses of one or several runs, in one pass over the shared model, whose head says what is
/// learnt.
///
/// Each run's rows appear once for each instance of its masks, and once more for each second
/// branch. The layers below the first masked one see every row once. Each run may have a head of
/// its own. Where a model cannot mix adapters in a pass, rows of different ones go through it one
/// after the other.
final class JointLoss {
  /// One run's share of a pass.
  ///
  /// @param batch at least one label
  /// @param addition the run's adapter
  /// @param options the run's options; `checkpointing` and `oneBatch` are the first run's
  /// @param step optimizer step, for the masks
  /// @param scale 1 / labels of the whole optimizer step
  record Part(
      Batch batch,
      PassAddition addition,
      LanguageModelLoss.Options options,
      int step,
      double scale) {
    Dropout dropout() {
      return options.dropout();
    }

    /// Returns whether the second branch has masks of its own, not none.
    boolean masksBoth() {
      return dropout().twoBranches() && dropout().agreement() == Agreement.KL;
    }
  }

  /// A run's rows under one draw of its masks.
  ///
  /// @param part the run
  /// @param instance draw of the masks
  /// @param branch 0, 1, or [#UNMASKED]
  private record Copy(int part, int instance, int branch) {
    static final int UNMASKED = -1;

    int pass() {
      return 2 * instance + branch;
    }
  }

  /// What a run brings into a pass.
  private record Joined(
      List<AdapterSegment> segments,
      Map<Integer, Tensor> replaced,
      @Nullable FrozenWeights frozen,
      Sublayers sublayers) {}

  private final Scope tape;
  private final Transformer model;
  private final Objective objective;
  private final List<Part> parts;
  private final int[] starts;
  private final List<Joined> joined = new ArrayList<>();
  private final ForwardPass plain;
  private final int split;
  private final boolean checkpointing;

  /// @param tape owner of what the gradients and replays read
  JointLoss(Scope tape, Transformer model, List<Part> parts) {
    this.tape = tape;
    this.model = model;
    this.objective = Objective.of(model);
    this.parts = parts;
    this.checkpointing = parts.getFirst().options.checkpointing();
    this.starts = new int[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      Batch batch = parts.get(i).batch;
      starts[i + 1] = starts[i] + batch.tokens();
      ForwardPass.Builder builder =
          parts
              .get(i)
              .addition
              .join(ForwardPass.of(tape, model, batch.ids(), batch.offsets()), batch.tokens());
      if (parts.size() > 1 && changesAllRows(builder)) {
        throw new IllegalArgumentException(
            "runs side by side: found one that changes the model for all rows, expected adapters"
                + " alone");
      }
      joined.add(
          new Joined(
              builder.segments(), builder.replaced(), builder.frozen(), builder.sublayers()));
    }
    this.split =
        parts.size() > 1 && !model.mixesAdapters()
            ? 0
            : parts.stream()
                .mapToInt(p -> p.dropout().sharedLayers(model.layers()))
                .min()
                .orElseThrow();
    this.plain = pass(IntStream.range(0, parts.size()).mapToObj(JointLoss::unmasked).toList());
  }

  private boolean changesAllRows(ForwardPass.Builder builder) {
    boolean beyondHead =
        model.params().stream()
            .anyMatch(weight ->
                builder.replaced().containsKey(weight.index()) && !objective.isOfHead(weight));
    return beyondHead || !builder.sublayers().equals(Sublayers.NONE);
  }

  private static Copy unmasked(int part) {
    return new Copy(part, 0, Copy.UNMASKED);
  }

  /// Returns the loss of each run.
  ///
  /// @param owner owner of the totals; records where the tape does
  List<Loss.Value> values(Scope owner) {
    try (Scope block = owner.child()) {
      List<Copy> firsts = new ArrayList<>();
      List<Copy> seconds = new ArrayList<>();
      for (int p = 0; p < parts.size(); p++) {
        Part part = parts.get(p);
        for (Copy copy : firsts(p)) {
          firsts.add(copy);
          if (part.masksBoth()) {
            seconds.add(new Copy(p, copy.instance, 1));
          }
        }
        if (part.dropout().twoBranches() && !part.masksBoth()) {
          seconds.add(unmasked(p));
        }
      }
      Tensor embedded = model.embed(block, plain);
      Tensor shared = model.layers(block, embedded, plain, 0, split, checkpointing);
      Hidden first;
      Hidden second;
      if (seconds.isEmpty()) {
        first = hidden(block, shared, firsts);
        second = first;
      } else if (parts.getFirst().options.oneBatch()) {
        List<Copy> all = new ArrayList<>(firsts);
        all.addAll(seconds);
        first = hidden(block, shared, all);
        second = first;
      } else {
        first = hidden(block, shared, firsts);
        second = secondBranches(block, shared, seconds);
      }
      List<Loss.Value> values = new ArrayList<>();
      for (int p = 0; p < parts.size(); p++) {
        Loss.Value value = value(block, p, first, second);
        values.add(new Loss.Value(owner.keep(value.total()), value.task(), value.divergence()));
      }
      return values;
    }
  }

  private Hidden secondBranches(Scope scope, Tensor shared, List<Copy> seconds) {
    if (parts.stream().anyMatch(part -> part.dropout().bothBranches())) {
      return hidden(scope, shared, seconds);
    }
    try (Scope constant = scope.untaped()) {
      return hidden(constant, shared, seconds).keptBy(scope);
    }
  }

  /// Returns what a single run's model says of its batch, without a gradient: the mean over the
  /// draws of its masks.
  ///
  /// @param average what the mean is taken of
  Objective.Said say(Evaluation.Average average) {
    Part part = parts.getFirst();
    List<Copy> copies = firsts(0);
    try (Scope block = tape.child()) {
      Tensor embedded = model.embed(block, plain);
      Tensor shared = model.layers(block, embedded, plain, 0, split, false);
      Reading draws = hidden(block, shared, copies).of(copies);
      return objective.say(block, draws, part.batch, average);
    }
  }

  /// Returns the copies of a run that its task's loss is of.
  private List<Copy> firsts(int part) {
    return IntStream.range(0, parts.get(part).dropout().draws())
        .mapToObj(i -> new Copy(part, i, 0))
        .toList();
  }

  /// Activations of some copies, one after the other.
  private final class Hidden {
    private final List<Copy> copies;
    private final Tensor states;

    Hidden(List<Copy> copies, Tensor states) {
      this.copies = copies;
      this.states = states;
    }

    Hidden keptBy(Scope scope) {
      return new Hidden(copies, scope.keep(states));
    }

    /// Returns the rows of some copies of one run.
    Reading of(List<Copy> wanted) {
      int part = wanted.getFirst().part;
      return new Reading(
          states,
          wanted.stream().mapToLong(this::start).toArray(),
          parts.get(part).batch.tokens(),
          joined.get(part).replaced,
          () -> parts.size() == 1 && wanted.size() == 1 ? plain : pass(wanted));
    }

    private long start(Copy wanted) {
      long start = 0;
      for (Copy copy : copies) {
        if (copy.equals(wanted)) {
          return start;
        }
        start += parts.get(copy.part).batch.tokens();
      }
      throw new IllegalArgumentException("no " + wanted);
    }
  }

  private Hidden hidden(Scope scope, Tensor shared, List<Copy> copies) {
    if (copies.size() > 1 && !model.mixesAdapters() && !sameAdapters(copies)) {
      List<Tensor> each = new ArrayList<>();
      for (Copy copy : copies) {
        each.add(hidden(scope, shared, List.of(copy)).states);
      }
      return new Hidden(copies, Layout.cat(scope, 0, each.toArray(Tensor[]::new)));
    }
    boolean sameRows = isInOrder(copies) && copies.stream().noneMatch(this::masksAdapters);
    ForwardPass pass = sameRows ? plain.withMasks(masks(copies)) : pass(copies);
    Tensor start = pass.dropInput(scope, copied(scope, shared, copies));
    Tensor last = model.layers(scope, start, pass, split, model.layers(), checkpointing);
    return new Hidden(copies, pass.dropOutput(scope, model.lastNorm(scope, last, pass)));
  }

  /// Returns whether each run's rows are there once, in order, as in the plain pass.
  private boolean isInOrder(List<Copy> copies) {
    return copies.size() == parts.size()
        && IntStream.range(0, copies.size()).allMatch(i -> copies.get(i).part == i);
  }

  private boolean sameAdapters(List<Copy> copies) {
    return copies.stream().noneMatch(this::masksAdapters)
        && copies.stream().allMatch(copy -> copy.part == copies.getFirst().part);
  }

  private boolean masksAdapters(Copy copy) {
    Dropout dropout = parts.get(copy.part).dropout();
    return copy.branch != Copy.UNMASKED && dropout.mask(Position.ADAPTER).isPresent();
  }

  private Tensor copied(Scope scope, Tensor shared, List<Copy> copies) {
    if (isInOrder(copies)) {
      return shared;
    }
    Tensor[] each =
        copies.stream()
            .map(copy ->
                Layout.narrow(
                    scope, shared, 0, starts[copy.part], parts.get(copy.part).batch.tokens()))
            .toArray(Tensor[]::new);
    return Layout.cat(scope, 0, each);
  }

  private ForwardPass pass(List<Copy> copies) {
    int[] ids = new int[0];
    int[] offsets = {0};
    List<AdapterSegment> through = new ArrayList<>();
    for (Copy copy : copies) {
      Batch batch = parts.get(copy.part).batch;
      int start = ids.length;
      ids = joined(ids, batch.ids());
      int[] ends = Arrays.stream(batch.offsets()).skip(1).map(offset -> start + offset).toArray();
      offsets = joined(offsets, ends);
      for (AdapterSegment segment : joined.get(copy.part).segments) {
        add(
            through,
            new AdapterSegment(
                start + segment.start(), start + segment.end(), layers(copy, segment.layers())));
      }
    }
    ForwardPass.Builder builder = ForwardPass.of(tape, model, ids, offsets).segments(through);
    int part = copies.getFirst().part;
    if (copies.stream().allMatch(copy -> copy.part == part)) {
      Joined own = joined.get(part);
      builder.replaced(own.replaced).frozen(own.frozen).sublayers(own.sublayers);
    }
    return builder.masks(masks(copies)).build();
  }

  /// Adds rows to the segment before them where both go through the same adapter.
  private static void add(List<AdapterSegment> segments, AdapterSegment next) {
    AdapterSegment last = segments.isEmpty() ? null : segments.getLast();
    if (last != null && last.end() == next.start() && Arrays.equals(last.layers(), next.layers())) {
      segments.removeLast();
      segments.add(new AdapterSegment(last.start(), next.end(), next.layers()));
    } else {
      segments.add(next);
    }
  }

  private static int[] joined(int[] a, int[] b) {
    int[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /// Returns an adapter's branches under a copy's masks of A and B.
  private @Nullable AdapterLayer[] layers(Copy copy, @Nullable AdapterLayer[] layers) {
    return masksAdapters(copy) ? AdapterSegment.masked(tape, source(copy, 0), layers) : layers;
  }

  private Source source(Copy copy, int row) {
    Part part = parts.get(copy.part);
    return copy.branch == Copy.UNMASKED
        ? new Source(Dropout.NONE, part.options.seed(), part.step, 0, row)
        : new Source(part.dropout(), part.options.seed(), part.step, copy.pass(), row);
  }

  private @Nullable DropoutMasks masks(List<Copy> copies) {
    List<Source> sources = new ArrayList<>();
    for (Copy copy : copies) {
      for (int row : parts.get(copy.part).batch.rows()) {
        sources.add(source(copy, row));
      }
    }
    return sources.stream().anyMatch(source -> source.dropout().drops())
        ? new DropoutMasks(sources, model.layers())
        : null;
  }

  private Loss.Value value(Scope scope, int p, Hidden first, Hidden second) {
    Part part = parts.get(p);
    Dropout dropout = part.dropout();
    int instances = dropout.draws();
    Reading other = null;
    if (dropout.twoBranches()) {
      other =
          second.of(
              IntStream.range(0, instances)
                  .mapToObj(i -> part.masksBoth() ? new Copy(p, i, 1) : unmasked(p))
                  .toList());
    }
    Loss.Value value =
        objective.value(
            scope, first.of(firsts(p)), other, part.batch, part.scale / instances, part.options);
    return new Loss.Value(value.total(), value.task() / instances, value.divergence() / instances);
  }
}
