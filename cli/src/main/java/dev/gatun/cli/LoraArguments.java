package dev.gatun.cli;

import dev.gatun.models.hub.ModuleTrees;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.models.peft.LoraVariant;
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
  private static final int ADALORA_RANK = 12;

  @Option(
      names = "--rank",
      paramLabel = "R",
      description = "Rank of the adapter, with adalora the initial one. Default: 8; adalora: 12.")
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

  @Option(
      names = "--target-rank",
      paramLabel = "R",
      description = "With adalora: mean rank at the end. Default: 8.")
  private @Nullable Integer targetRank;

  @Option(
      names = "--rank-steps",
      paramLabel = "FIRST,LAST,EVERY",
      split = ",",
      description =
          "With adalora: steps before ranks change, steps at the end when they stay, and steps"
              + " between two changes. Default: 0,0,1.")
  private List<Integer> rankSteps = new ArrayList<>();

  @Option(
      names = "--orthogonality",
      paramLabel = "G",
      description =
          "With adalora: weight of the penalty on matrices that are not orthogonal. Default: 0.5.")
  private @Nullable Double orthogonality;

  @Option(
      names = "--orthogonality-squared",
      description = "The penalty as in AdaLoRA's paper, a sum of squared norms; else as in PEFT.")
  private boolean squaredOrthogonality;

  @Option(
      names = "--lora-plus-ratio",
      paramLabel = "X",
      defaultValue = "1",
      description = "LoRA+: the learning rate of B over that of A. Default: 1.")
  private double plusRatio = 1;

  @Option(
      names = "--sparsity",
      paramLabel = "L,P",
      split = ",",
      description =
          "Add L (2P - P^2) |change of the weights|^2 to the loss, LoRA Dropout's theory. Default:"
              + " none.")
  private List<Double> sparsity = new ArrayList<>();

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
    all.put("--lora-plus-ratio", plusRatio != 1);
    all.put("--sparsity", !sparsity.isEmpty());
    return all.entrySet().stream()
        .filter(Map.Entry::getValue)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /// Refuses options of other methods, and numbers out of their range, before anything is opened.
  void check(Method method) {
    Map<String, Boolean> ada = adaLora();
    for (Map.Entry<String, Boolean> each : ada.entrySet()) {
      if (each.getValue() && method != Method.ADALORA) {
        throw new RefusedException(
            each.getKey() + ": found " + method.given() + ", expected --method adalora");
      }
    }
    if (method == Method.ADALORA) {
      for (Map.Entry<String, Boolean> each : plainAlone().entrySet()) {
        if (each.getValue()) {
          throw new RefusedException(
              each.getKey() + ": found --method adalora, expected lora or dora");
        }
      }
    }
    int initial = rank == null ? ADALORA_RANK : rank;
    if (method == Method.ADALORA && targetRank() > initial) {
      throw new RefusedException(
          "--target-rank: found " + targetRank() + ", expected at most --rank, " + initial);
    }
    if (!rankSteps.isEmpty() && rankSteps.size() != 3) {
      throw new RefusedException(
          "--rank-steps: found " + rankSteps.size() + " numbers, expected three");
    }
    if (!sparsity.isEmpty() && (sparsity.size() != 2 || !isShare(sparsity.get(1)))) {
      throw new RefusedException(
          "--sparsity: found " + sparsity + ", expected a weight and 0 <= p <= 1");
    }
    try {
      training();
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--lora-plus-ratio, --sparsity: " + e.getMessage());
    }
  }

  private static boolean isShare(double p) {
    return p >= 0 && p <= 1;
  }

  /// Returns how the adapter is trained.
  LoraTraining training() {
    return new LoraTraining(
        plusRatio,
        sparsity.isEmpty() ? 0 : LoraTraining.sparsity(sparsity.get(0), sparsity.get(1)),
        squaredOrthogonality);
  }

  /// Refuses options that contradict an adapter that a run starts from; equal ones may be given.
  void check(LoraAdapter start, Transformer model, Method method) {
    LoraConfig fixed = start.match().config();
    Method kind =
        switch (fixed.variant()) {
          case LoraVariant.Plain plain -> Method.LORA;
          case LoraVariant.Dora dora -> Method.DORA;
          case LoraVariant.AdaLora adaLora -> Method.ADALORA;
        };
    if (kind != method) {
      throw contradiction("--method", method.text(), kind.text());
    }
    if (rank != null && rank != fixed.r()) {
      throw contradiction("--rank", rank, fixed.r());
    }
    if (alpha != null && alpha != fixed.alpha()) {
      throw contradiction("--alpha", alpha, fixed.alpha());
    }
    if (targets != null) {
      List<String> asked =
          modules(TargetMatcher.match(config("", method, 1, 0), ModuleTrees.of(model)));
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
    all.putAll(plainAlone());
    all.putAll(adaLora());
    all.put("--bias", !bias.equals("none"));
    all.put("--modules-to-save", !modulesToSave.isEmpty());
    return all;
  }

  private Map<String, Boolean> plainAlone() {
    Map<String, Boolean> all = new LinkedHashMap<>();
    all.put("--rank-pattern", !rankPattern.isEmpty());
    all.put("--alpha-pattern", !alphaPattern.isEmpty());
    all.put("--rslora", rsLora);
    return all;
  }

  private Map<String, Boolean> adaLora() {
    Map<String, Boolean> all = new LinkedHashMap<>();
    all.put("--target-rank", targetRank != null);
    all.put("--rank-steps", !rankSteps.isEmpty());
    all.put("--orthogonality", orthogonality != null);
    all.put("--orthogonality-squared", squaredOrthogonality);
    return all;
  }

  private int targetRank() {
    return targetRank == null ? RANK : targetRank;
  }

  private LoraVariant variant(Method method, int steps) {
    return switch (method) {
      case DORA -> new LoraVariant.Dora();
      case ADALORA ->
          new LoraVariant.AdaLora(
              targetRank(),
              rankSteps.isEmpty() ? 0 : rankSteps.get(0),
              rankSteps.isEmpty() ? 0 : rankSteps.get(1),
              rankSteps.isEmpty() ? 1 : rankSteps.get(2),
              0.85,
              0.85,
              orthogonality == null ? 0.5 : orthogonality,
              steps,
              Map.of());
      default -> new LoraVariant.Plain();
    };
  }

  /// Returns the adapter's configuration.
  ///
  /// @param steps steps of the run
  /// @param branchDropout what peft calls lora_dropout
  LoraConfig config(String baseModel, Method method, int steps, double branchDropout) {
    int usual = method == Method.ADALORA ? ADALORA_RANK : RANK;
    int r = rank == null ? usual : rank;
    return new LoraConfig(
        variant(method, steps),
        r,
        alpha == null ? 2.0 * r : alpha,
        branchDropout,
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
