package dev.gatun.models;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.Example;
import dev.gatun.models.data.SequenceLabel;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory.Use;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// A tiny frozen model with the head of a task, an adapter that peft wrote, and a scope for what a
/// test makes.
public record AdaptedTask(TaskModel model, LoraAdapter adapter, Scope scope)
    implements AutoCloseable {
  /// Opens a model with every linear layer adapted and its head replaced.
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with the record
  public static AdaptedTask open(String name, DType compute) throws IOException {
    TaskModel model = TaskCases.read(name).open(compute, Use.FROZEN);
    Scope scope = TestDevice.open();
    return new AdaptedTask(
        model,
        LoraAdapter.load(scope, model, Parity.model(name).resolve("adapters/all-linear")),
        scope);
  }

  /// Returns what fixtures/task_training.py wrote of a model's run.
  public static SafetensorsFile run(String name) throws IOException {
    return Parity.open(Parity.model(name).resolve("train/run.safetensors"));
  }

  /// Returns the eight rows of that run.
  public static List<Example> rows(String name) throws IOException {
    SafetensorsFile file = run(name);
    List<Example> rows = new ArrayList<>();
    for (int i = 0; file.tensors().containsKey("ids." + i); i++) {
      SequenceLabel label;
      if (file.tensors().containsKey("labels")) {
        label = new SequenceLabel.Category(Parity.ints(file, "labels")[i]);
      } else if (file.tensors().containsKey("targets")) {
        label = new SequenceLabel.Quantity(Parity.doubles(file, "targets")[i]);
      } else {
        label =
            new SequenceLabel.Span(Parity.ints(file, "starts")[i], Parity.ints(file, "ends")[i]);
      }
      rows.add(Example.labelled(i, i, Parity.ints(file, "ids." + i), label));
    }
    return rows;
  }

  /// Returns the loss of model and adapter.
  public LanguageModelLoss loss(
      Dropout dropout, long seed, boolean checkpointing, boolean oneBatch) {
    return new LanguageModelLoss(
        model, adapter, new LanguageModelLoss.Options(dropout, seed, checkpointing, oneBatch));
  }

  /// Returns the adapter's tensors as they are now.
  public Map<String, double[]> values() {
    Map<String, double[]> values = new LinkedHashMap<>();
    adapter.parameters().forEach((name, tensor) -> values.put(name, Parity.doubles(tensor)));
    return values;
  }

  /// Returns the gradients of the adapter's tensors.
  public Map<String, double[]> gradients(Function<Scope, Tensor> loss) {
    Map<String, double[]> values = new LinkedHashMap<>();
    try (Scope owner = TestDevice.open()) {
      Gradients gradients = Tape.gradients(owner, adapter.parameters().values(), loss);
      adapter
          .parameters()
          .forEach((name, tensor) -> {
            Tensor gradient = gradients.of(tensor);
            values.put(
                name,
                gradient == null ? new double[(int) tensor.elements()] : Parity.doubles(gradient));
          });
    }
    return values;
  }

  @Override
  public void close() {
    scope.close();
    model.close();
  }
}
