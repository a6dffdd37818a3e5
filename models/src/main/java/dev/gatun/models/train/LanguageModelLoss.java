package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Loss;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The loss of next-token prediction over one batch, with one branch or, for HiddenKey, two.
///
/// @param model the model
/// @param addition what goes with it
/// @param options how it is computed
public record LanguageModelLoss(CausalLm model, PassAddition addition, Options options) {
  /// How the loss is computed.
  ///
  /// @param dropout the method; [Dropout#NONE] for evaluation
  /// @param seed seed of the masks
  /// @param checkpointing whether a layer's activations are computed again for its gradient, not
  ///   saved
  /// @param oneBatch whether HiddenKey's two branches run as one batch of twice the rows
  public record Options(Dropout dropout, long seed, boolean checkpointing, boolean oneBatch) {
    /// Options for evaluation: no dropout.
    public static final Options EVALUATION = new Options(Dropout.NONE, 0, false, false);
  }

  /// {@return the loss, scaled}
  ///
  /// HiddenKey's second branch starts at the first masked layer from the activation that both
  /// share.
  ///
  /// @param scope owner of the result; a tape to differentiate
  /// @param batch at least one predicted token
  /// @param step optimizer step, for the masks
  /// @param scale 1 / predicted tokens of the whole optimizer step
  public Loss.Value of(Scope scope, Batch batch, int step, double scale) {
    try (Scope block = scope.child()) {
      Dropout dropout = options.dropout;
      // the pass lives as long as the tape, whose gradients and replays read it
      ForwardPass plain =
          addition
              .join(ForwardPass.of(scope, model, batch.ids(), batch.offsets()), batch.tokens())
              .build();
      int[] targets = batch.targets();
      long[] rows = predicting(targets);
      long[] labels = Arrays.stream(rows).map(row -> targets[(int) row]).toArray();
      int split = dropout.masks() ? dropout.firstLayer(model.layers()) : 0;
      Tensor shared =
          model.layers(block, model.embed(block, plain), plain, 0, split, options.checkpointing);
      Loss.Value value;
      if (!dropout.twoBranches()) {
        Tensor hidden = branch(block, shared, plain, batch, step, 0, split);
        value = Loss.crossEntropy(block, picked(block, hidden, rows), head(plain), labels, scale);
      } else {
        Tensor[] both =
            options.oneBatch
                ? together(block, scope, shared, batch, step, split)
                : apart(block, shared, plain, batch, step, split);
        value =
            Loss.hiddenKey(
                block,
                picked(block, both[0], rows),
                picked(block, both[1], rows),
                head(plain),
                labels,
                scale,
                dropout.lambda(),
                dropout.bothBranches());
      }
      return new Loss.Value(scope.keep(value.total()), value.task(), value.divergence());
    }
  }

  private Tensor head(ForwardPass pass) {
    return pass.value(model.head());
  }

  private Tensor branch(
      Scope scope, Tensor shared, ForwardPass plain, Batch batch, int step, int branch, int split) {
    DropoutMasks masks =
        options.dropout.masks()
            ? new DropoutMasks(
                options.dropout,
                options.seed,
                step,
                same(branch, batch),
                batch.rows(),
                model.layers())
            : null;
    ForwardPass pass = plain.withMasks(masks);
    Tensor last = model.layers(scope, shared, pass, split, model.layers(), options.checkpointing);
    return model.lastNorm(scope, last, pass);
  }

  private static int[] same(int branch, Batch batch) {
    int[] branches = new int[batch.segments()];
    Arrays.fill(branches, branch);
    return branches;
  }

  private Tensor[] apart(
      Scope scope, Tensor shared, ForwardPass plain, Batch batch, int step, int split) {
    Tensor first = branch(scope, shared, plain, batch, step, 0, split);
    if (options.dropout.bothBranches()) {
      return new Tensor[] {first, branch(scope, shared, plain, batch, step, 1, split)};
    }
    try (Scope constant = scope.untaped()) {
      return new Tensor[] {
        first, scope.keep(branch(constant, shared, plain, batch, step, 1, split))
      };
    }
  }

  /// Both branches in one batch of twice the rows, each row with its own branch's masks.
  private Tensor[] together(
      Scope scope, Scope tape, Tensor shared, Batch batch, int step, int split) {
    int tokens = batch.tokens();
    int segments = batch.segments();
    int[] ids = twice(batch.ids());
    int[] offsets = new int[2 * segments + 1];
    for (int i = 0; i <= segments; i++) {
      offsets[i] = batch.offsets()[i];
      offsets[segments + i] = tokens + batch.offsets()[i];
    }
    int[] branches = new int[2 * segments];
    Arrays.fill(branches, segments, 2 * segments, 1);
    DropoutMasks masks =
        new DropoutMasks(
            options.dropout, options.seed, step, branches, twice(batch.rows()), model.layers());
    ForwardPass pass =
        addition.join(ForwardPass.of(tape, model, ids, offsets), ids.length).masks(masks).build();
    Tensor doubled = Layout.cat(scope, 0, shared, shared);
    Tensor last = model.layers(scope, doubled, pass, split, model.layers(), options.checkpointing);
    return Layout.split(scope, model.lastNorm(scope, last, pass), 0, tokens, tokens);
  }

  private static int[] twice(int[] values) {
    int[] doubled = Arrays.copyOf(values, 2 * values.length);
    System.arraycopy(values, 0, doubled, values.length, values.length);
    return doubled;
  }

  private static long[] predicting(int[] targets) {
    return IntStream.range(0, targets.length)
        .filter(i -> targets[i] != Example.IGNORED)
        .asLongStream()
        .toArray();
  }

  private static Tensor picked(Scope scope, Tensor hidden, long[] rows) {
    return Layout.rows(scope, hidden, scope.of(rows, rows.length));
  }
}
