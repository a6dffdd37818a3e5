package dev.gatun.models.peft;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;

/// Finds the modules that a LoRA configuration adapts, by PEFT's rules to the letter: names match
/// whole paths or their ends, expressions whole paths, `exclude_modules` and `modules_to_save` win.
public final class TargetMatcher {
  // From so many names on, PEFT looks for shorter ones.
  private static final int MANY_NAMES = 20;
  private static final PythonRegex FIRST_LAYER_NUMBER =
      PythonRegex.compile(".*?\\.[^.]*\\.(?P<idx>\\d+)\\.");
  private static final Map<String, List<String>> DEFAULT_TARGETS =
      Map.of(
          "gpt2", List.of("c_attn"),
          "llama", List.of("q_proj", "v_proj"),
          "mistral", List.of("q_proj", "v_proj"),
          "qwen2", List.of("q_proj", "v_proj"),
          "qwen3", List.of("q_proj", "v_proj"),
          "roberta", List.of("query", "value"),
          "xlm-roberta", List.of("query", "value"),
          "deberta-v2", List.of("query_proj", "value_proj"));

  private final LoraConfig config;
  private final Predicate<String> named;
  private final Predicate<String> excluded;
  private final List<PythonRegex> saved;
  private final List<PythonRegex> layerPatterns;
  private final Map<String, PythonRegex> ends = new LinkedHashMap<>();

  private TargetMatcher(LoraConfig config) {
    this.config = config;
    TargetModules exclude = config.selection().exclude();
    this.named = named(config.selection().target());
    this.excluded = exclude == null ? module -> false : named(exclude);
    this.saved = config.modulesToSave().stream().map(TargetMatcher::savedPattern).toList();
    List<String> patterns = config.selection().layersPatterns();
    this.layerPatterns =
        patterns.isEmpty()
            ? List.of(FIRST_LAYER_NUMBER)
            : patterns.stream().map(TargetMatcher::layerPattern).toList();
    config.rankPattern().keySet().forEach(key -> ends.put(key, endPattern(key)));
    config.alphaPattern().keySet().forEach(key -> ends.put(key, endPattern(key)));
  }

  /// Matches a configuration with a model.
  ///
  /// @param config the adapter's configuration
  /// @param tree the base model
  /// @return the layers with their ranks and scalings
  /// @throws InvalidSettingException if no module matches, or one that is no linear layer
  public static TargetMatch match(LoraConfig config, ModuleTree tree) {
    LoraConfig resolved =
        config
            .withSelection(resolve(config.selection(), tree))
            .withOrigin(config.origin(), tree.fanInFanOut());
    return new TargetMatcher(resolved).match(tree);
  }

  private TargetMatch match(ModuleTree tree) {
    TargetModules target = config.selection().target();
    Set<String> unused = new TreeSet<>();
    if (target instanceof TargetModules.Names(List<String> names)) {
      unused.addAll(names);
      for (String module : tree.modules()) {
        unused.removeIf(name -> isPathOrEnd(module, name));
      }
    }
    List<LoraTarget> targets = new ArrayList<>();
    List<String> savedModules = new ArrayList<>();
    for (String module : tree.modules()) {
      if (config.modulesToSave().stream().anyMatch(module::endsWith)) {
        savedModules.add(module);
      }
      if (!isTargeted(module)) {
        continue;
      }
      if (!tree.linear().containsKey(module)) {
        throw new InvalidSettingException(
            "target_modules",
            "'" + module + "', which is no linear layer",
            "names among " + lastNames(tree));
      }
      int rank =
          config.variant() instanceof LoraVariant.AdaLora adaLora
              ? adaLora.rank(module, config.r())
              : pattern(config.rankPattern(), module, config.r());
      double alpha = pattern(config.alphaPattern(), module, config.alpha());
      targets.add(new LoraTarget(module, rank, alpha, config.scaling(rank, alpha)));
    }
    if (targets.isEmpty()) {
      throw new InvalidSettingException(
          "target_modules",
          "no layer of the model for " + describe(target),
          "names among " + lastNames(tree));
    }
    if (config.variant() instanceof LoraVariant.AdaLora adaLora) {
      checkKept(adaLora, targets);
      return new TargetMatch(config, targets, savedModules, List.copyOf(unused));
    }
    return new TargetMatch(sortPatterns(targets), targets, savedModules, List.copyOf(unused));
  }

  private static void checkKept(LoraVariant.AdaLora adaLora, List<LoraTarget> targets) {
    Set<String> modules = new HashSet<>();
    targets.forEach(target -> modules.add(target.module()));
    for (String module : adaLora.kept().keySet()) {
      if (!modules.contains(module)) {
        throw new InvalidSettingException(
            "rank_pattern '" + module + "'",
            "a layer that target_modules leaves out",
            "only its layers");
      }
    }
  }

  // The file sorts the patterns, and the first match wins: where that would change a layer, name
  // the layers one by one.
  private LoraConfig sortPatterns(List<LoraTarget> targets) {
    Map<String, Integer> ranks = new TreeMap<>(config.rankPattern());
    Map<String, Double> alphas = new TreeMap<>(config.alphaPattern());
    if (!targets.stream().allMatch(t -> pattern(ranks, t.module(), config.r()) == t.rank())) {
      ranks.clear();
      targets.forEach(t -> ranks.put(exactly(t.module()), t.rank()));
    }
    if (!targets.stream().allMatch(t -> pattern(alphas, t.module(), config.alpha()) == t.alpha())) {
      alphas.clear();
      targets.forEach(t -> alphas.put(exactly(t.module()), t.alpha()));
    }
    return config.withScaling(config.r(), config.alpha(), ranks, alphas, config.rsLora());
  }

