package dev.gatun.models.engine;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.baseline.Adapters;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.Evaluation;
import dev.gatun.models.zoo.TaskConfig;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Classes or numbers of texts by a model with a head for sequences, many callers' in one pass.
///
/// It batches as [TextEncoder] does, and its threads are the same: one platform thread makes all
/// native calls; every method here may be called from any thread, and waits for what it returns.
public final class TextClassifier implements AutoCloseable {
  /// What the outputs mean.
  public enum Kind {
    /// Classes that exclude each other: their probabilities add up to 1.
    ONE_LABEL,
    /// Labels that are there or not, each on its own (`problem_type` `multi_label_classification`).
    MULTI_LABEL,
    /// One number.
    REGRESSION
  }

  private final Passes passes;
  private final Kind kind;
  private final boolean causal;
  private final List<String> labels;
  private final int vocabulary;
  private final int maxTokens;

  @SuppressWarnings("MustBeClosedChecker") // closed with the classifier
  private TextClassifier(
      ModelDirectory directory,
      @Nullable Path adapter,
      @Nullable AdapterEnsemble ensemble,
      Device device,
      DType compute,
      EncoderOptions options)
      throws IOException {
    boolean several = TaskConfig.isMultiLabel(directory.config());
    Task task =
        several ? Task.classification(TaskConfig.labels(directory.config())) : directory.task();
    if (task == null || !task.isOfSequences()) {
      throw directory.config().refused("architectures", "a model ForSequenceClassification");
    }
    this.labels = task.labels();
    if (several) {
      this.kind = Kind.MULTI_LABEL;
    } else {
      this.kind = task.kind() == Task.Kind.REGRESSION ? Kind.REGRESSION : Kind.ONE_LABEL;
    }
    Body[] opened = new Body[1];
    this.passes =
        new Passes(
            "classifier",
            options,
            ensemble == null ? 1 : ensemble.instances(),
            () -> {
              TaskModel model =
                  directory.openTask(task, device, compute, ModelDirectory.Use.FROZEN, 0);
              opened[0] = Body.of(directory, model, kind, adapter, ensemble);
              return opened[0];
            });
    TaskModel model = opened[0].model;
    this.causal = model.isCausal();
    this.vocabulary = model.vocabulary();
    this.maxTokens = model.maxPositions();
  }

  /// Opens a classifier.
  ///
  /// @param directory a model directory whose config.json names a head for sequences
  /// @param adapter an adapter directory, PEFT's or ours, with the head that was trained with it;
  ///   or null
  /// @param ensemble draws of the adapter's masks to average over, in one pass; or null for the
  ///   adapter as it is
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param options the limits
  /// @return the classifier, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, the model has no head for sequences,
  ///   or neither directory has its weights
  /// @throws IllegalArgumentException if there is an ensemble of no adapter, or of one that is not
  ///   of the LoRA family
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  public static TextClassifier open(
      ModelDirectory directory,
      @Nullable Path adapter,
      @Nullable AdapterEnsemble ensemble,
      Device device,
      DType compute,
      EncoderOptions options)
      throws IOException {
    return new TextClassifier(directory, adapter, ensemble, device, compute, options);
  }

  /// {@return what the outputs mean}
  public Kind kind() {
    return kind;
  }

  /// {@return the names of the outputs, in their order: config.json's `id2label`}
  public List<String> labels() {
    return labels;
  }

  /// {@return whether the model is a decoder, which reads texts in another form}
  public boolean isCausal() {
    return causal;
  }

  /// {@return the number of ids}
  public int vocabulary() {
    return vocabulary;
  }

  /// {@return ids of a text at most}
  public int maxTokens() {
    return maxTokens;
  }

  /// {@return the outputs of each text before softmax or sigmoid, one of each label; of an ensemble
  /// of probabilities, their logits}
  ///
  /// @param texts ids of each, special tokens included
  /// @throws ShapeException if a text is empty, has an id outside the vocabulary or more ids than
  ///   [#maxTokens()]
  /// @throws EngineException if too many calls wait, the pass fails, or the classifier is closed
  public float[][] logits(List<int[]> texts) {
    TextEncoder.check(texts, vocabulary, maxTokens);
    return passes.run(texts);
  }

  /// {@return the probability of each label of each text, or the number of a regression}
  ///
  /// @param texts as in [#logits]
  /// @throws ShapeException as [#logits]
  /// @throws EngineException as [#logits]
  public float[][] scores(List<int[]> texts) {
    float[][] scores = logits(texts);
    for (int i = 0; i < scores.length; i++) {
      double[] of = probabilities(kind, scores[i]);
      for (int k = 0; k < of.length; k++) {
        scores[i][k] = (float) of[k];
      }
    }
    return scores;
  }

  private static double[] probabilities(Kind kind, float... outputs) {
    return switch (kind) {
      case ONE_LABEL -> Task.softmax(outputs);
      case MULTI_LABEL -> {
        double[] p = new double[outputs.length];
        Arrays.setAll(p, i -> 1 / (1 + Math.exp(-outputs[i])));
        yield p;
      }
      case REGRESSION -> {
        double[] same = new double[outputs.length];
        Arrays.setAll(same, i -> outputs[i]);
        yield same;
      }
    };
  }

