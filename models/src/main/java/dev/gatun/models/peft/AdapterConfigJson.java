package dev.gatun.models.peft;

import dev.gatun.models.peft.LoraConfig.Bias;
import dev.gatun.models.peft.LoraConfig.Init;
import dev.gatun.models.peft.LoraConfig.Origin;
import dev.gatun.models.peft.LoraConfig.Selection;
import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `adapter_config.json` of an adapter of the LoRA family. Every key is used, known to be harmless,
/// or refused by name. Thread-safe.
public final class AdapterConfigJson {
  /// The version of PEFT whose keys and defaults we write.
  public static final String PEFT_VERSION = "0.21.0";

  private static final int MAX_BYTES = 16 << 20;
  private static final String ALL_LINEAR = "all-linear";
  private static final String LORA = "LORA";
  private static final String ADALORA = "ADALORA";
  private static final String LAMBDA = ".lora_E";

  // AdaLoRA has another key for the rank and ignores this one, PEFT's default.
  private static final int UNUSED_RANK = 8;

  // Say how the adapter was made or by what, not what it computes.
  private static final Set<String> HARMLESS =
      Set.of(
          "auto_mapping",
          "corda_config",
          "eva_config",
          "inference_mode",
          "loftq_config",
          "lora_ga_config",
          "megatron_core",
          "peft_version",
          "qalora_group_size",
          "runtime_config");

