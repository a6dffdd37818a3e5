package dev.gatun.models;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.Example;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.train.LanguageModelLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Gradients;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tape;
import dev.gatun.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A tiny frozen model of the fixtures with an adapter that peft wrote, and a scope for what a test
/// makes.
public record AdaptedModel(CausalLm model, LoraAdapter adapter, Scope scope)
    implements AutoCloseable {
  /// Opens a model with every linear layer but the head adapted.
  @MustBeClosed
  public static AdaptedModel open(String name, DType compute) throws IOException {
    return open(name, "all-linear", compute);
  }

  /// Opens a model with one of its adapters.
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with the record
  public static AdaptedModel open(String name, String variant, DType compute) throws IOException {
    Path directory = Parity.model(name);
    CausalLm model =
        ModelDirectory.read(directory).open(TestDevice.DEVICE, compute, ModelDirectory.Use.FROZEN);
    Scope scope = TestDevice.open();
    return new AdaptedModel(
        model,
        LoraAdapter.load(scope, model, directory.resolve("adapters").resolve(variant)),
        scope);
  }

  /// Returns the loss of model and adapter, without gradient checkpointing.
  public LanguageModelLoss loss(Dropout dropout, long seed, boolean oneBatch) {
    return new LanguageModelLoss(
        model, adapter, new LanguageModelLoss.Options(dropout, seed, false, oneBatch));
  }

  /// Returns the rows of `train/train.jsonl`.
  public static List<Example> trainingRows(String name) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    List<Example> rows = new ArrayList<>();
    for (String line : Files.readAllLines(Parity.model(name).resolve("train/train.jsonl"))) {
      JsonNode node = json.readTree(line);
      rows.add(
          new Example(
              rows.size(), rows.size(), ints(node.path("input_ids")), ints(node.path("labels"))));
    }
    return rows;
  }

  private static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::asInt).toArray();
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
