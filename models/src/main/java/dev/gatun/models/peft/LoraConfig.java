package dev.gatun.models.peft;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The settings of an adapter of the LoRA family, with the meaning that PEFT gives them. Immutable.
///
/// The order of the two patterns counts: the first expression that matches a module wins.
///
/// @param variant how the change of a weight is written
/// @param r rank of modules that `rankPattern` does not name, at least 1; AdaLoRA's `init_r`
/// @param alpha numerator of the scaling of modules that `alphaPattern` does not name
/// @param dropout probability of plain dropout on the adapter's input, from 0 to below 1
/// @param selection the adapted modules
/// @param rankPattern ranks by a regular expression on the end of the module path
/// @param alphaPattern alphas by a regular expression on the end of the module path
/// @param rsLora whether the scaling is `alpha / sqrt(r)` instead of `alpha / r`
/// @param bias which biases are trained too
/// @param modulesToSave path suffixes of modules that are trained whole
/// @param init how A starts
/// @param fanInFanOut whether base weights are stored `(in, out)`, as GPT-2 does
/// @param origin what the adapter belongs to
public record LoraConfig(
    LoraVariant variant,
    int r,
    double alpha,
    double dropout,
    Selection selection,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern,
    boolean rsLora,
    Bias bias,
    List<String> modulesToSave,
    Init init,
    boolean fanInFanOut,
    Origin origin) {

  /// Which biases are trained besides the adapter.
  public enum Bias {
    /// None of them.
    NONE,
    /// Every bias of the model.
    ALL,
    /// The biases of the adapted modules.
    LORA_ONLY
  }

  /// How the A matrix starts; B always starts at zero.
  public enum Init {
    /// Uniform in `±1/sqrt(in)`, which is Kaiming's with a = √5: `true` in the file.
    KAIMING,
    /// Normal with standard deviation `1/r`.
    GAUSSIAN
  }

  /// Which modules are adapted.
  ///
  /// @param target the modules to adapt
  /// @param exclude names or an expression of modules to leave alone; `null` for none
  /// @param layers numbers of the layers to adapt; empty for all
  /// @param layersPatterns names of the list that the numbers index, such as `h`; empty for any
  public record Selection(
      TargetModules target,
      @Nullable TargetModules exclude,
      List<Integer> layers,
      List<String> layersPatterns) {
    /// Checks that the parts go together, as PEFT does.
    ///
    /// @throws InvalidSettingException if they contradict each other
    public Selection {
      layers = List.copyOf(layers);
      layersPatterns = List.copyOf(layersPatterns);
      if (exclude != null
          && !(exclude instanceof TargetModules.Names || exclude instanceof TargetModules.Regex)) {
        throw new InvalidSettingException(
            "exclude_modules", exclude.toString(), "names or an expression");
      }
      boolean string =
          target instanceof TargetModules.Regex || target instanceof TargetModules.AllLinear;
      if (!layers.isEmpty() && string) {
        throw new InvalidSettingException(
            "layers_to_transform", layers + " beside a string in target_modules", "a list there");
      }
      if (layers.isEmpty() && !layersPatterns.isEmpty()) {
        throw new InvalidSettingException(
            "layers_pattern", "it without layers_to_transform", "both or none");
      }
    }

    /// Selects modules of all layers.
    ///
    /// @param target the modules to adapt
    /// @return nothing excluded
    public static Selection of(TargetModules target) {
      return new Selection(target, null, List.of(), List.of());
    }
  }

  /// What an adapter belongs to.
  ///
  /// @param taskType PEFT's name of the task, such as `CAUSAL_LM`
  /// @param baseModel name or folder of the base model
  /// @param revision version of the base model
  public record Origin(
      @Nullable String taskType, @Nullable String baseModel, @Nullable String revision) {}

  /// Checks the numbers and the expressions.
  ///
  /// @throws InvalidSettingException if a value is out of its range or an expression is broken
  public LoraConfig {
    checkRank(variant instanceof LoraVariant.AdaLora ? "init_r" : "r", r);
    checkAlpha("lora_alpha", alpha);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new InvalidSettingException("lora_dropout", Double.toString(dropout), "0 <= p < 1");
    }
    if (variant instanceof LoraVariant.AdaLora) {
      none("rank_pattern", rankPattern.isEmpty() ? null : rankPattern);
      none("alpha_pattern", alphaPattern.isEmpty() ? null : alphaPattern);
      none("use_rslora", rsLora ? true : null);
    }
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    modulesToSave = List.copyOf(modulesToSave);
    rankPattern.forEach((key, rank) -> checkRank("rank_pattern '" + key + "'", rank));
    alphaPattern.forEach((key, a) -> checkAlpha("alpha_pattern '" + key + "'", a));
    rankPattern.keySet().forEach(TargetMatcher::endPattern);
    alphaPattern.keySet().forEach(TargetMatcher::endPattern);
    modulesToSave.forEach(TargetMatcher::savedPattern);
    selection.layersPatterns().forEach(TargetMatcher::layerPattern);
  }

  /// Makes a configuration for causal language models with PEFT's defaults elsewhere.
  ///
  /// @param r rank, at least 1
  /// @param alpha numerator of the scaling
  /// @param target the modules to adapt
  /// @return without dropout, patterns, biases and saved modules
  public static LoraConfig of(int r, double alpha, TargetModules target) {
    return new LoraConfig(
        new LoraVariant.Plain(),
        r,
        alpha,
        0,
        Selection.of(target),
        Map.of(),
        Map.of(),
        false,
        Bias.NONE,
        List.of(),
        Init.KAIMING,
        false,
        new Origin("CAUSAL_LM", null, null));
  }

  /// Returns the factor of `B·A·x` in a module of this rank and alpha.
  ///
  /// @param rank rank of the module
  /// @param moduleAlpha alpha of the module
  /// @return `alpha / rank`, or `alpha / sqrt(rank)` with rsLoRA; AdaLoRA divides by the initial
  ///   rank plus 1e-5, whatever became of it
  public double scaling(int rank, double moduleAlpha) {
    if (variant instanceof LoraVariant.AdaLora) {
      return (moduleAlpha > 0 ? moduleAlpha : r) / (r + 1e-5);
    }
    return rsLora ? moduleAlpha / Math.sqrt(rank) : moduleAlpha / rank;
  }

  /// {@return a copy that writes the change of a weight otherwise}
  ///
  /// @param variant how
  public LoraConfig withVariant(LoraVariant variant) {
    return new LoraConfig(
        variant,
        r,
        alpha,
        dropout,
        selection,
        rankPattern,
        alphaPattern,
        rsLora,
        bias,
        modulesToSave,
        init,
        fanInFanOut,
        origin);
  }

  /// Returns a copy that adapts other modules.
  ///
  /// @param selection the modules
  /// @return the copy
  public LoraConfig withSelection(Selection selection) {
    return new LoraConfig(
        variant,
        r,
        alpha,
        dropout,
        selection,
        rankPattern,
        alphaPattern,
        rsLora,
        bias,
        modulesToSave,
        init,
        fanInFanOut,
        origin);
  }

  /// Returns a copy with other ranks and scalings.
  ///
  /// @param r rank
  /// @param alpha numerator of the scaling
  /// @param rankPattern exceptions from `r`
  /// @param alphaPattern exceptions from `alpha`
  /// @param rsLora whether the root of the rank divides
  /// @return the copy
  public LoraConfig withScaling(
      int r,
      double alpha,
      Map<String, Integer> rankPattern,
      Map<String, Double> alphaPattern,
      boolean rsLora) {
    return new LoraConfig(
        variant,
        r,
        alpha,
        dropout,
        selection,
        rankPattern,
        alphaPattern,
        rsLora,
        bias,
        modulesToSave,
        init,
        fanInFanOut,
        origin);
  }

  /// Returns a copy for another base model.
  ///
  /// @param origin what the adapter belongs to
  /// @param fanInFanOut whether that model stores its weights `(in, out)`
  /// @return the copy
  public LoraConfig withOrigin(Origin origin, boolean fanInFanOut) {
    return new LoraConfig(
        variant,
        r,
        alpha,
        dropout,
        selection,
        rankPattern,
        alphaPattern,
        rsLora,
        bias,
        modulesToSave,
        init,
        fanInFanOut,
        origin);
  }

  private static void none(String place, @Nullable Object found) {
    if (found != null) {
      throw new InvalidSettingException(place, found.toString(), "none with AdaLoRA");
    }
  }

  /// Returns a copy that trains more modules whole.
  ///
  /// @param paths paths or path suffixes; those that are there already are not added again
  /// @return the copy
  public LoraConfig withSavedModules(List<String> paths) {
    Set<String> all = new LinkedHashSet<>(modulesToSave);
    all.addAll(paths);
    return new LoraConfig(
        variant,
        r,
        alpha,
        dropout,
        selection,
        rankPattern,
        alphaPattern,
        rsLora,
        bias,
        List.copyOf(all),
        init,
        fanInFanOut,
        origin);
  }

  private static void checkRank(String place, int rank) {
    if (rank < 1) {
      throw new InvalidSettingException(place, Integer.toString(rank), "at least 1");
    }
  }

  private static void checkAlpha(String place, double alpha) {
    if (!Double.isFinite(alpha)) {
      throw new InvalidSettingException(place, Double.toString(alpha), "a finite number");
    }
  }
}
