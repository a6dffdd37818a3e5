package dev.gatun.models.peft;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A PEFT adapter on disk: `adapter_config.json` and `adapter_model.safetensors`. Immutable; as
/// thread-safe as the arena.
///
/// @param directory the adapter's folder
/// @param match the adapted layers of the base model, with ranks and scalings
/// @param tensors the weights under the names of [AdapterKeys]
public record AdapterDirectory(
    Path directory, TargetMatch match, Map<String, TensorEntry> tensors) {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PICKLE = "adapter_model.bin";
  private static final Set<DType> FLOATS = EnumSet.of(DType.F32, DType.F64, DType.BF16, DType.F16);

  /// Maps an adapter and checks it against its base model: each adapted layer has both matrices in
  /// the right shape, all values are finite, and no tensor is left over.
  ///
  /// @param directory the adapter's folder
  /// @param tree the base model
  /// @param arena owner of the mapping
  /// @return the adapter
  /// @throws MalformedFileException if a file breaks a rule, or does not fit the base model
  /// @throws IOException if a file cannot be read
  public static AdapterDirectory open(Path directory, ModuleTree tree, Arena arena)
      throws IOException {
    Path configFile = directory.resolve(CONFIG);
    Path weightsFile = directory.resolve(WEIGHTS);
    if (!Files.exists(configFile)) {
      throw new MalformedFileException(directory, "adapter", "no " + CONFIG, CONFIG);
    }
    LoraConfig config = AdapterConfigJson.read(configFile);
    TargetMatch match;
    try {
      match = TargetMatcher.match(config, tree);
    } catch (InvalidSettingException e) {
      throw new MalformedFileException(
          configFile, e.place(), e.found(), e.expected() + "; wrong base model?");
    }
    if (!Files.exists(weightsFile)) {
      boolean pickle = Files.exists(directory.resolve(PICKLE));
      throw new MalformedFileException(
          directory,
          "adapter",
          pickle ? "only " + PICKLE + ", a pickle, which can run code" : "no " + WEIGHTS,
          WEIGHTS);
    }
    SafetensorsFile weights = SafetensorsFile.open(weightsFile, arena);
    check(weights, match, tree);
    return new AdapterDirectory(directory, match, weights.tensors());
  }

  /// Returns the base weights that the adapter brings along, see [AdapterKeys#baseWeight(String)].
  /// They take the place of the base model's own under this adapter.
  ///
  /// @return by module path, usually empty
  public Map<String, TensorEntry> baseWeights() {
    Map<String, TensorEntry> weights = new LinkedHashMap<>();
    for (LoraTarget target : match.targets()) {
      TensorEntry weight = tensors.get(AdapterKeys.baseWeight(target.module()));
      if (weight != null) {
        weights.put(target.module(), weight);
      }
    }
    return weights;
  }

  /// Writes an adapter, the weights first; each file is replaced in one step. The same adapter
  /// gives the same bytes.
  ///
  /// @param directory the folder, made if needed
  /// @param config what [TargetMatch#config()] says
  /// @param tensors the weights under the names of [AdapterKeys]
  /// @throws IOException if writing failed
  public static void write(Path directory, LoraConfig config, Collection<TensorEntry> tensors)
      throws IOException {
    Files.createDirectories(directory);
    SafetensorsWriter.write(directory.resolve(WEIGHTS), tensors, SafetensorsWriter.PYTORCH);
    AdapterConfigJson.write(directory.resolve(CONFIG), config);
  }

  /// Checks the weights of an adapter against its configuration and base model.
  ///
  /// @param weights the adapter's weights
  /// @param match the adapted layers
  /// @param tree the base model
  /// @throws MalformedFileException if a tensor is missing, left over, of another shape or type, or
  ///   not finite; it describes the first and names some more
  public static void check(SafetensorsFile weights, TargetMatch match, ModuleTree tree)
      throws MalformedFileException {
    Map<String, List<Long>> shapes = AdapterKeys.shapes(match, tree);
    AdapterKeys.optionalShapes(match, tree)
        .forEach((name, shape) -> {
          if (weights.tensors().containsKey(name)) {
            shapes.put(name, shape);
          }
        });
    boolean dora = match.config().variant() instanceof LoraVariant.Dora;
    Check check = new Check(weights.tensors(), shapes, tree, dora);
    List<Fault> faults = check.faults();
    if (!faults.isEmpty()) {
      Fault first = faults.getFirst();
      String more =
          faults.size() == 1
              ? ""
              : " (and %d more faults, next: %s)"
                  .formatted(faults.size() - 1, faults.get(1).place());
      throw new MalformedFileException(
          weights.path(), first.place(), first.found() + more, first.expected());
    }
  }

  private record Fault(String place, String found, String expected) {}

  private record Check(
      Map<String, TensorEntry> tensors,
      Map<String, List<Long>> shapes,
      ModuleTree tree,
      boolean dora) {
    List<Fault> faults() {
      List<Fault> faults = new ArrayList<>();
      tensors.keySet().stream()
          .sorted()
          .filter(name -> !shapes.containsKey(name))
          .map(this::leftOver)
          .forEach(faults::add);
      shapes.forEach((name, shape) -> {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
          faults.add(missing(name, shape));
        } else if (!tensor.shape().equals(shape)) {
          faults.add(wrongShape(name, tensor.shape(), shape));
        } else if (!FLOATS.contains(tensor.dtype())) {
          faults.add(new Fault(place(name), tensor.dtype().toString(), "a float type"));
        } else {
          OptionalLong bad = tensor.firstNonFinite();
          bad.ifPresent(i ->
              faults.add(
                  new Fault(place(name), "NaN or infinity at element " + i, "finite values")));
        }
      });
      return faults;
    }

    private Fault leftOver(String name) {
      if (!name.startsWith(AdapterKeys.PREFIX)) {
        return new Fault(place(name), "this name", "one that starts with " + AdapterKeys.PREFIX);
      }
      for (String part : List.of(".lora_embedding_", ".lora_B.bias")) {
        if (name.contains(part)) {
          return new Fault(place(name), part.substring(1), "no such part, for it is not supported");
        }
      }
      String layer = AdapterKeys.module(name);
      if (!dora && name.endsWith(AdapterKeys.MAGNITUDE_SUFFIX)) {
        return new Fault(
            place(name), "lora_magnitude_vector", "no such part, for use_dora is false");
      }
      String part = layer == null ? name.substring(AdapterKeys.PREFIX.length()) : layer;
      if (!tree.modules().contains(part) && !tree.parameters().containsKey(part)) {
        return new Fault(
            place(name), "a part that the base model lacks", "parts of it; wrong base model?");
      }
      return layer != null
          ? new Fault(place(name), "a layer that target_modules leaves out", "only its layers")
          : new Fault(
              place(name),
              "a weight that the configuration does not name",
              "adapter matrices, and what bias and modules_to_save ask for");
    }

    private Fault missing(String name, List<Long> shape) {
      String other = otherHalf(name);
      boolean half = other != null && tensors.containsKey(other);
      return new Fault(
          place(name), half ? "none beside " + other : "none", "a tensor of shape " + shape);
    }

    private Fault wrongShape(String name, List<Long> found, List<Long> expected) {
      int rankAt = name.endsWith(AdapterKeys.A_SUFFIX) ? 0 : 1;
      boolean otherRank =
          otherHalf(name) != null
              && found.size() == 2
              && !found.get(rankAt).equals(expected.get(rankAt))
              && found.get(1 - rankAt).equals(expected.get(1 - rankAt));
      if (otherRank) {
        return new Fault(
            place(name),
            "rank " + found.get(rankAt),
            "rank " + expected.get(rankAt) + ", as r or rank_pattern says");
      }
      return new Fault(place(name), "shape " + found, "shape " + expected + "; wrong base model?");
    }

    private static @Nullable String otherHalf(String name) {
      if (name.endsWith(AdapterKeys.A_SUFFIX)) {
        return name.replace(AdapterKeys.A_SUFFIX, AdapterKeys.B_SUFFIX);
      }
      if (name.endsWith(AdapterKeys.B_SUFFIX)) {
        return name.replace(AdapterKeys.B_SUFFIX, AdapterKeys.A_SUFFIX);
      }
      return null;
    }

    private static String place(String name) {
      return "tensor '" + name + "'";
    }
  }
}
