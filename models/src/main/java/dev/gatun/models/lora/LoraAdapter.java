package dev.gatun.models.lora;

import dev.gatun.models.hub.ModuleTrees;
import dev.gatun.models.hub.TensorEntries;
import dev.gatun.models.lora.RankAllocation.Triplets;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.InitialValues;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.AdapterDirectory;
import dev.gatun.models.peft.AdapterKeys;
import dev.gatun.models.peft.InvalidSettingException;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.models.peft.ModuleTree;
import dev.gatun.models.peft.PortableFolding;
import dev.gatun.models.peft.TargetMatch;
import dev.gatun.models.peft.TargetMatcher;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import dev.gatun.runtime.optim.AdamW;
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
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// An adapter of the LoRA family in memory, LoRA, DoRA or AdaLoRA: f32 matrices for the adapted
/// layers of one model, and whatever else its configuration trains.
///
/// Its tensors live in the scope that it was made in. Sources: [LoraVariant]; names, rules and
/// initialisation are PEFT's.
public final class LoraAdapter implements Trained {
  private static final double ADALORA_DEVIATION = 0.02;

  private final Scope owner;
  private final ModuleTree tree;
  private final TargetMatch match;
  private final Map<String, Tensor> parameters;
  private final @Nullable AdaptedLayer[] layers;
  private final Map<Integer, Tensor> replaced;
  private final LoraTraining training;
  private @Nullable RankAllocation allocation;

  private LoraAdapter(
      Scope owner, Transformer model, TargetMatch match, Map<String, Tensor> parameters) {
    this.owner = owner;
    this.tree = ModuleTrees.of(model);
    this.match = match;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.layers = new AdaptedLayer[model.linears().size()];
    this.replaced = new HashMap<>();
    this.training = LoraTraining.PLAIN;
    Map<String, Linear> linears = new HashMap<>();
    for (Linear linear : model.linears()) {
      linears.put(linear.path(), linear);
    }
    for (LoraTarget target : match.targets()) {
      Linear linear = Objects.requireNonNull(linears.get(target.module()), target.module());
      layers[linear.index()] = layer(linear, target);
    }
    for (Param param : model.params()) {
      replace(param, AdapterKeys.parameter(param.name()));
      if (param.name().endsWith(".bias")) {
        String module = param.name().substring(0, param.name().length() - ".bias".length());
        replace(param, AdapterKeys.targetBias(module));
      }
    }
  }

  private LoraAdapter(LoraAdapter other, LoraTraining training) {
    this.owner = other.owner;
    this.tree = other.tree;
    this.match = other.match;
    this.parameters = other.parameters;
    this.layers = other.layers;
    this.replaced = other.replaced;
    this.training = training;
  }

  private @Nullable AdaptedLayer layer(Linear linear, LoraTarget target) {
    String module = target.module();
    if (target.rank() == 0) {
      return null;
    }
    return switch (match.config().variant()) {
      case LoraVariant.Plain plain ->
          AdaptedLayer.lora(
              tensor(AdapterKeys.loraA(module)),
              tensor(AdapterKeys.loraB(module)),
              target.scaling());
      case LoraVariant.Dora dora ->
          AdaptedLayer.dora(
              owner,
              linear,
              tensor(AdapterKeys.loraA(module)),
              tensor(AdapterKeys.loraB(module)),
              tensor(AdapterKeys.magnitude(module)),
              target.scaling());
      case LoraVariant.AdaLora adaLora -> {
        Triplets triplets = triplets(module);
        yield AdaptedLayer.svd(triplets.q(), triplets.lambda(), triplets.p(), target.scaling());
      }
    };
  }

