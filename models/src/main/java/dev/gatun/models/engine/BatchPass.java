package dev.gatun.models.engine;

import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.FrozenWeights;
import dev.gatun.models.nn.KvCache;
import dev.gatun.models.train.Evaluation.Average;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// One pass of the model over some texts. For the engine's thread alone.
///
/// Each lane of a text is a sequence of the batch; those through one adapter lie together. So a
/// pass knows an ensemble only where its lanes are averaged, behind the model: one row of logits
/// comes of each text, whatever it runs through.
final class BatchPass {
  private final CausalLm model;
  private final FrozenWeights weights;
  private final AdapterStore adapters;
  private final List<RunningText> texts;
  private final List<Lane> lanes;
  private final List<RunningText> due;

  /// @param weights the model's, in the form that its products take
  /// @param texts at least one; if the adapter of one replaces weights, it is that of all
  BatchPass(CausalLm model, FrozenWeights weights, AdapterStore adapters, List<RunningText> texts) {
    this.model = model;
    this.weights = weights;
    this.adapters = adapters;
    this.texts =
        texts.stream().sorted(Comparator.comparingLong(text -> order(text.adapter()))).toList();
    this.lanes =
        this.texts.stream()
            .flatMap(text -> text.lanes().stream())
            .sorted(Comparator.comparingLong(lane -> order(lane.adapter())))
            .toList();
    this.due = this.texts.stream().filter(text -> text.feed() == text.pending()).toList();
  }

  private static long order(@Nullable AdapterHandle adapter) {
    return adapter == null ? 0 : adapter.generation();
  }

  /// Returns the texts whose last token is in the pass.
  List<RunningText> due() {
    return due;
  }

  /// Runs the model.
  ///
  /// @return V logits behind each text that is due
  float[] logits(Scope scope) {
    int[] offsets = new int[lanes.size() + 1];
    List<KvCache.Sequence> sequences = new ArrayList<>();
    for (int i = 0; i < lanes.size(); i++) {
      Lane lane = lanes.get(i);
      offsets[i + 1] = offsets[i] + lane.text().feed();
      lane.lastRow(offsets[i + 1] - 1);
      sequences.add(lane.sequence());
    }
    int[] ids = new int[offsets[lanes.size()]];
    for (int i = 0; i < lanes.size(); i++) {
      RunningText text = lanes.get(i).text();
      System.arraycopy(text.text(), text.length(), ids, offsets[i], text.feed());
    }
    ForwardPass.Builder builder =
        ForwardPass.of(scope, model, ids, offsets).cache(sequences).frozen(weights);
    ForwardPass pass = adapted(builder, offsets).build();
    Tensor hidden = model.hidden(scope, pass, false); // (N, C)
    if (due.isEmpty()) {
      return new float[0];
    }
    long[] rows =
        due.stream().flatMap(text -> text.lanes().stream()).mapToLong(Lane::lastRow).toArray();
    if (rows.length < ids.length || IntStream.range(0, rows.length).anyMatch(i -> rows[i] != i)) {
      hidden = Layout.rows(scope, hidden, scope.of(rows, rows.length));
    }
    Tensor read = averaged(scope, hidden, Average.LOGITS);
    Tensor logits = Layout.to(scope, model.logits(scope, read, pass), DType.F32);
    return averaged(scope, logits, Average.PROBABILITIES).toFloats();
  }

  private ForwardPass.Builder adapted(ForwardPass.Builder builder, int... offsets) {
    AdapterHandle first = texts.getFirst().adapter();
    if (first != null && texts.getLast().adapter() == first) { // they are in order
      ResidentAdapter alone = adapters.get(first);
      Map<Integer, Tensor> merged = alone.merged();
      if (merged != null && lanes.getLast().adapter() == first) { // its draws would come behind it
        return builder.replaced(merged);
      }
      builder.replaced(alone.replaced());
    }
    List<AdapterSegment> segments = new ArrayList<>();
    for (int i = 0; i < lanes.size(); ) {
      AdapterHandle adapter = lanes.get(i).adapter();
      int end = i + 1;
      while (end < lanes.size() && lanes.get(end).adapter() == adapter) {
        end++;
      }
      if (adapter != null) {
        segments.add(new AdapterSegment(offsets[i], offsets[end], adapters.get(adapter).layers()));
      }
      i = end;
    }
    return builder.segments(segments);
  }

  /// Puts one row in place of a text's lanes, where they are averaged here: probabilities behind
  /// the head; logits before it, since the head is linear and gives the mean of logits of the mean
  /// of what it reads.
  ///
  /// @param rows a row of each lane of the texts that are due, or the one that is left of them
  private Tensor averaged(Scope scope, Tensor rows, Average what) {
    if (due.stream().noneMatch(text -> text.average() == what)) {
      return rows;
    }
    List<Tensor> all = new ArrayList<>();
    long from = 0;
    for (RunningText text : due) {
      boolean isOne = what == Average.PROBABILITIES && text.average() == Average.LOGITS;
      Tensor own = Layout.narrow(scope, rows, 0, from, isOne ? 1 : text.lanes().size());
      from += own.size(0);
      if (text.average() == what) {
        own = what == Average.LOGITS ? mean(scope, own) : logOfMean(scope, own);
      }
      all.add(own);
    }
    return Layout.cat(scope, 0, all.toArray(Tensor[]::new));
  }

  private static Tensor mean(Scope scope, Tensor rows) {
    return Elementwise.scale(scope, Reduce.sum(scope, rows, true, 0), 1.0 / rows.size(0));
  }

  /// Returns the logarithms of the mean of rows' probabilities. They are never probabilities on the
  /// way: an id that is all but impossible, yet the only one that a constraint allows, keeps its
  /// rank.
  ///
  /// @param logits `(D, V)`, f32
  /// @return `(1, V)`
  static Tensor logOfMean(Scope scope, Tensor logits) {
    Tensor shifted = Elementwise.sub(scope, logits, Reduce.max(scope, logits, 1));
    Tensor total = Reduce.sum(scope, Elementwise.exp(scope, shifted), true, 1); // (D, 1)
    Tensor logs = Elementwise.sub(scope, shifted, Elementwise.log(scope, total));
    Tensor largest = Reduce.max(scope, logs, 0); // (1, V)
    Tensor shares = Elementwise.exp(scope, Elementwise.sub(scope, logs, largest));
    return Elementwise.add(scope, largest, Elementwise.log(scope, mean(scope, shares)));
  }
}