  private static String exactly(String module) {
    return "^" + module.replaceAll("[^A-Za-z0-9_]", "\\\\$0");
  }

  private boolean isTargeted(String module) {
    LoraConfig.Selection selection = config.selection();
    if (excluded.test(module)) {
      return false;
    }
    if (saved.stream().anyMatch(pattern -> pattern.matcher(module).lookingAt())) {
      return false;
    }
    TargetModules target = selection.target();
    if (!named.test(module)) {
      return false;
    }
    boolean exact = target instanceof TargetModules.Names names && names.names().contains(module);
    boolean anyLayer = selection.layers().isEmpty() || target instanceof TargetModules.Regex;
    return exact || anyLayer || isInLayers(module);
  }

  private boolean isInLayers(String module) {
    for (PythonRegex pattern : layerPatterns) {
      Matcher matcher = pattern.matcher(module);
      if (matcher.lookingAt()) {
        String digits = module.substring(matcher.start("g0"), matcher.end("g0"));
        return digits.length() <= 9
            && config.selection().layers().contains(Integer.valueOf(digits));
      }
    }
    return false;
  }

  private <T> T pattern(Map<String, T> values, String module, T otherwise) {
    for (Map.Entry<String, T> entry : values.entrySet()) {
      PythonRegex end = ends.get(entry.getKey());
      if (end != null && end.matcher(module).lookingAt()) {
        return entry.getValue();
      }
    }
    return otherwise;
  }

  private static Predicate<String> named(TargetModules target) {
    return switch (target) {
      case TargetModules.Names(List<String> names) ->
          module -> names.stream().anyMatch(name -> isPathOrEnd(module, name));
      case TargetModules.Regex(String pattern) -> PythonRegex.compile(pattern)::matches;
      case TargetModules.AllLinear all -> throw new IllegalStateException(all + " is not resolved");
      case TargetModules.ModelDefault none ->
          throw new IllegalStateException(none + " is not resolved");
    };
  }

  private static boolean isPathOrEnd(String module, String name) {
    return module.equals(name) || module.endsWith("." + name);
  }

  // The next three are spelled as in PEFT, alternation inside the key included.
  static PythonRegex endPattern(String key) {
    return PythonRegex.compile("(.*\\.)?(" + key + ")$");
  }

  static PythonRegex savedPattern(String module) {
    return PythonRegex.compile("(^|.*\\.)" + module + "($|\\..*)");
  }

  static PythonRegex layerPattern(String list) {
    return PythonRegex.compile("(?:^|.*?\\.)" + list + "\\.(?P<idx>\\d+)\\.");
  }

  private static LoraConfig.Selection resolve(LoraConfig.Selection selection, ModuleTree tree) {
    TargetModules resolved =
        switch (selection.target()) {
          case TargetModules.ModelDefault none -> {
            List<String> names = DEFAULT_TARGETS.get(tree.modelType());
            if (names == null) {
              throw new InvalidSettingException(
                  "target_modules",
                  "none, and no default for model_type '" + tree.modelType() + "'",
                  "names among " + lastNames(tree));
            }
            yield new TargetModules.Names(names);
          }
          case TargetModules.AllLinear all -> {
            Set<String> names = new LinkedHashSet<>(tree.linear().keySet());
            names.remove(tree.outputHead());
            yield new TargetModules.Names(List.copyOf(names));
          }
          case TargetModules.Names names -> names;
          case TargetModules.Regex regex -> regex;
        };
    if (resolved instanceof TargetModules.Names(List<String> names) && names.size() >= MANY_NAMES) {
      resolved = new TargetModules.Names(shorten(names, tree.modules()));
    }
    return new LoraConfig.Selection(
        resolved, selection.exclude(), selection.layers(), selection.layersPatterns());
  }

  // The shortest ends that tell the targets from all other modules.
  private static List<String> shorten(List<String> names, List<String> modules) {
    Set<String> otherEnds = new HashSet<>();
    for (String module : modules) {
      if (names.stream().noneMatch(name -> isPathOrEnd(module, name))) {
        otherEnds.addAll(ends(module));
      }
    }
    List<List<String>> sorted = new ArrayList<>(names.stream().map(TargetMatcher::ends).toList());
    sorted.sort(TargetMatcher::compareLists);
    Set<String> required = new TreeSet<>();
    for (List<String> ends : sorted) {
      String name = ends.getLast();
      for (String end : ends) {
        if (required.contains(end) || otherEnds.contains(end)) {
          continue;
        }
        if (required.stream().noneMatch(r -> name.endsWith("." + r))) {
          required.add(end);
          break;
        }
      }
    }
    return required.isEmpty() || required.size() >= names.size() ? names : List.copyOf(required);
  }

  private static int compareLists(List<String> a, List<String> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = a.get(i).compareTo(b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  /// All ends of a path, shortest first.
  private static List<String> ends(String module) {
    List<String> ends = new ArrayList<>();
    for (int dot = module.lastIndexOf('.'); dot >= 0; dot = module.lastIndexOf('.', dot - 1)) {
      ends.add(module.substring(dot + 1));
    }
    ends.add(module);
    return ends;
  }

  private static String describe(TargetModules target) {
    return switch (target) {
      case TargetModules.Names(List<String> names) -> names.toString();
      case TargetModules.Regex(String pattern) -> "'" + pattern + "'";
      case TargetModules.AllLinear all -> "all-linear";
      case TargetModules.ModelDefault none -> "the default";
    };
  }

  private static String lastNames(ModuleTree tree) {
    Map<String, String> last = new TreeMap<>(Comparator.naturalOrder());
    tree.linear().keySet().forEach(name -> last.put(ends(name).getFirst(), name));
    return String.join(", ", last.keySet());
  }
}
