package dev.gatun.cli;

import dev.gatun.models.hub.ModuleTrees;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.peft.TargetMatch;
import dev.gatun.models.peft.TargetMatcher;
import dev.gatun.models.peft.TargetModules;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What a new adapter looks like.
final class LoraArguments {
  private static final int RANK = 8;

  @Option(names = "--rank", paramLabel = "R", description = "Rank of the adapter. Default: 8.")
  private @Nullable Integer rank;

  @Option(
      names = "--alpha",
      paramLabel = "A",
      description = "Numerator of the scaling alpha / rank. Default: twice the rank.")
  private @Nullable Double alpha;

  @Option(
      names = "--targets",
      paramLabel = "NAMES",
      description =
          "Adapted layers: names by commas, all-linear, or regex:EXPRESSION. Default: all-linear.")
  private @Nullable String targets;

  @Option(
      names = "--exclude",
      paramLabel = "NAMES",
      description = "Layers to leave alone, as --targets.")
  private @Nullable String exclude;

  @Option(
      names = "--rank-pattern",
      paramLabel = "REGEX=R",
      description = "Rank of the layers whose path ends so.")
  private Map<String, Integer> rankPattern = new LinkedHashMap<>();

  @Option(
      names = "--alpha-pattern",
      paramLabel = "REGEX=A",
      description = "Alpha of the layers whose path ends so.")
  private Map<String, Double> alphaPattern = new LinkedHashMap<>();

  @Option(names = "--rslora", description = "Scale by alpha / sqrt(rank).")
  private boolean rsLora;

  @Option(
      names = "--bias",
      paramLabel = "WHICH",
      defaultValue = "none",
      description = "Biases to train: none, all or lora_only. Default: none.")
  private String bias = "none";

  @Option(
      names = "--modules-to-save",
      paramLabel = "NAMES",
      split = ",",
      description = "Modules to train whole.")
  private List<String> modulesToSave = new ArrayList<>();

  /// Returns the name of one of these options that was given, or null.
  @Nullable String given() {
    Map<String, Boolean> all = new LinkedHashMap<>();
    all.put("--rank", rank != null);
    all.put("--alpha", alpha != null);
    all.put("--targets", targets != null);
    all.putAll(shaping());
    return all.entrySet().stream()
        .filter(Map.Entry::getValue)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /// Refuses options that contradict an adapter that a run starts from; equal ones may be given.
  void check(LoraAdapter start, CausalLm model) {
    LoraConfig fixed = start.match().config();
    if (rank != null && rank != fixed.r()) {
      throw contradiction("--rank", rank, fixed.r());
    }
    if (alpha != null && alpha != fixed.alpha()) {
      throw contradiction("--alpha", alpha, fixed.alpha());
    }
    if (targets != null) {
      List<String> asked = modules(TargetMatcher.match(config(""), ModuleTrees.of(model)));
      List<String> there = modules(start.match());
      if (!asked.equals(there)) {
        throw contradiction(
            "--targets", targets, there.size() + " layers such as " + there.getFirst());
      }
    }
    for (Map.Entry<String, Boolean> other : shaping().entrySet()) {
      if (other.getValue()) {
        throw new RefusedException(
            other.getKey()
                + ": found beside --init-adapter, which fixes it; expected one of the two");
      }
    }
  }

  private static List<String> modules(TargetMatch match) {
    return match.targets().stream().map(LoraTarget::module).toList();
  }

  private static RefusedException contradiction(String option, Object found, Object expected) {
    return new RefusedException(
        option + ": found " + found + ", expected " + expected + ", as --init-adapter has it");
  }

  private Map<String, Boolean> shaping() {
    Map<String, Boolean> all = new LinkedHashMap<>();
    all.put("--exclude", exclude != null);
    all.put("--rank-pattern", !rankPattern.isEmpty());
    all.put("--alpha-pattern", !alphaPattern.isEmpty());
    all.put("--rslora", rsLora);
    all.put("--bias", !bias.equals("none"));
    all.put("--modules-to-save", !modulesToSave.isEmpty());
    return all;
  }

  LoraConfig config(String baseModel) {
    int r = rank == null ? RANK : rank;
    return new LoraConfig(
        r,
        alpha == null ? 2.0 * r : alpha,
        0,
        new LoraConfig.Selection(
            modules(targets == null ? "all-linear" : targets),
            exclude == null ? null : modules(exclude),
            List.of(),
            List.of()),
        rankPattern,
        alphaPattern,
        rsLora,
        bias(),
        modulesToSave,
        LoraConfig.Init.KAIMING,
        false,
        new LoraConfig.Origin("CAUSAL_LM", baseModel, null));
  }

  private LoraConfig.Bias bias() {
    try {
      return LoraConfig.Bias.valueOf(bias.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--bias: found '" + bias + "', expected none, all or lora_only");
    }
  }

  private static TargetModules modules(String text) {
    if (text.equals("all-linear")) {
      return new TargetModules.AllLinear();
    }
    if (text.startsWith("regex:")) {
      return new TargetModules.Regex(text.substring("regex:".length()));
    }
    return new TargetModules.Names(List.of(text.split(",")));
  }
}
