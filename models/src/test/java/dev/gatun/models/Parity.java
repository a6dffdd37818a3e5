package dev.gatun.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.models.data.Example;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads the fixtures that fixtures/make_fixtures.py wrote, and compares with them.
public final class Parity {
  private Parity() {}

  /// Returns the fixtures' models, one or more of each architecture.
  public static List<String> architectures() {
    return List.of(
        "gpt2", "llama", "llama3", "llama-bias", "llama-linear", "mistral", "qwen2", "qwen3");
  }

  /// Returns the directory of a tiny model.
  public static Path model(String name) {
    return Path.of("src/test/resources/parity", name);
  }

  /// Opens a fixture file.
  public static SafetensorsFile open(Path file) throws IOException {
    return SafetensorsFile.open(file, Arena.global());
  }

  /// Returns the three sequences of a tiny model's fixture, with their labels.
  public static List<Example> examples(String model) throws IOException {
    SafetensorsFile cases = open(model(model).resolve("cases.safetensors"));
    List<Example> examples = new ArrayList<>();
    for (int i = 0; cases.tensors().containsKey("ids." + i); i++) {
      examples.add(new Example(i, i, ints(cases, "ids." + i), ints(cases, "labels." + i)));
    }
    return examples;
  }

  /// Returns the logits of one sequence, `(T, V)`.
  public static Tensor logits(Scope scope, CausalLm model, PassAddition addition, int... ids) {
    ForwardPass pass =
        addition.join(ForwardPass.of(scope, model, ids, 0, ids.length), ids.length).build();
    return model.logits(scope, model.hidden(scope, pass, false), pass);
  }

  /// Returns the ids or labels of a fixture.
  public static int[] ints(SafetensorsFile file, String name) throws IOException {
    return Arrays.stream(entry(file, name).data().toArray(ValueLayout.JAVA_LONG))
        .mapToInt(Math::toIntExact)
        .toArray();
  }

  /// Returns the numbers of an f32 or f64 fixture.
  public static double[] doubles(SafetensorsFile file, String name) throws IOException {
    TensorEntry entry = entry(file, name);
    if (entry.dtype() == DType.F64) {
      return entry.data().toArray(ValueLayout.JAVA_DOUBLE);
    }
    float[] floats = entry.data().toArray(ValueLayout.JAVA_FLOAT);
    double[] wide = new double[floats.length];
    for (int i = 0; i < floats.length; i++) {
      wide[i] = floats[i];
    }
    return wide;
  }

  private static TensorEntry entry(SafetensorsFile file, String name) throws IOException {
    return file.tensor(name);
  }

  /// Returns the elements of any floating-point tensor.
  public static double[] doubles(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      return Layout.to(scope, tensor, DType.F64).toDoubles();
    }
  }

  /// Returns the largest difference, relative to the largest element of the reference.
  public static double distance(double[] found, double[] reference) {
    assertThat(found).hasSameSizeAs(reference);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(reference[i]));
      difference = Math.max(difference, Math.abs(found[i] - reference[i]));
      assertThat(found[i]).isFinite();
    }
    return difference / largest;
  }
}