  private Triplets triplets(String module) {
    return new Triplets(
        module,
        tensor(AdapterKeys.svdQ(module)),
        tensor(AdapterKeys.svdLambda(module)),
        tensor(AdapterKeys.svdP(module)));
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

  /// Makes an adapter that changes nothing yet: LoRA's and DoRA's A random and B zero, DoRA's
  /// magnitudes the norms of the weight's rows, AdaLoRA's P and Q random and λ zero; other trained
  /// weights as in the model.
  ///
  /// The head of a task is trained and saved with it, as peft does by the type of the task; of
  /// DeBERTa's also the pooler, which is as new as the classifier.
  ///
  /// @param owner owner of its tensors
  /// @param model the base
  /// @param config what to adapt
  /// @param seed of the random matrices
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
    Map<String, Linear> linears = new HashMap<>();
    for (Linear linear : model.linears()) {
      linears.put(AdapterKeys.magnitude(linear.path()), linear);
    }
    DType dtype = model.computeType() == DType.F64 ? DType.F64 : DType.F32;
    InitialValues random = new InitialValues(seed);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (Map.Entry<String, List<Long>> each : AdapterKeys.shapes(match, tree).entrySet()) {
      String key = each.getKey();
      long[] shape = each.getValue().stream().mapToLong(Long::longValue).toArray();
      Linear linear = linears.get(key);
      Tensor value;
      if (linear != null) {
        value = RowNorms.ofWeight(owner, linear, dtype);
      } else if (key.contains(".lora_")) {
        value = initial(owner, key, config, shape, random);
      } else {
        value = Layout.to(owner, present(base, key), DType.F32);
      }
      parameters.put(key, Layout.as(owner, value, dtype));
    }
    return new LoraAdapter(owner, model, match, parameters);
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

  /// Kaiming-uniform with a = sqrt(5) is U(-1/sqrt(in), 1/sqrt(in)); "gaussian" is N(0, 1/r).
  private static Tensor initial(
      Scope owner, String key, LoraConfig config, long[] shape, InitialValues random) {
    boolean zero = key.endsWith(".lora_B.weight") || key.endsWith(".lora_E");
    if (zero) {
      return owner.zeros(DType.F32, shape);
    }
    long size = shape[0] * shape[1];
    float[] values;
    if (config.variant() instanceof LoraVariant.AdaLora) {
      values = random.normal(size, ADALORA_DEVIATION);
    } else if (config.init() == LoraConfig.Init.GAUSSIAN) {
      values = random.normal(size, 1.0 / shape[0]);
    } else {
      values = random.uniform(size, 1 / Math.sqrt((double) shape[1]));
    }
    return owner.of(values, shape);
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
    try (Scope mapped = Scope.open()) {
      AdapterDirectory read = open(model, directory, mapped);
      DType dtype = parameterType(model);
      return of(owner, model, read, entry -> Layout.to(owner, borrowed(mapped, entry), dtype));
    }
  }

  /// Maps a PEFT adapter directory for reading alone: on the host its weights stay in the file
  /// where they are of the right type already, and no operation can change them.
  ///
  /// @param owner owner of its tensors; the files are open until it is closed
  /// @param model the base
  /// @param directory the adapter's folder
  /// @return the adapter
  /// @throws dev.gatun.runtime.MalformedFileException as [#load]
  /// @throws IOException if a file cannot be read
  public static LoraAdapter map(Scope owner, Transformer model, Path directory) throws IOException {
    if (owner.device().isCuda()) {
      return load(owner, model, directory);
    }
    AdapterDirectory read = open(model, directory, owner);
    DType dtype = parameterType(model);
    return of(
        owner,
        model,
        read,
        entry -> {
          Tensor tensor = borrowed(owner, entry);
          return entry.isAligned()
              ? Layout.as(owner, tensor, dtype)
              : Layout.to(owner, tensor, dtype);
        });
  }

  private static AdapterDirectory open(Transformer model, Path directory, Scope files)
      throws IOException {
    AdapterDirectory read = AdapterDirectory.open(directory, ModuleTrees.of(model), files.arena());
    checkSupported(read.match(), model);
    return read;
  }

  private static DType parameterType(Transformer model) {
    return model.computeType() == DType.F64 ? DType.F64 : DType.F32;
  }

  private static Tensor borrowed(Scope scope, TensorEntry entry) {
    return scope.borrow(entry.data(), entry.dtype(), entry.sizes());
  }

  private static LoraAdapter of(
      Scope owner, Transformer model, AdapterDirectory read, Function<TensorEntry, Tensor> tensor) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    new TreeMap<>(read.tensors())
        .forEach((name, entry) -> {
          if (entry.data().byteSize() > 0) { // AdaLoRA left some layers without any rank
            parameters.put(name, tensor.apply(entry));
          }
        });
    return new LoraAdapter(owner, model, read.match(), parameters);
  }

