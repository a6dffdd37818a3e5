package dev.gatun.models.train;

import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// All weights of a model, trained in place: full fine-tuning, or training from random weights.
public final class FullWeights implements Trained {
  private final ModelDirectory directory;
  private final @Nullable Task task;
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();

  /// Takes the weights of a model that was opened to be trained.
  ///
  /// @param directory where the model's config and tokenizer are
  /// @param model opened with [ModelDirectory.Use#TRAINED] or fresh
  /// @throws IllegalArgumentException if its weights are read-only
  public FullWeights(ModelDirectory directory, Transformer model) {
    this.directory = directory;
    this.task = model instanceof TaskModel head ? head.task() : null;
    for (Param param : model.params()) {
      if (param.value().isReadOnly()) {
        throw new IllegalArgumentException("weight " + param.name() + " is mapped read-only");
      }
      parameters.put(param.name(), param.value());
    }
  }

  @Override
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  @Override
  public ForwardPass.Builder join(ForwardPass.Builder pass, int tokens) {
    return pass;
  }

  /// Writes a model directory, the weights in the type that config.json names.
  @Override
  public void save(Path target) throws IOException {
    DType stored = directory.weightType();
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> typed = new LinkedHashMap<>();
      parameters.forEach((name, tensor) -> typed.put(name, Layout.as(scope, tensor, stored)));
      if (task == null) {
        directory.write(target, typed);
      } else {
        directory.write(target, typed, task);
      }
    }
  }
}
