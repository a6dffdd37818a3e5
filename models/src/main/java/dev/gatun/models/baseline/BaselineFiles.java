package dev.gatun.models.baseline;

import dev.gatun.models.hub.TensorEntries;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.StrictJson;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The two files of a folder, as the package's documentation describes them.
final class BaselineFiles {
  static final String SETTINGS = "gatun_adapter.json";
  private static final String WEIGHTS = "gatun_adapter.safetensors";
  private static final int MAX_BYTES = 1 << 16;
  private static final int MAX_WIDTH = 1 << 16;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private BaselineFiles() {}

  /// What `gatun_adapter.json` says.
  ///
  /// @param bottleneck inner width; 0 for BitFit
  record Settings(String method, String modelType, int bottleneck) {}

  static Settings settings(Path directory) throws IOException {
    Path file = directory.resolve(SETTINGS);
    ObjectNode json = StrictJson.read(file, MAX_BYTES);
    Set<String> unknown = new TreeSet<>(json.propertyNames());
    unknown.removeAll(Set.of("format", "method", "model_type", "bottleneck"));
    if (!unknown.isEmpty()) {
      throw new MalformedFileException(
          file, "keys", unknown.toString(), "format, method, model_type and bottleneck alone");
    }
    JsonNode format = json.path("format");
    if (!format.isInt() || format.intValue() != 1) {
      throw new MalformedFileException(file, "format", format.toString(), "1");
    }
    JsonNode bottleneck = json.path("bottleneck");
    boolean fits =
        bottleneck.isInt() && bottleneck.intValue() > 0 && bottleneck.intValue() <= MAX_WIDTH;
    if (!bottleneck.isMissingNode() && !fits) {
      throw new MalformedFileException(
          file, "bottleneck", bottleneck.toString(), "1 to " + MAX_WIDTH);
    }
    return new Settings(
        string(file, json, "method"), string(file, json, "model_type"), bottleneck.asInt(0));
  }

  private static String string(Path file, ObjectNode json, String key)
      throws MalformedFileException {
    JsonNode value = json.path(key);
    if (!value.isString()) {
      throw new MalformedFileException(file, key, StrictJson.kind(value), "a string");
    }
    return value.stringValue();
  }

  static void write(Path directory, Settings settings, Map<String, Tensor> tensors)
      throws IOException {
    Files.createDirectories(directory);
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> narrow = new LinkedHashMap<>();
      tensors.forEach((name, tensor) -> narrow.put(name, Layout.as(scope, tensor, DType.F32)));
      SafetensorsWriter.write(
          directory.resolve(WEIGHTS), TensorEntries.of(narrow), SafetensorsWriter.PYTORCH);
    }
    Map<String, Object> json = new TreeMap<>();
    json.put("format", 1);
    json.put("method", settings.method);
    json.put("model_type", settings.modelType);
    if (settings.bottleneck > 0) {
      json.put("bottleneck", settings.bottleneck);
    }
    AtomicFile.write(directory.resolve(SETTINGS), JSON.writeValueAsString(json));
  }

  /// Copies the stored tensors into those of a new adapter.
  ///
  /// @throws MalformedFileException if the names or shapes are not the adapter's, or a value is not
  ///   finite
  static void read(
      Path directory, Settings settings, Transformer model, Map<String, Tensor> tensors)
      throws IOException {
    if (!settings.modelType.equals(model.modelType())) {
      throw new MalformedFileException(
          directory.resolve(SETTINGS),
          "model_type",
          settings.modelType,
          model.modelType() + "; wrong base model?");
    }
    Path file = directory.resolve(WEIGHTS);
    try (Arena arena = Arena.ofConfined();
        Scope scope = Scope.open()) {
      Map<String, TensorEntry> stored = SafetensorsFile.open(file, arena).tensors();
      Set<String> names = new TreeSet<>(stored.keySet());
      names.addAll(tensors.keySet());
      for (String name : names) {
        Tensor target = tensors.get(name);
        TensorEntry entry = stored.get(name);
        if (target == null || entry == null) {
          throw malformed(
              file, name, entry == null ? "none" : "one", (target == null ? "none" : "one"));
        }
        if (entry.dtype() != DType.F32 || !target.hasShape(entry.sizes())) {
          throw malformed(file, name, entry.dtype() + " " + entry.shape(), "F32 of " + target);
        }
        OptionalLong bad = entry.firstNonFinite();
        if (bad.isPresent()) {
          throw malformed(
              file, name, "NaN or infinity at element " + bad.getAsLong(), "finite values");
        }
        Layout.copyInPlace(target, scope.borrow(entry.data(), entry.dtype(), entry.sizes()));
      }
    }
  }

  private static MalformedFileException malformed(
      Path file, String tensor, String found, String expected) {
    return new MalformedFileException(
        file, "tensor '" + tensor + "'", found, expected + "; wrong base model?");
  }

  /// Returns the type of trained tensors.
  static DType type(Transformer model) {
    return model.computeType() == DType.F64 ? DType.F64 : DType.F32;
  }

  /// Returns the weights of a task's head, which is trained whole; none of a language model's.
  static List<Param> headParams(Transformer model) {
    return model instanceof TaskModel task ? task.headParams() : List.of();
  }
}
