package dev.gatun.cli.study;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.optim.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/// What a study compares: a YAML file. Paths in it are relative to its folder.
///
/// @param name what the study is called
/// @param model model directory; null for the demo model
/// @param train what is trained on
/// @param heldOut what is evaluated on
/// @param trainRows rows of `train` that are used, from the first on; 0 for all
/// @param heldOutRows rows of `heldOut` that are used
/// @param maxLength tokens of a row
/// @param course how each run is trained
/// @param adapter what each run trains
/// @param seeds one run of each method for each
/// @param methods the first is the one that the others are compared with
public record Recipe(
    String name,
    @Nullable Path model,
    Path train,
    Path heldOut,
    int trainRows,
    int heldOutRows,
    int maxLength,
    Course course,
    Adapter adapter,
    List<Long> seeds,
    List<Method> methods) {
  /// How a run is trained.
  ///
  /// @param steps optimizer steps
  /// @param batch rows of a step
  /// @param learningRate peak rate
  /// @param schedule its course
  /// @param warmup steps of warm-up
  /// @param weightDecay of AdamW
  /// @param maxGradNorm limit of the gradients' norm; 0 for none
  /// @param evalEvery steps between evaluations
  public record Course(
      int steps,
      int batch,
      double learningRate,
      Schedule.Shape schedule,
      int warmup,
      double weightDecay,
      double maxGradNorm,
      int evalEvery) {}

  /// What a run trains.
  ///
  /// @param rank rank of each layer
  /// @param alpha numerator of the scale
  /// @param targets names of the adapted layers; empty for all linear ones
  public record Adapter(int rank, double alpha, List<String> targets) {}

  /// One of the methods.
  ///
  /// @param name shown in the tables
  /// @param text the method as `--dropout` takes it
  /// @param dropout the method
  /// @param reported figures of a paper by their names, shown beside ours; usually empty
  public record Method(String name, String text, Dropout dropout, Map<String, Double> reported) {}

  /// Reads a recipe.
  ///
  /// @param file the YAML file
  /// @return the recipe
  /// @throws MalformedFileException if it is no YAML, a key is missing or unknown, or a value unfit
  /// @throws IOException if it cannot be read
  public static Recipe read(Path file) throws IOException {
    Object root;
    try {
      root =
          new Load(LoadSettings.builder().setLabel(file.toString()).build())
              .loadFromString(Files.readString(file));
    } catch (YamlEngineException e) {
      String text = e.getMessage() == null ? e.toString() : e.getMessage();
      throw new MalformedFileException(
          file, "recipe", text.lines().findFirst().orElse(""), "a YAML mapping");
    }
    return new Reader(file).recipe(root);
  }

  /// Reads values and refuses what is left over.
  private record Reader(Path file) {
    Recipe recipe(@Nullable Object root) throws MalformedFileException {
      Fields fields = new Fields("", root);
      Path folder = file.toAbsolutePath().getParent();
      if (folder == null) {
        throw new MalformedFileException(file, "recipe", "no folder", "a file in a folder");
      }
      String model = fields.text("model", null);
      Path train = folder.resolve(fields.text("train")).normalize();
      Path heldOut = folder.resolve(fields.text("held-out")).normalize();
      int steps = fields.integer("steps", null, 1);
      Course course =
          new Course(
              steps,
              fields.integer("batch", 4, 1),
              fields.number("lr", 2e-4),
              schedule(String.valueOf(fields.take("schedule", "linear"))),
              fields.integer("warmup", 0, 0),
              fields.number("weight-decay", 0.01),
              fields.number("max-grad-norm", 1),
              fields.integer("eval-every", steps, 1));
      int rank = fields.integer("rank", 8, 1);
      Adapter adapter =
          new Adapter(rank, fields.number("alpha", 2.0 * rank), fields.texts("targets"));
      Recipe recipe =
          new Recipe(
              fields.text("name"),
              model == null ? null : folder.resolve(model).normalize(),
              train,
              heldOut,
              fields.integer("train-rows", 0, 0),
              fields.integer("held-out-rows", 0, 0),
              fields.integer("max-length", 512, 2),
              course,
              adapter,
              LongStream.range(0, fields.integer("seeds", 5, 1)).boxed().toList(),
              methods(fields.list("methods")));
      fields.refuseRest();
      return recipe;
    }

    private Schedule.Shape schedule(String name) throws MalformedFileException {
      for (Schedule.Shape shape : Schedule.Shape.values()) {
        if (shape.name().toLowerCase(Locale.ROOT).equals(name)) {
          return shape;
        }
      }
      throw malformed("schedule", "'" + name + "'", "constant, linear or cosine");
    }

    private List<Method> methods(List<Object> list) throws MalformedFileException {
      List<Method> read = new ArrayList<>();
      Set<String> names = new HashSet<>();
      for (Object each : list) {
        Fields fields = new Fields("methods: ", each);
        String name = fields.text("name");
        String text = fields.text("dropout");
        if (!names.add(name)) {
          throw malformed("methods", "'" + name + "' twice", "names that differ");
        }
        Dropout dropout;
        try {
          dropout = DropoutText.parse(text);
        } catch (IllegalArgumentException e) {
          throw malformed("methods: " + name, "'" + text + "'", "a method: " + e.getMessage());
        }
        Map<String, Double> reported = new LinkedHashMap<>();
        Fields figures = new Fields("reported: ", fields.take("reported", Map.of()));
        for (String key : figures.names()) {
          reported.put(key, figures.number(key, Double.NaN));
        }
        fields.refuseRest();
        read.add(new Method(name, text, dropout, reported));
      }
      if (read.isEmpty()) {
        throw malformed("methods", "none", "at least one");
      }
      return List.copyOf(read);
    }

    private MalformedFileException malformed(String place, String found, String expected) {
      return new MalformedFileException(file, place, found, expected);
    }

    /// The entries of a mapping.
    private final class Fields {
      private final String place;
      private final Map<Object, Object> left;

      Fields(String place, @Nullable Object value) throws MalformedFileException {
        this.place = place;
        if (!(value instanceof Map<?, ?> map)) {
          throw malformed(place + "recipe", String.valueOf(value), "a mapping");
        }
        this.left = new LinkedHashMap<>(map);
      }

      List<String> names() {
        return left.keySet().stream().map(String::valueOf).toList();
      }

      Object take(String key, @Nullable Object missing) throws MalformedFileException {
        Object value = left.remove(key);
        Object taken = value == null ? missing : value;
        if (taken == null) {
          throw malformed(place + key, "none", "a value");
        }
        return taken;
      }

      String text(String key) throws MalformedFileException {
        return String.valueOf(take(key, null));
      }

      @Nullable String text(String key, @Nullable String missing) {
        Object value = left.remove(key);
        return value == null ? missing : String.valueOf(value);
      }

      int integer(String key, @Nullable Integer missing, int least) throws MalformedFileException {
        Object value = take(key, missing);
        if (!(value instanceof Integer number) || number < least) {
          throw malformed(place + key, String.valueOf(value), "an integer from " + least + " up");
        }
        return number;
      }

      double number(String key, double missing) throws MalformedFileException {
        Object value = take(key, missing);
        if (!(value instanceof Number number) || !(number.doubleValue() >= 0)) {
          throw malformed(place + key, String.valueOf(value), "a number from 0 up");
        }
        return number.doubleValue();
      }

      List<Object> list(String key) throws MalformedFileException {
        Object value = take(key, null);
        if (!(value instanceof List<?> list)) {
          throw malformed(place + key, String.valueOf(value), "a list");
        }
        return new ArrayList<>(list);
      }

      List<String> texts(String key) throws MalformedFileException {
        return left.containsKey(key) ? list(key).stream().map(String::valueOf).toList() : List.of();
      }

      void refuseRest() throws MalformedFileException {
        if (!left.isEmpty()) {
          throw malformed(
              place + left.keySet().iterator().next(), "this key", "one that recipes have");
        }
      }
    }
  }
}