  /// Returns the outputs whose probabilities these are.
  private static double logit(Kind kind, double p) {
    return switch (kind) {
      case ONE_LABEL -> Math.log(p);
      case MULTI_LABEL -> Math.log(p / (1 - p));
      case REGRESSION -> p;
    };
  }

  /// Closes the classifier after the pass under way; calls that wait end in an [EngineException].
  /// Closing twice does nothing.
  @Override
  public void close() {
    passes.close();
  }

  /// The model with its adapter.
  ///
  /// @param draws an ensemble's branches under each draw; none without one
  /// @param average what the draws are averaged over
  /// @param owner owner of the adapter
  private record Body(
      TaskModel model,
      Kind kind,
      PassAddition adapter,
      List<@Nullable AdapterLayer[]> draws,
      Evaluation.Average average,
      Scope owner)
      implements Passes.Model {
    @SuppressWarnings("MustBeClosedChecker") // closed with the record
    static Body of(
        ModelDirectory directory,
        TaskModel model,
        Kind kind,
        @Nullable Path path,
        @Nullable AdapterEnsemble ensemble)
        throws IOException {
      Scope owner = Scope.open(model.device());
      try {
        PassAddition adapter = path == null ? PassAddition.NONE : Adapters.load(owner, model, path);
        checkHead(directory, model, adapter);
        if (ensemble == null) {
          return new Body(model, kind, adapter, List.of(), Evaluation.Average.LOGITS, owner);
        }
        if (!(adapter instanceof LoraAdapter lora)) {
          throw new IllegalArgumentException(
              "ensemble: found %s, expected an adapter of the LoRA family"
                  .formatted(path == null ? "no adapter" : path));
        }
        return new Body(
            model, kind, adapter, ensemble.draws(owner, lora), ensemble.average(), owner);
      } catch (IOException | RuntimeException e) {
        owner.close();
        model.close();
        throw e;
      }
    }

    /// Refuses a head that was drawn at random and that no adapter replaces.
    private static void checkHead(ModelDirectory directory, TaskModel model, PassAddition adapter)
        throws MalformedFileException {
      List<String> lacking = new ArrayList<>();
      try (Scope block = Scope.open(model.device())) {
        ForwardPass.Builder one = adapter.join(ForwardPass.of(block, model, new int[1], 0, 1), 1);
        for (Param param : model.headParams()) {
          if (model.fresh().contains(param.name()) && !one.replaced().containsKey(param.index())) {
            lacking.add(param.name());
          }
        }
      }
      if (!lacking.isEmpty()) {
        throw new MalformedFileException(
            directory.path(),
            "weights",
            "no " + String.join(", no ", lacking),
            "the head's weights, here or with the adapter");
      }
    }

    @Override
    public List<float[]> run(List<int[]> texts) {
      List<float[]> outputs = new ArrayList<>();
      if (draws.isEmpty()) {
        outputs.addAll(outputs(texts, List.of()));
        return outputs;
      }
      List<float[]> all = new ArrayList<>();
      if (model.mixesAdapters()) {
        all.addAll(outputs(texts, draws));
      } else { // one draw after the other
        draws.forEach(draw -> all.addAll(outputs(texts, List.<@Nullable AdapterLayer[]>of(draw))));
      }
      for (int i = 0; i < texts.size(); i++) {
        double[] mean = new double[model.task().outputs()];
        for (int d = 0; d < draws.size(); d++) {
          float[] one = all.get(d * texts.size() + i);
          double[] values =
              probabilities(average == Evaluation.Average.LOGITS ? Kind.REGRESSION : kind, one);
          for (int k = 0; k < mean.length; k++) {
            mean[k] += values[k] / draws.size();
          }
        }
        float[] averaged = new float[mean.length];
        for (int k = 0; k < mean.length; k++) {
          averaged[k] =
              (float) (average == Evaluation.Average.LOGITS ? mean[k] : logit(kind, mean[k]));
        }
        outputs.add(averaged);
      }
      return outputs;
    }

    /// Returns the outputs of all texts through the adapter, or under each draw one after the
    /// other.
    private List<float[]> outputs(List<int[]> texts, List<@Nullable AdapterLayer[]> through) {
      int times = Math.max(1, through.size());
      Rows rows = Rows.of(texts, times);
      int tokens = rows.ids().length;
      try (Scope scope = Scope.open(model.device())) {
        ForwardPass.Builder pass = adapter.join(rows.pass(scope, model), tokens);
        if (!through.isEmpty()) {
          int each = tokens / times;
          List<AdapterSegment> segments = new ArrayList<>();
          for (int d = 0; d < times; d++) {
            segments.add(new AdapterSegment(d * each, (d + 1) * each, through.get(d)));
          }
          pass.segments(segments);
        }
        Tensor outputs = model.outputs(scope, pass.build(), false); // (times B, K)
        float[] all = Layout.as(scope, outputs, DType.F32).toFloats();
        int width = model.task().outputs();
        List<float[]> each = new ArrayList<>();
        for (int from = 0; from < all.length; from += width) {
          each.add(Arrays.copyOfRange(all, from, from + width));
        }
        return each;
      }
    }

    @Override
    public void close() {
      owner.close();
      model.close();
    }
  }
}
