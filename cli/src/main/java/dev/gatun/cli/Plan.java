package dev.gatun.cli;

import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.train.TrainOptions;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a run will do, worked out before it starts.
record Plan(
    Transformer model,
    Trained trained,
    TrainOptions options,
    FinetuneCommand.Sets sets,
    int maxLength,
    FinetuneArguments course,
    int threads) {
  private static final double LOGIT_BUFFERS = 4 * 6e6 * 4;

  long modelParameters() {
    return model.params().stream().mapToLong(p -> p.value().elements()).sum();
  }

  long trainedParameters() {
    return trained.parameters().values().stream().mapToLong(Tensor::elements).sum();
  }

  /// Estimates the bytes of a step: copied weights, trained tensors with gradient and two moments,
  /// saved activations and the logits of a chunk.
  long memory() {
    long weights = 0;
    for (Param param : model.params()) {
      if (!param.value().isReadOnly()) {
        weights += param.value().elements() * param.value().dtype().bytes();
      }
    }
    long state = (course.isFull() ? 3 : 4) * 4L * trainedParameters();
    long perToken = 0;
    for (Linear linear : model.linears()) {
      perToken += linear.inputs() + 2 * linear.outputs();
    }
    long perLayer = perToken / model.layers();
    long width = model.width();
    long saved = course.checkpointing() ? model.layers() * width + perLayer : perToken;
    long longest = Math.min(maxLength, sets.train().longest());
    long activations = course.batch() * longest * saved * model.computeType().bytes();
    long logits = model instanceof CausalLm ? (long) LOGIT_BUFFERS : 0;
    return weights + state + activations + logits;
  }

  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "model      %s, %,d parameters, compute %s, %d threads"
            .formatted(model.modelType(), modelParameters(), model.computeType(), threads));
    lines.add(
        "trained    %,d parameters (%.2f %%)"
            .formatted(trainedParameters(), 100.0 * trainedParameters() / modelParameters()));
    if (model instanceof TaskModel task && !task.fresh().isEmpty()) {
      lines.add("head       new: " + String.join(", ", task.fresh()));
    }
    if (trained instanceof LoraAdapter adapter) {
      Map<String, Integer> modules = new TreeMap<>();
      for (LoraTarget target : adapter.match().targets()) {
        String name = target.module().substring(target.module().lastIndexOf('.') + 1);
        modules.merge(
            name + " r=" + target.rank() + " x%.3g".formatted(target.scaling()), 1, Integer::sum);
      }
      List<String> matched = new ArrayList<>();
      modules.forEach((name, count) -> matched.add(count + " " + name));
      lines.add("modules    " + String.join(", ", matched));
    }
    lines.add(
        "data       %,d rows, %,d tokens, %,d %s%s"
            .formatted(
                sets.train().size(),
                sets.train().tokens(),
                sets.train().targets(),
                model instanceof CausalLm ? "of them predicted" : "labels",
                sets.heldOut() == null
                    ? ", none held out"
                    : "; held out %,d rows, %,d tokens"
                        .formatted(sets.heldOut().size(), sets.heldOut().tokens())));
    if (sets.train().truncated() > 0) {
      lines.add(
          "warning    %,d rows are cut off at %d tokens"
              .formatted(sets.train().truncated(), maxLength));
    }
    lines.add(
        "steps      %,d of %d x %d rows, %s %.2e, warm-up %d, dropout %s"
            .formatted(
                options.steps(),
                options.batches().accumulation(),
                options.batches().rows(),
                options.schedule().shape().name().toLowerCase(java.util.Locale.ROOT),
                options.schedule().peak(),
                options.schedule().warmup(),
                DropoutText.of(options.dropout())));
    lines.add(
        "memory     about " + Progress.bytes(memory()) + " of native memory beside mapped weights");
    return lines;
  }

  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("model_parameters", modelParameters());
    fields.put("trained_parameters", trainedParameters());
    fields.put("modules", modules());
    fields.put("train_rows", sets.train().size());
    fields.put("train_tokens", sets.train().tokens());
    fields.put("predicted_tokens", sets.train().targets());
    fields.put("eval_rows", sets.heldOut() == null ? null : sets.heldOut().size());
    fields.put("steps", options.steps());
    fields.put("memory_bytes", memory());
    return fields;
  }

  private List<String> modules() {
    return trained instanceof LoraAdapter adapter
        ? adapter.match().targets().stream().map(LoraTarget::module).toList()
        : List.of();
  }
}