  // Change what the adapter computes.
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "alora_invocation_tokens",
          "arrow_config",
          "ensure_weight_tying",
          "kasa_config",
          "layer_replication",
          "lora_bias",
          "megatron_config",
          "monteclora_config",
          "target_parameters",
          "trainable_token_indices",
          "use_bdlora",
          "use_qalora",
          "velora_config");

  private AdapterConfigJson() {}

  /// Reads a configuration. Missing keys have PEFT's defaults.
  ///
  /// @param file an `adapter_config.json`
  /// @return the configuration
  /// @throws MalformedFileException if it is no JSON object, a value is unfit, or a key asks for
  ///   what is not supported
  /// @throws IOException if the file cannot be read
  public static LoraConfig read(Path file) throws IOException {
    return new Reader(file, StrictJson.read(file, MAX_BYTES)).read();
  }

  /// Writes a configuration and replaces the file in one step.
  ///
  /// @param file the file to create or replace
  /// @param config the configuration
  /// @throws IOException if writing failed; the file is then as it was
  public static void write(Path file, LoraConfig config) throws IOException {
    AtomicFile.write(file, toJson(config));
  }

  /// Returns the text that PEFT writes for a configuration, its lists sorted.
  ///
  /// @param config the configuration; [TargetMatch#config()] where Python shall load it
  /// @return JSON in ASCII without a line break at the end
  public static String toJson(LoraConfig config) {
    Map<String, @Nullable Object> json = new TreeMap<>();
    UNSUPPORTED.forEach(key -> json.put(key, null));
    for (String flag : List.of("ensure_weight_tying", "lora_bias", "use_qalora")) {
      json.put(flag, false);
    }
    HARMLESS.forEach(key -> json.put(key, null));
    json.remove("runtime_config");
    json.put("inference_mode", true);
    json.put("loftq_config", Map.of());
    json.put("megatron_core", "megatron.core");
    json.put("peft_version", PEFT_VERSION);
    json.put("qalora_group_size", 16);

    Selection selection = config.selection();
    json.put("task_type", config.origin().taskType());
    json.put("base_model_name_or_path", config.origin().baseModel());
    json.put("revision", config.origin().revision());
    json.put("lora_alpha", number(config.alpha()));
    json.put("lora_dropout", config.dropout());
    json.put("target_modules", modules(selection.target()));
    json.put("exclude_modules", selection.exclude() == null ? null : modules(selection.exclude()));
    json.put("layers_to_transform", orNull(selection.layers()));
    json.put("layers_pattern", orNull(selection.layersPatterns()));
    Map<String, Object> alphas = new TreeMap<>();
    config.alphaPattern().forEach((key, alpha) -> alphas.put(key, number(alpha)));
    json.put("alpha_pattern", alphas);
    json.put("use_rslora", config.rsLora());
    json.put("bias", config.bias().name().toLowerCase(Locale.ROOT));
    json.put("modules_to_save", orNull(config.modulesToSave()));
    json.put(
        "init_lora_weights",
        switch (config.init()) {
          case KAIMING -> true;
          case GAUSSIAN -> "gaussian";
        });
    json.put("fan_in_fan_out", config.fanInFanOut());
    json.put("use_dora", config.variant() instanceof LoraVariant.Dora);
    if (config.variant() instanceof LoraVariant.AdaLora adaLora) {
      put(json, config.r(), adaLora);
    } else {
      json.put("peft_type", LORA);
      json.put("r", config.r());
      json.put("rank_pattern", config.rankPattern());
    }
    return PythonJson.dumps(json);
  }

  private static void put(
      Map<String, @Nullable Object> json, int rank, LoraVariant.AdaLora settings) {
    json.put("peft_type", ADALORA);
    json.put("r", UNUSED_RANK);
    json.put("init_r", rank);
    json.put("target_r", settings.targetRank());
    json.put("tinit", settings.initialSteps());
    json.put("tfinal", settings.finalSteps());
    json.put("deltaT", settings.interval());
    json.put("beta1", settings.beta1());
    json.put("beta2", settings.beta2());
    json.put("orth_reg_weight", settings.orthogonality());
    json.put("total_step", settings.totalSteps());
    Map<String, List<Boolean>> kept = new TreeMap<>();
    settings.kept().forEach((module, pattern) -> kept.put(module + LAMBDA, pattern));
    json.put("rank_pattern", kept.isEmpty() ? null : kept);
  }

  // PEFT documents alpha as an integer, and some readers insist.
  private static Object number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      return (long) value;
    }
    return value;
  }

  private static @Nullable Object orNull(List<?> list) {
    return list.isEmpty() ? null : list;
  }

  private static @Nullable Object modules(TargetModules modules) {
    return switch (modules) {
      case TargetModules.Names(List<String> names) -> names;
      case TargetModules.Regex(String pattern) -> pattern;
      case TargetModules.AllLinear all -> ALL_LINEAR;
      case TargetModules.ModelDefault none -> null;
    };
  }

  private record Reader(Path file, ObjectNode json, Map<String, JsonNode> left) {
    private static final LoraVariant PLAIN = new LoraVariant.Plain();

    Reader(Path file, ObjectNode json) {
      this(file, json, new LinkedHashMap<>());
      json.properties().forEach(entry -> left.put(entry.getKey(), entry.getValue()));
    }

    LoraConfig read() throws MalformedFileException {
      String type = string("peft_type");
      boolean adaLora = ADALORA.equals(type);
      if (!adaLora && !LORA.equals(type)) {
        throw malformed(
            "peft_type", type == null ? "nothing" : "'" + type + "'", "'LORA' or 'ADALORA'");
      }
      try {
        int rank = integer("r", take("r"), 8);
        LoraConfig config =
            new LoraConfig(
                adaLora ? adaLora() : flag("use_dora") ? new LoraVariant.Dora() : PLAIN,
                adaLora ? integer("init_r", take("init_r"), 12) : rank,
                number("lora_alpha", take("lora_alpha"), 8),
                number("lora_dropout", take("lora_dropout"), 0),
                selection(),
                adaLora ? Map.of() : ranks(),
                alphas(),
                flag("use_rslora"),
                bias(),
                strings("modules_to_save"),
                init(),
                flag("fan_in_fan_out"),
                new Origin(
                    string("task_type"), string("base_model_name_or_path"), string("revision")));
        refuseRest();
        return config;
      } catch (InvalidSettingException e) {
        throw malformed(e.place(), e.found(), e.expected());
      }
    }

    private LoraVariant.AdaLora adaLora() throws MalformedFileException {
      if (flag("use_dora")) {
        throw malformed("use_dora", "true", "false with AdaLoRA");
      }
      JsonNode steps = take("total_step");
      if (steps == null) {
        throw malformed("total_step", "nothing", "an integer");
      }
      return new LoraVariant.AdaLora(
          integer("target_r", take("target_r"), 8),
          integer("tinit", take("tinit"), 0),
          integer("tfinal", take("tfinal"), 0),
          integer("deltaT", take("deltaT"), 1),
          number("beta1", take("beta1"), 0.85),
          number("beta2", take("beta2"), 0.85),
          number("orth_reg_weight", take("orth_reg_weight"), 0.5),
          integer("total_step", steps, 0),
          kept());
    }

    // By the name of the layer's λ, which ends in the adapter's own name while PEFT trains.
    private Map<String, List<Boolean>> kept() throws MalformedFileException {
      Map<String, List<Boolean>> kept = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : object("rank_pattern")) {
        String place = "rank_pattern '" + entry.getKey() + "'";
        int end = entry.getKey().lastIndexOf(LAMBDA);
        if (end < 0) {
          throw malformed(place, "this name", "one that ends in " + LAMBDA);
        }
        if (!entry.getValue().isArray()) {
          throw malformed(place, text(entry.getValue()), "a list of true and false");
        }
        List<Boolean> pattern = new ArrayList<>();
        for (JsonNode item : entry.getValue()) {
          if (!item.isBoolean()) {
            throw malformed(place, text(item) + " in the list", "only true and false");
          }
          pattern.add(item.booleanValue());
        }
        kept.put(entry.getKey().substring(0, end), pattern);
      }
      return kept;
    }

    private void refuseRest() throws MalformedFileException {
      for (Map.Entry<String, JsonNode> entry : left.entrySet()) {
        String key = entry.getKey();
        if (HARMLESS.contains(key) || isNeutral(entry.getValue())) {
          continue;
        }
        if (UNSUPPORTED.contains(key)) {
          throw malformed(key, text(entry.getValue()), "null or false, for it is not supported");
        }
        throw malformed(key, text(entry.getValue()), "no such key, for PEFT's LoRA has none");
      }
    }

    private static boolean isNeutral(JsonNode value) {
      return value.isNull()
          || (value.isBoolean() && !value.booleanValue())
          || (value.isContainer() && value.isEmpty());
    }

    private Selection selection() throws MalformedFileException {
      TargetModules target = modules("target_modules");
      if (target instanceof TargetModules.Regex(String pattern)
          && pattern.toLowerCase(Locale.ROOT).equals(ALL_LINEAR)) {
        target = new TargetModules.AllLinear();
      }
      return new Selection(
          target == null ? new TargetModules.ModelDefault() : target,
          modules("exclude_modules"),
          integers("layers_to_transform"),
          strings("layers_pattern"));
    }

    private @Nullable TargetModules modules(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value == null) {
        return null;
      }
      return value.isString()
          ? new TargetModules.Regex(value.stringValue())
          : new TargetModules.Names(strings(key, value));
    }

    private Map<String, Integer> ranks() throws MalformedFileException {
      Map<String, Integer> ranks = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : object("rank_pattern")) {
        String place = "rank_pattern '" + entry.getKey() + "'";
        ranks.put(entry.getKey(), integer(place, entry.getValue(), 0));
      }
      return ranks;
    }

    private Map<String, Double> alphas() throws MalformedFileException {
      Map<String, Double> alphas = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : object("alpha_pattern")) {
        String place = "alpha_pattern '" + entry.getKey() + "'";
        alphas.put(entry.getKey(), number(place, entry.getValue(), 0));
      }
      return alphas;
    }

    private Bias bias() throws MalformedFileException {
      String bias = string("bias");
      return switch (bias) {
        case null -> Bias.NONE;
        case "none" -> Bias.NONE;
        case "all" -> Bias.ALL;
        case "lora_only" -> Bias.LORA_ONLY;
        default -> throw malformed("bias", "'" + bias + "'", "none, all or lora_only");
      };
    }

    // Ways to start that leave the base weights alone do not matter once there are weights.
    private Init init() throws MalformedFileException {
      JsonNode value = take("init_lora_weights");
      if (value == null || value.isBoolean()) {
        return Init.KAIMING;
      }
      return switch (value.isString() ? value.stringValue() : "") {
        case "gaussian" -> Init.GAUSSIAN;
        case "eva", "orthogonal" -> Init.KAIMING;
        default ->
            throw malformed(
                "init_lora_weights",
                text(value),
                "true, false, gaussian, orthogonal or eva, which leave the base weights as they"
                    + " are");
      };
    }

    private @Nullable JsonNode take(String key) {
      JsonNode value = left.remove(key);
      return value == null || value.isNull() ? null : value;
    }

    private boolean flag(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value != null && !value.isBoolean()) {
        throw malformed(key, text(value), "true or false");
      }
      return value != null && value.booleanValue();
    }

    private @Nullable String string(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value == null) {
        return null;
      }
      if (!value.isString()) {
        throw malformed(key, text(value), "a string");
      }
      return value.stringValue();
    }

    private int integer(String place, @Nullable JsonNode value, int otherwise)
        throws MalformedFileException {
      if (value == null) {
        return otherwise;
      }
      if (!value.isInt()) {
        throw malformed(place, text(value), "an integer");
      }
      return value.intValue();
    }

    private double number(String place, @Nullable JsonNode value, double otherwise)
        throws MalformedFileException {
      if (value == null) {
        return otherwise;
      }
      if (!value.isNumber()) {
        throw malformed(place, text(value), "a number");
      }
      return value.asDouble();
    }

    private Set<Map.Entry<String, JsonNode>> object(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value == null) {
        return Set.of();
      }
      if (!value.isObject()) {
        throw malformed(key, text(value), "an object");
      }
      return value.properties();
    }

    private List<String> strings(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value == null) {
        return List.of();
      }
      return value.isString() ? List.of(value.stringValue()) : strings(key, value);
    }

    private List<String> strings(String key, JsonNode value) throws MalformedFileException {
      if (!value.isArray()) {
        throw malformed(key, text(value), "a list of strings");
      }
      List<String> strings = new ArrayList<>();
      for (JsonNode item : value) {
        if (!item.isString()) {
          throw malformed(key, text(item) + " in the list", "only strings");
        }
        strings.add(item.stringValue());
      }
      return strings;
    }

    private List<Integer> integers(String key) throws MalformedFileException {
      JsonNode value = take(key);
      if (value == null) {
        return List.of();
      }
      if (!value.isArray()) {
        return List.of(integer(key, value, 0));
      }
      List<Integer> integers = new ArrayList<>();
      for (JsonNode item : value) {
        integers.add(integer(key, item, 0));
      }
      return integers;
    }

    private static String text(JsonNode value) {
      return value.isString() ? "'" + value.stringValue() + "'" : value.toString();
    }

    private MalformedFileException malformed(String place, String found, String expected) {
      return new MalformedFileException(file, place, found, expected);
    }
  }
}
