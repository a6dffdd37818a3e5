package dev.gatun.models.lora;

import dev.gatun.models.hub.ModuleTrees;
import dev.gatun.models.hub.TensorEntries;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.AdapterDirectory;
import dev.gatun.models.peft.AdapterKeys;
import dev.gatun.models.peft.InvalidSettingException;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.peft.ModuleTree;
import dev.gatun.models.peft.PortableFolding;
import dev.gatun.models.peft.TargetMatch;
import dev.gatun.models.peft.TargetMatcher;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A LoRA adapter in memory: f32 matrices A and B for the adapted layers of one model, and whatever
/// else its configuration trains.
///
/// Its tensors live in the scope that it was made in. Source: Hu et al., arXiv:2106.09685; names,
/// rules and initialisation are PEFT's.
public final class LoraAdapter implements Trained {
  private final TargetMatch match;
  private final Map<String, Tensor> parameters;
  private final @Nullable AdapterLayer[] layers;
  private final Map<Integer, Tensor> replaced = new HashMap<>();

  private LoraAdapter(Transformer model, TargetMatch match, Map<String, Tensor> parameters) {
    this.match = match;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.layers = new AdapterLayer[model.linears().size()];
    Map<String, Integer> linears = new HashMap<>();
    for (Linear linear : model.linears()) {
      linears.put(linear.path(), linear.index());
    }
    for (LoraTarget target : match.targets()) {
      layers[Objects.requireNonNull(linears.get(target.module()), target.module())] =
          new AdapterLayer(
              tensor(AdapterKeys.loraA(target.module())),
              tensor(AdapterKeys.loraB(target.module())),
              target.scaling());
    }
    for (Param param : model.params()) {
      replace(param, AdapterKeys.parameter(param.name()));
      if (param.name().endsWith(".bias")) {
        String module = param.name().substring(0, param.name().length() - ".bias".length());
        replace(param, AdapterKeys.targetBias(module));
      }
    }
  }

  private Tensor tensor(String key) {
    Tensor tensor = parameters.get(key);
    if (tensor == null) {
      throw new IllegalArgumentException("adapter: found no tensor " + key + ", expected one");
    }
    return tensor;
  }

  private void replace(Param param, String key) {
    Tensor tensor = parameters.get(key);
    if (tensor != null) {
      replaced.put(param.index(), tensor);
    }
  }

  /// Makes an adapter that changes nothing yet: A random, B zero, other trained weights as in the
  /// model.
  ///
  /// The head of a task is trained and saved with it, as peft does by the type of the task; of
  /// DeBERTa's also the pooler, which is as new as the classifier.
  ///
  /// @param owner owner of its tensors
  /// @param model the base
  /// @param config what to adapt
  /// @param seed of A
  /// @return the adapter
  /// @throws InvalidSettingException if the configuration does not fit the model
  public static LoraAdapter create(Scope owner, Transformer model, LoraConfig config, long seed) {
    ModuleTree tree = ModuleTrees.of(model);
    TargetMatch match = TargetMatcher.match(withHead(config, model), tree);
    checkSupported(match, model);
    Map<String, Tensor> base = new HashMap<>();
    for (Param param : model.params()) {
      base.put(AdapterKeys.parameter(param.name()), param.value());
      base.put(
          AdapterKeys.parameter(param.name()).replaceAll("\\.bias$", ".base_layer.bias"),
          param.value());
    }
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    int number = 0;
    for (Map.Entry<String, List<Long>> each : AdapterKeys.shapes(match, tree).entrySet()) {
      String key = each.getKey();
      long[] shape = each.getValue().stream().mapToLong(Long::longValue).toArray();
      Tensor value;
      if (key.endsWith(".lora_A.weight")) {
        value = owner.of(initial(config, shape, seed, number++), shape);
      } else if (key.endsWith(".lora_B.weight")) {
        value = owner.zeros(DType.F32, shape);
      } else {
        value = Layout.to(owner, present(base, key), DType.F32);
      }
      parameters.put(
          key, model.computeType() == DType.F64 ? Layout.to(owner, value, DType.F64) : value);
    }
    return new LoraAdapter(model, match, parameters);
  }

  private static LoraConfig withHead(LoraConfig config, Transformer model) {
    if (!(model instanceof TaskModel head)) {
      return config;
    }
    LoraConfig.Origin origin =
        new LoraConfig.Origin(
            head.task().peftType(), config.origin().baseModel(), config.origin().revision());
    return config.withSavedModules(head.head().modules()).withOrigin(origin, config.fanInFanOut());
  }

  private static Tensor present(Map<String, Tensor> base, String key) {
    Tensor value = base.get(key);
    if (value == null) {
      throw new IllegalArgumentException("adapter: the model has no weight for " + key);
    }
    return value;
  }

  private static void checkSupported(TargetMatch match, Transformer model) {
    for (LoraTarget target : match.targets()) {
      if (target.module().equals("lm_head")) {
        throw new InvalidSettingException(
            "target_modules", "lm_head", "other layers; train the head by modules_to_save");
      }
    }
    if (model instanceof CausalLm lm
        && lm.isTied()
        && match.savedModules().stream()
            .anyMatch(
                m -> m.equals("lm_head") || m.endsWith("embed_tokens") || m.endsWith("wte"))) {
      throw new InvalidSettingException(
          "modules_to_save",
          String.join(", ", match.savedModules()),
          "no embedding or head, which this model has tied");
    }
  }