  /// {@return this adapter with other settings for its training; its tensors are shared}
  ///
  /// @param settings how it is trained
  public LoraAdapter with(LoraTraining settings) {
    return new LoraAdapter(this, settings);
  }

  /// {@return the configuration and the layers that it matched}
  public TargetMatch match() {
    return match;
  }

  @Override
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /// {@return the branch of each linear layer, by [Linear#index()], for the tensors as they are
  /// now; null where it is not adapted}
  ///
  /// @param scope owner of what is computed for them; a tape where they are differentiated
  public @Nullable AdapterLayer[] layers(Scope scope) {
    @Nullable AdapterLayer[] branches = new AdapterLayer[layers.length];
    for (int i = 0; i < branches.length; i++) {
      AdaptedLayer layer = layers[i];
      branches[i] = layer == null ? null : layer.branch(scope);
    }
    return branches;
  }

  /// {@return the weights that this adapter replaces, by [Param#index()]}
  public Map<Integer, Tensor> replaced() {
    return Map.copyOf(replaced);
  }

  @Override
  public ForwardPass.Builder join(ForwardPass.Builder pass, int tokens) {
    return pass.segments(List.of(new AdapterSegment(0, tokens, layers(pass.owner()))))
        .replaced(replaced);
  }

  @Override
  public @Nullable Tensor penalty(Scope scope) {
    List<Tensor> terms = new ArrayList<>();
    if (match.config().variant() instanceof LoraVariant.AdaLora adaLora
        && adaLora.orthogonality() > 0) {
      List<Triplets> all = triplets();
      boolean squared = training.squaredOrthogonality();
      double weight = adaLora.orthogonality() / (squared ? 1 : 2 * all.size());
      for (Triplets each : all) {
        terms.add(Penalties.orthogonality(scope, each.q(), false, weight, squared));
        terms.add(Penalties.orthogonality(scope, each.p(), true, weight, squared));
      }
    }
    if (training.sparsity() > 0) {
      for (AdapterLayer layer : layers(scope)) {
        if (layer != null) {
          terms.add(Penalties.squaredChange(scope, layer, training.sparsity()));
        }
      }
    }
    return terms.stream().reduce((a, b) -> Elementwise.add(scope, a, b)).orElse(null);
  }

  private List<Triplets> triplets() {
    return match.targets().stream()
        .filter(target -> target.rank() > 0)
        .map(target -> triplets(target.module()))
        .toList();
  }

  /// {@return AdaLoRA's scores and masks; the first call starts them}
  ///
  /// @throws InvalidSettingException if the target rank is above the initial one
  @Override
  public Map<String, Tensor> state() {
    if (match.config().variant() instanceof LoraVariant.AdaLora adaLora) {
      RankAllocation started = allocation;
      if (started == null) {
        started = new RankAllocation(owner, adaLora, triplets());
        allocation = started;
      }
      return started.state();
    }
    return Map.of();
  }

  @Override
  public void afterStep(int step, Function<Tensor, Tensor> gradients) {
    if (allocation != null) {
      allocation.afterStep(step, gradients);
    }
  }

  @Override
  public AdamW.Factors factors(String parameter) {
    if (training.plusRatio() == 1) {
      return AdamW.Factors.PLAIN;
    }
    boolean flat = Objects.requireNonNull(parameters.get(parameter), parameter).rank() == 1;
    if (!flat && !parameter.contains(".lora_B")) {
      return AdamW.Factors.PLAIN;
    }
    return new AdamW.Factors(training.plusRatio(), parameter.endsWith(".bias") ? 0 : 1);
  }

  @Override
  public Map<String, String> fingerprint() {
    Map<String, String> all = new LinkedHashMap<>(training.fingerprint());
    if (!(match.config().variant() instanceof LoraVariant.Plain)) {
      all.put("variant", match.config().variant().toString());
    }
    return all;
  }

  private Device device() {
    return parameters.isEmpty() ? Device.CPU : parameters.values().iterator().next().device();
  }

