package dev.gatun.models.hub;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Encoder;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.nn.Weights;
import dev.gatun.models.zoo.Architecture;
import dev.gatun.models.zoo.Architectures;
import dev.gatun.models.zoo.Config;
import dev.gatun.models.zoo.TaskConfig;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.safetensors.DeviceUpload;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.SafetensorsWriter;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A Hugging Face model directory: config.json with safetensors beside it.
public final class ModelDirectory {
  private static final System.Logger LOG = System.getLogger("dev.gatun.models.hub");
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String CONFIG = "config.json";
  private static final List<String> COMPANIONS =
      List.of(
          CONFIG,
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
  ///   them in one message; or if the model is an encoder
  @MustBeClosed
  public CausalLm open(DType compute, Use use) throws IOException {
    return open(Device.CPU, compute, use);
  }

  /// Opens the model as [#open(DType, Use)] does, on a device: a GPU gets copies of the weights.
  ///
  /// @param device where the weights shall lie
  /// @param compute f32, bf16 or f64
  /// @param use whether the weights are trained
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException as [#open(DType, Use)]
  /// @throws dev.gatun.runtime.DeviceException if there is no such device
  @MustBeClosed
  public CausalLm open(Device device, DType compute, Use use) throws IOException {
    checkDecoder();
    return (CausalLm) opened(architecture, device, compute, use, 0);
  }

  /// Opens an encoder, whatever heads the directory has beside it, with weights that are not
  /// trained.
  ///
  /// @param device where the weights shall lie
  /// @param compute f32, bf16 or f64
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException if weights are missing, left over or of another shape: all of
  ///   them in one message; or if the model is a decoder
  /// @throws dev.gatun.runtime.DeviceException if there is no such device
  @MustBeClosed
  public Encoder openEncoder(Device device, DType compute) throws IOException {
    return (Encoder) opened(Architectures.encoder(config), device, compute, Use.FROZEN, 0);
  }

  /// {@return the task of the head that config.json names, or null where it names none of a known
  /// task}
  ///
  /// @throws MalformedFileException if the config contradicts itself, or asks for several labels at
  ///   once
  public @Nullable Task task() throws MalformedFileException {
    return TaskConfig.read(config);
  }

  /// Opens the model with the head of a task.
  ///
  /// As [#open(DType, Use)], and a head that the directory lacks, because it holds the bare model
  /// or one with another head, is drawn at random: normal with the config's `initializer_range`,
  /// biases 0. [TaskModel#fresh] names what was drawn.
  ///
  /// @param task what the head is for, such as [#task]
  /// @param compute f32, bf16 or f64
  /// @param use whether the weights are trained
  /// @param seed of a head that the directory lacks
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException as [#open(DType, Use)]; or if the architecture has no such head
  @MustBeClosed
  public TaskModel openTask(Task task, DType compute, Use use, long seed) throws IOException {
    return openTask(task, Device.CPU, compute, use, seed);
  }

  /// Opens the model as [#openTask(Task, DType, Use, long)] does, on a device.
  ///
  /// @param task what the head is for, such as [#task]
  /// @param device where the weights shall lie
  /// @param compute f32, bf16 or f64
  /// @param use whether the weights are trained
  /// @param seed of a head that the directory lacks
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException as [#open(DType, Use)]; or if the architecture has no such head
  /// @throws dev.gatun.runtime.DeviceException if there is no such device
  @MustBeClosed
  public TaskModel openTask(Task task, Device device, DType compute, Use use, long seed)
      throws IOException {
    return (TaskModel) opened(Architectures.of(config, task), device, compute, use, seed);
  }

  private void checkDecoder() throws MalformedFileException {
    if (!architecture.causal()) {
      throw config.refused("model_type", "a decoder here; an encoder is opened with a task's head");
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // the model owns the scope
  private Transformer opened(Architecture wanted, Device device, DType compute, Use use, long seed)
      throws IOException {
    Scope scope = Scope.openShared(device);
    try {
      SafetensorsDirectory files = SafetensorsDirectory.open(path, scope.arena());
      WeightMatch match = WeightMatch.of(path, wanted, files);
      Map<String, Tensor> tensors =
          device.isCuda()
              ? uploaded(scope, match.stored(), compute)
              : held(scope, match.stored(), compute, use);
      if (!match.lacking().isEmpty()) {
        LOG.log(
            System.Logger.Level.WARNING,
            "{0}: drawn at random, to be trained: {1}",
            path,
            String.join(", ", match.lacking()));
      }
      draw(scope, wanted, match.lacking(), compute, seed, tensors);
      return wanted.build().apply(new Weights(tensors, match.lacking(), compute, scope));
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
  /// @throws MalformedFileException if the model is an encoder
  @MustBeClosed
  public CausalLm fresh(DType compute, long seed) throws MalformedFileException {
    return fresh(Device.CPU, compute, seed);
  }

  /// Opens the model with fresh weights as [#fresh(DType, long)] does, on a device: the same values
  /// on each.
  ///
  /// @param device where the weights shall lie
  /// @param compute f32 or f64
  /// @param seed of the weights
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException if the model is an encoder
  /// @throws dev.gatun.runtime.DeviceException if there is no such device
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // the model owns the scope
  public CausalLm fresh(Device device, DType compute, long seed) throws MalformedFileException {
    checkDecoder();
    Scope scope = Scope.openShared(device);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    List<String> names = List.copyOf(architecture.parameters().keySet());
    draw(scope, architecture, names, compute, seed, tensors);
    return (CausalLm) architecture.build().apply(new Weights(tensors, names, compute, scope));
  }

  private static void draw(
      Scope owner,
      Architecture wanted,
      List<String> names,
      DType compute,
      long seed,
      Map<String, Tensor> tensors) {
    int number = 0;
    for (String name : names) {
      long[] shape = Objects.requireNonNull(wanted.parameters().get(name));
      float[] values = initial(name, shape, wanted.initStd(), seed, number++);
      try (Scope block = Scope.open()) {
        tensors.put(name, Layout.to(owner, block.of(values, shape), type(name, shape, compute)));
      }
    }
  }

  private static float[] initial(String name, long[] shape, double std, long seed, int number) {
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
      values[i] = (float) (std * radius * Math.cos(angle));
    }
    return values;
  }

  private static boolean isNorm(String name, long[] shape) {
    return shape.length == 1 && name.matches(".*(norm|LayerNorm|ln_[12f])\\.(weight|bias)");
  }

  private static DType type(String name, long[] shape, DType compute) {
    return compute == DType.BF16 && isNorm(name, shape) ? DType.F32 : compute;
  }

  private static Map<String, Tensor> held(
      Scope scope, Map<String, TensorEntry> stored, DType compute, Use use) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    stored.forEach((name, entry) -> {
      long[] shape = entry.sizes();
      DType wanted = type(name, shape, compute);
      if (use == Use.FROZEN && entry.dtype() == wanted) {
        tensors.put(name, scope.borrow(entry.data(), wanted, shape));
      } else {
        try (Scope block = Scope.open()) {
          Tensor mapped = block.borrow(entry.data(), entry.dtype(), shape);
          tensors.put(name, Layout.to(scope, mapped, wanted));
        }
      }
    });
    return tensors;
  }

  private static Map<String, Tensor> uploaded(
      Scope scope, Map<String, TensorEntry> stored, DType compute) {
    List<String> names = List.copyOf(stored.keySet());
    List<TensorEntry> entries = List.copyOf(stored.values());
    List<DType> types = new ArrayList<>();
    stored.forEach((name, entry) -> types.add(type(name, entry.sizes(), compute)));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (DeviceUpload upload = DeviceUpload.open(scope.device())) {
      List<Tensor> copies = upload.upload(scope, entries, types);
      for (int i = 0; i < names.size(); i++) {
        tensors.put(names.get(i), copies.get(i));
      }
    }
    return tensors;
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
    try (Scope host = Scope.open()) {
      SafetensorsWriter.write(
          target.resolve("model.safetensors"),
          TensorEntries.of(host, weights),
          SafetensorsWriter.PYTORCH);
    }
  }

  /// Writes a model with the head of a task, which config.json then names.
  ///
  /// @param target directory, made if missing
  /// @param weights all weights by their names in transformers' module tree
  /// @param task what the head is for
  /// @throws IOException if it cannot be written
  public void write(Path target, Map<String, Tensor> weights, Task task) throws IOException {
    write(target, weights);
    ObjectNode json = config.json().deepCopy();
    TaskConfig.write(json, task);
    Files.write(
        target.resolve(CONFIG), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
  }
}
