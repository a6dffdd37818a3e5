package dev.gatun.models.hub;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Weights;
import dev.gatun.models.zoo.Architecture;
import dev.gatun.models.zoo.Architectures;
import dev.gatun.models.zoo.Config;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A Hugging Face model directory: config.json with safetensors beside it.
public final class ModelDirectory {
  private static final List<String> COMPANIONS =
      List.of(
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "chat_template.jinja");

  private final Path path;
  private final Config config;
  private final Architecture architecture;

  private ModelDirectory(Path path, Config config, Architecture architecture) {
    this.path = path;
    this.config = config;
    this.architecture = architecture;
  }

  /// Reads a directory's config.json; weights are not touched yet.
  ///
  /// @param path the model's folder
  /// @return the directory
  /// @throws MalformedFileException if the config is missing, unknown or contradictory
  /// @throws IOException if it cannot be read
  public static ModelDirectory read(Path path) throws IOException {
    Config config = Config.read(path);
    return new ModelDirectory(path, config, Architectures.of(config));
  }

  /// {@return the directory}
  public Path path() {
    return path;
  }

  /// {@return its config}
  public Config config() {
    return config;
  }

  /// {@return the type that config.json names for stored weights; f32 where it names none}
  public DType weightType() {
    String name =
        config.json().path("dtype").asString(config.json().path("torch_dtype").asString(""));
    return switch (name) {
      case "bfloat16" -> DType.BF16;
      case "float16" -> DType.F16;
      default -> DType.F32;
    };
  }

  /// {@return the ids that end a text: generation_config.json's, or else config.json's}
  ///
  /// @throws MalformedFileException if they are no ids
  public Set<Integer> stopIds() throws IOException {
    Path generation = path.resolve("generation_config.json");
    if (Files.isRegularFile(generation)) {
      Set<Integer> ids = Config.read(path, "generation_config.json").tokenIds("eos_token_id");
      if (!ids.isEmpty()) {
        return ids;
      }
    }
    return config.tokenIds("eos_token_id");
  }

  /// How the weights are held.
  public enum Use {
    /// Mapped from the file where the type allows, never written.
    FROZEN,
    /// Copied, to be trained in place.
    TRAINED
  }

  /// Opens the model over the directory's weights.
  ///
  /// Matrices are of the compute type: mapped in place where the file has that type, else
  /// converted. Norms are f32 (f64 in an f64 model).
  ///
  /// @param compute f32, bf16 or f64
  /// @param use whether the weights are trained
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException if weights are missing, left over or of another shape: all of
  ///   them in one message
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // the model owns the scope
  public CausalLm open(DType compute, Use use) throws IOException {
    Scope scope = Scope.openShared();
    try {
      SafetensorsDirectory files = SafetensorsDirectory.open(path, scope.arena());
      Map<String, TensorEntry> stored = matched(files);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (Map.Entry<String, TensorEntry> each : stored.entrySet()) {
        tensors.put(each.getKey(), held(scope, each.getKey(), each.getValue(), compute, use));
      }
      return architecture.build().apply(new Weights(tensors, compute, scope));
    } catch (IOException | RuntimeException e) {
      scope.close();
      throw e;
    }
  }

  /// Opens the model with fresh random weights: normal with the config's `initializer_range`, norms
  /// 1, biases 0.
  ///
  /// @param compute f32 or f64
  /// @param seed of the weights
  /// @return the model, to be closed by the caller
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // the model owns the scope
  public CausalLm fresh(DType compute, long seed) {
    Scope scope = Scope.openShared();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    int number = 0;
    for (Map.Entry<String, long[]> each : architecture.parameters().entrySet()) {
      float[] values = initial(each.getKey(), each.getValue(), seed, number++);
      try (Scope block = Scope.open()) {
        tensors.put(
            each.getKey(),
            Layout.to(
                scope,
                block.of(values, each.getValue()),
                type(each.getKey(), each.getValue(), compute)));
      }
    }
    return architecture.build().apply(new Weights(tensors, compute, scope));
  }

  private float[] initial(String name, long[] shape, long seed, int number) {
    float[] values = new float[(int) Shapes.elements("init", shape)];
    if (shape.length == 1) {
      Arrays.fill(values, name.endsWith(".bias") ? 0 : 1);
      return values;
    }
    int[] words = new int[4];
    for (int i = 0; i < values.length; i++) {
      Philox.block(seed, i, number, 0, 0, words, 0);
      double radius = Math.sqrt(-2 * Math.log(1 - Philox.uniform(words[0], words[1])));
      double angle = 2 * Math.PI * Philox.uniform(words[2], words[3]);
      values[i] = (float) (architecture.initStd() * radius * Math.cos(angle));
    }
    return values;
  }