  /// Kaiming-uniform with a = sqrt(5) is U(-1/sqrt(in), 1/sqrt(in)); "gaussian" is N(0, 1/r).
  private static float[] initial(LoraConfig config, long[] shape, long seed, int number) {
    float[] values = new float[Math.toIntExact(shape[0] * shape[1])];
    int[] words = new int[4];
    double bound = 1 / Math.sqrt((double) shape[1]);
    for (int i = 0; i < values.length; i++) {
      Philox.block(seed, i, number, 0, 1, words, 0);
      double u = Philox.uniform(words[0], words[1]);
      if (config.init() == LoraConfig.Init.GAUSSIAN) {
        double radius = Math.sqrt(-2 * Math.log(1 - u));
        double angle = 2 * Math.PI * Philox.uniform(words[2], words[3]);
        values[i] = (float) (radius * Math.cos(angle) / shape[0]);
      } else {
        values[i] = (float) (bound * (2 * u - 1));
      }
    }
    return values;
  }

  /// Reads a PEFT adapter directory; the weights are copied.
  ///
  /// @param owner owner of its tensors
  /// @param model the base
  /// @param directory the adapter's folder
  /// @return the adapter
  /// @throws dev.gatun.runtime.MalformedFileException if a file breaks a rule or does not fit the
  ///   model
  /// @throws IOException if a file cannot be read
  public static LoraAdapter load(Scope owner, Transformer model, Path directory)
      throws IOException {
    try (Arena files = Arena.ofConfined();
        Scope mapped = Scope.open()) {
      AdapterDirectory read = AdapterDirectory.open(directory, ModuleTrees.of(model), files);
      checkSupported(read.match(), model);
      DType dtype = model.computeType() == DType.F64 ? DType.F64 : DType.F32;
      Map<String, Tensor> parameters = new LinkedHashMap<>();
      for (Map.Entry<String, TensorEntry> each :
          new java.util.TreeMap<>(read.tensors()).entrySet()) {
        TensorEntry entry = each.getValue();
        parameters.put(
            each.getKey(),
            Layout.to(owner, mapped.borrow(entry.data(), entry.dtype(), entry.sizes()), dtype));
      }
      return new LoraAdapter(model, read.match(), parameters);
    }
  }

  /// {@return the configuration and the layers that it matched}
  public TargetMatch match() {
    return match;
  }

  @Override
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /// {@return the branch of each linear layer, by [Linear#index()]; null where it is not adapted}
  public @Nullable AdapterLayer[] layers() {
    return layers.clone();
  }

  /// {@return the weights that this adapter replaces, by [Param#index()]}
  public Map<Integer, Tensor> replaced() {
    return Map.copyOf(replaced);
  }

  @Override
  public ForwardPass.Builder join(ForwardPass.Builder pass, int tokens) {
    return pass.segments(List.of(new AdapterSegment(0, tokens, layers))).replaced(replaced);
  }

  @Override
  public void save(Path directory) throws IOException {
    AdapterDirectory.write(directory, match.config(), TensorEntries.of(parameters));
  }

  /// Writes the adapter so that every consumer scales it right: rsLoRA and the patterns are folded
  /// into B.
  ///
  /// @param directory made if missing
  /// @return one line for each thing that some consumers refuse
  /// @throws IOException if it cannot be written
  public List<String> savePortable(Path directory) throws IOException {
    PortableFolding folding = PortableFolding.of(match);
    try (Arena arena = Arena.ofConfined()) {
      Map<String, TensorEntry> entries = new LinkedHashMap<>();
      for (TensorEntry entry : TensorEntries.of(parameters)) {
        entries.put(entry.name(), entry);
      }
      for (PortableFolding.Fold fold : folding.folds()) {
        String a = AdapterKeys.loraA(fold.module());
        String b = AdapterKeys.loraB(fold.module());
        entries.compute(a, (key, entry) -> fold.a(Objects.requireNonNull(entry), arena));
        entries.compute(b, (key, entry) -> fold.b(Objects.requireNonNull(entry), arena));
      }
      AdapterDirectory.write(directory, folding.config(), new ArrayList<>(entries.values()));
    }
    return folding.warnings();
  }

  /// Returns the model's weights with the adapter added: W + scale B A.
  ///
  /// @param owner owner of the changed weights; the others stay the model's
  /// @param model the base that the adapter was made for
  /// @return all weights by name
  public Map<String, Tensor> merged(Scope owner, Transformer model) {
    return merged(owner, model, 1);
  }

  /// {@return weights that this adapter was merged into, without it again: W - scale B A}
  ///
  /// Equal to the original within the rounding of the weights' type. Replaced weights stay
  /// replaced.
  ///
  /// @param owner owner of the changed weights
  /// @param model the model of the merged weights
  public Map<String, Tensor> unmerged(Scope owner, Transformer model) {
    return merged(owner, model, -1);
  }

  private Map<String, Tensor> merged(Scope owner, Transformer model, int sign) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    for (Param param : model.params()) {
      Tensor other = sign > 0 ? replaced.get(param.index()) : null;
      weights.put(
          param.name(),
          other == null ? param.value() : Layout.as(owner, other, param.value().dtype()));
    }
    for (Linear linear : model.linears()) {
      AdapterLayer layer = layers[linear.index()];
      if (layer == null) {
        continue;
      }
      Tensor base = linear.weight().value();
      DType wide = layer.a().dtype();
      try (Scope block = Scope.open()) {
        Tensor sum = Layout.to(block, base, wide);
        Tensor target = linear.transposed() ? Layout.transpose(block, sum, 0, 1) : sum;
        Matmul.addProductInPlace(block, target, sign * layer.scale(), layer.b(), layer.a());
        weights.put(linear.weight().name(), Layout.to(owner, sum, base.dtype()));
      }
    }
    return weights;
  }
}