  @Override
  public void save(Path directory) throws IOException {
    RankAllocation started = allocation;
    Map<String, List<Boolean>> kept = started == null ? Map.of() : started.kept();
    LoraConfig config = KeptTriplets.config(match.config(), kept);
    try (Scope scope = Scope.open(device());
        Scope host = Scope.open()) {
      Map<String, Tensor> tensors = KeptTriplets.tensors(scope, parameters, kept);
      List<TensorEntry> entries = new ArrayList<>(TensorEntries.of(host, tensors));
      AdapterKeys.shapes(TargetMatcher.match(config, tree), tree)
          .forEach((name, shape) -> {
            if (shape.contains(0L)) {
              entries.add(KeptTriplets.nothing(name, shape));
            }
          });
      AdapterDirectory.write(directory, config, entries);
    }
  }

  /// Writes the adapter so that every consumer scales it right: rsLoRA and the patterns are folded
  /// into B.
  ///
  /// @param directory made if missing
  /// @return one line for each thing that some consumers refuse
  /// @throws InvalidSettingException if it is AdaLoRA's, which only PEFT reads
  /// @throws IOException if it cannot be written
  public List<String> savePortable(Path directory) throws IOException {
    PortableFolding folding = PortableFolding.of(match);
    try (Arena arena = Arena.ofConfined();
        Scope host = Scope.open()) {
      Map<String, TensorEntry> entries = new LinkedHashMap<>();
      for (TensorEntry entry : TensorEntries.of(host, parameters)) {
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

  /// Returns the model's weights with the adapter added: W + scale B A, its rows scaled where the
  /// adapter is DoRA's.
  ///
  /// @param owner owner of the changed weights; the others stay the model's
  /// @param model the base that the adapter was made for
  /// @return all weights by name
  public Map<String, Tensor> merged(Scope owner, Transformer model) {
    return merged(owner, model, true);
  }

  /// {@return weights that this adapter was merged into, without it again}
  ///
  /// Equal to the original within the rounding of the weights' type. Replaced weights stay
  /// replaced.
  ///
  /// @param owner owner of the changed weights
  /// @param model the model of the merged weights
  public Map<String, Tensor> unmerged(Scope owner, Transformer model) {
    return merged(owner, model, false);
  }

  private Map<String, Tensor> merged(Scope owner, Transformer model, boolean in) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    for (Param param : model.params()) {
      Tensor other = in ? replaced.get(param.index()) : null;
      weights.put(
          param.name(),
          other == null ? param.value() : Layout.as(owner, other, param.value().dtype()));
    }
    for (Linear linear : model.linears()) {
      AdaptedLayer adapted = layers[linear.index()];
      if (adapted == null) {
        continue;
      }
      Tensor base = linear.weight().value();
      try (Scope block = Scope.open(base.device())) {
        AdapterLayer layer = adapted.branch(block);
        Tensor sum = Layout.to(block, base, layer.a().dtype());
        Tensor target = linear.transposed() ? Layout.transpose(block, sum, 0, 1) : sum; // (O, I)
        if (in) {
          Matmul.addProductInPlace(block, target, layer.scale(), layer.b(), layer.a());
        }
        rescale(block, target, layer, in);
        if (!in) {
          Matmul.addProductInPlace(block, target, -layer.scale(), layer.b(), layer.a());
        }
        weights.put(linear.weight().name(), Layout.to(owner, sum, base.dtype()));
      }
    }
    return weights;
  }

  /// Multiplies the rows by the magnitude over the norm, or divides them by it.
  private static void rescale(Scope s, Tensor weight, AdapterLayer layer, boolean in) {
    AdapterLayer.Magnitude magnitude = layer.magnitude();
    if (magnitude == null) {
      return;
    }
    Tensor norm = magnitude.norms().of(s, layer.a(), layer.b());
    Tensor c =
        in
            ? Elementwise.div(s, magnitude.value(), norm)
            : Elementwise.div(s, norm, magnitude.value());
    Tensor column = Layout.reshape(s, c, c.size(0), 1);
    Layout.copyInPlace(weight, Elementwise.mul(s, weight, column));
  }
}