  private static boolean isNorm(String name, long[] shape) {
    return shape.length == 1 && name.matches(".*(norm|ln_[12f])\\.(weight|bias)");
  }

  private static DType type(String name, long[] shape, DType compute) {
    return compute == DType.BF16 && isNorm(name, shape) ? DType.F32 : compute;
  }

  private static Tensor held(Scope scope, String name, TensorEntry entry, DType compute, Use use) {
    long[] shape = entry.sizes();
    DType wanted = type(name, shape, compute);
    if (use == Use.FROZEN && entry.dtype() == wanted) {
      return scope.borrow(entry.data(), entry.dtype(), shape);
    }
    try (Scope block = Scope.open()) {
      return Layout.to(scope, block.borrow(entry.data(), entry.dtype(), shape), wanted);
    }
  }

  /// Finds each expected weight under its full name or without the backbone's prefix; one message
  /// says all that is wrong.
  private Map<String, TensorEntry> matched(SafetensorsDirectory files)
      throws MalformedFileException {
    Map<String, TensorEntry> found = new LinkedHashMap<>();
    Set<String> used = new HashSet<>();
    List<String> missing = new ArrayList<>();
    List<String> misshapen = new ArrayList<>();
    for (Map.Entry<String, long[]> each : architecture.parameters().entrySet()) {
      String name = each.getKey();
      String stored = stored(files, name);
      if (stored == null) {
        missing.add(name);
        continue;
      }
      used.add(stored);
      TensorEntry entry = Objects.requireNonNull(files.tensors().get(stored));
      if (!Arrays.equals(entry.sizes(), each.getValue())) {
        misshapen.add(
            name + " is " + Shapes.text(entry.sizes()) + ", not " + Shapes.text(each.getValue()));
      } else if (!entry.dtype().isFloating()) {
        misshapen.add(name + " is " + entry.dtype());
      }
      found.put(name, entry);
    }
    List<String> unexpected = new ArrayList<>();
    for (String name : files.tensors().keySet()) {
      if (!used.contains(name)
          && !name.equals(architecture.tiedHead())
          && !name.matches(architecture.ignored())) {
        unexpected.add(name);
      }
    }
    if (missing.isEmpty() && misshapen.isEmpty() && unexpected.isEmpty()) {
      return found;
    }
    List<String> problems = new ArrayList<>();
    describe(problems, "missing", missing);
    describe(problems, "wrong shape or type", misshapen);
    describe(problems, "unexpected", unexpected);
    throw new MalformedFileException(
        path, "weights", String.join("; ", problems), "exactly the weights of config.json");
  }

  private @Nullable String stored(SafetensorsDirectory files, String name) {
    if (files.tensors().containsKey(name)) {
      return name;
    }
    String prefix = architecture.prefix();
    String bare = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    if (files.tensors().containsKey(bare)) {
      return bare;
    }
    boolean embedding = name.endsWith("embed_tokens.weight") || name.endsWith("wte.weight");
    String tied = architecture.tiedHead();
    return embedding && !tied.isEmpty() && files.tensors().containsKey(tied) ? tied : null;
  }

  private static void describe(List<String> problems, String what, List<String> names) {
    if (!names.isEmpty()) {
      String more = names.size() > 3 ? " and " + (names.size() - 3) + " more" : "";
      problems.add(
          what + ": " + String.join(", ", names.subList(0, Math.min(3, names.size()))) + more);
    }
  }

  /// Writes a model: its config and tokenizer files copied, its weights in one file.
  ///
  /// @param target directory, made if missing
  /// @param weights all weights by their names in transformers' module tree
  /// @throws IOException if it cannot be written
  public void write(Path target, Map<String, Tensor> weights) throws IOException {
    Files.createDirectories(target);
    for (String name : COMPANIONS) {
      Path source = path.resolve(name);
      if (Files.isRegularFile(source)
          && !source.toAbsolutePath().equals(target.resolve(name).toAbsolutePath())) {
        Files.copy(source, target.resolve(name), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      }
    }
    SafetensorsWriter.write(
        target.resolve("model.safetensors"), TensorEntries.of(weights), SafetensorsWriter.PYTORCH);
  }
}
