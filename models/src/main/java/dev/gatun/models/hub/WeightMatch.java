package dev.gatun.models.hub;

import dev.gatun.models.zoo.Architecture;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.TensorEntry;
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

/// The weights of an architecture in a checkpoint: each under its full name, without the backbone's
/// prefix, or with the old names of layer norms.
///
/// @param stored what the checkpoint has, by the architecture's names
/// @param lacking names of the modules of a head of which it has nothing
record WeightMatch(Map<String, TensorEntry> stored, List<String> lacking) {

  /// Finds each expected weight; one message says all that is wrong.
  static WeightMatch of(Path path, Architecture architecture, SafetensorsDirectory files)
      throws MalformedFileException {
    return new Search(architecture, files).run(path);
  }

  private static final class Search {
    private final Architecture architecture;
    private final Map<String, TensorEntry> files;
    private final Set<String> used = new HashSet<>();
    private final List<String> missing = new ArrayList<>();
    private final List<String> misshapen = new ArrayList<>();

    Search(Architecture architecture, SafetensorsDirectory files) {
      this.architecture = architecture;
      this.files = files.tensors();
    }

    WeightMatch run(Path path) throws MalformedFileException {
      Map<String, TensorEntry> found = new LinkedHashMap<>();
      List<String> lacking = new ArrayList<>();
      for (Map.Entry<String, long[]> each : architecture.parameters().entrySet()) {
        String name = each.getKey();
        String stored = stored(name);
        if (stored != null) {
          found.put(name, checked(name, stored, each.getValue()));
        } else if (isOfLackingModule(name)) {
          lacking.add(name);
        } else {
          missing.add(name);
        }
      }
      List<String> problems = new ArrayList<>();
      describe(problems, "missing", missing);
      describe(problems, "wrong shape or type", misshapen);
      describe(problems, "unexpected", unexpected());
      if (!problems.isEmpty()) {
        throw new MalformedFileException(
            path, "weights", String.join("; ", problems), "exactly the weights of config.json");
      }
      return new WeightMatch(found, lacking);
    }

    private TensorEntry checked(String name, String stored, long[] shape) {
      used.add(stored);
      TensorEntry entry = Objects.requireNonNull(files.get(stored));
      if (!Arrays.equals(entry.sizes(), shape)) {
        misshapen.add(name + " is " + Shapes.text(entry.sizes()) + ", not " + Shapes.text(shape));
      } else if (!entry.dtype().isFloating()) {
        misshapen.add(name + " is " + entry.dtype());
      }
      return entry;
    }

    private @Nullable String stored(String name) {
      if (files.containsKey(name)) {
        return name;
      }
      String prefix = architecture.prefix();
      String bare = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
      if (files.containsKey(bare)) {
        return bare;
      }
      for (String known : List.of(name, bare)) {
        String old =
            known
                .replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
                .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
        if (files.containsKey(old)) {
          return old;
        }
      }
      boolean embedding = name.endsWith("embed_tokens.weight") || name.endsWith("wte.weight");
      String tied = architecture.tiedHead();
      return embedding && !tied.isEmpty() && files.containsKey(tied) ? tied : null;
    }

    /// A head's module is drawn at random as a whole; half of one is a broken file.
    private boolean isOfLackingModule(String name) {
      if (!architecture.head().contains(name)) {
        return false;
      }
      String module = name.substring(0, name.lastIndexOf('.') + 1);
      return architecture.head().stream()
          .filter(other -> other.startsWith(module))
          .noneMatch(other -> stored(other) != null);
    }

    private List<String> unexpected() {
      return files.keySet().stream()
          .filter(name -> !used.contains(name))
          .filter(name -> !name.equals(architecture.tiedHead()))
          .filter(name -> !name.matches(architecture.ignored()))
          .toList();
    }

    private static void describe(List<String> problems, String what, List<String> names) {
      if (!names.isEmpty()) {
        String more = names.size() > 3 ? " and " + (names.size() - 3) + " more" : "";
        problems.add(
            what + ": " + String.join(", ", names.subList(0, Math.min(3, names.size()))) + more);
      }
    }
  }
}
