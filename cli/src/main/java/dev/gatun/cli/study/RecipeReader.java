package dev.gatun.cli.study;

import dev.gatun.cli.study.Recipe.Course;
import dev.gatun.cli.study.Recipe.Decoding;
import dev.gatun.cli.study.Recipe.Length;
import dev.gatun.cli.study.Recipe.Method;
import dev.gatun.cli.study.Trainee.LowRank;
import dev.gatun.models.baseline.Bottlenecks;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.lora.LoraTraining;
import dev.gatun.models.nn.Task;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.NamedTasks;
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
import java.util.Objects;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/// Reads recipes, and refuses keys that none has.
final class RecipeReader {
  /// Tasks that are measured by what a model writes.
  private static final List<String> WRITING = List.of("e2e", "webnlg", "alpaca");

  private static final String CHOICES = "mmlu";

  private static final String METHODS =
      "lora, lora+, dora, adalora, bitfit, houlsby, pfeiffer or full";

  private static final int RANK = 8;
  private static final int ADALORA_RANK = 12;
  private static final int BOTTLENECK = 64;

  /// What LoRA+'s paper recommends (Hayou et al., arXiv:2402.12354, section 5).
  private static final double PLUS_RATIO = 16;

  private final Path file;

  private RecipeReader(Path file) {
    this.file = file;
  }

  static Recipe read(Path file) throws IOException {
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
    return new RecipeReader(file).recipe(root);
  }

  private Recipe recipe(@Nullable Object root) throws MalformedFileException {
    Fields fields = new Fields("", root);
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw malformed("recipe", "no folder", "a file in a folder");
    }
    String model = fields.text("model", null);
    Path data = folder.resolve(String.valueOf(fields.take("data", "."))).normalize();
    NamedTask task = task(fields, "task", null);
    NamedTask heldOutTask = heldOutTask(fields, task);
    Course course = course(fields, task);
    Defaults defaults =
        new Defaults(
            fields.has("rank") ? fields.integer("rank", null, 1) : null,
            fields.has("alpha") ? fields.number("alpha", 0) : null,
            fields.texts("targets"),
            fields.number("lr", 2e-4),
            fields.number("weight-decay", 0.01));
    Recipe recipe =
        new Recipe(
            fields.text("name"),
            model == null ? null : folder.resolve(model).normalize(),
            task == null ? null : task.name(),
            heldOutTask == null ? null : heldOutTask.name(),
            metric(fields, heldOutTask),
            shots(fields, data, heldOutTask),
            data.resolve(fields.text("train")).normalize(),
            data.resolve(fields.text("held-out")).normalize(),
            fields.integer("train-rows", 0, 0),
            fields.integer("held-out-rows", 0, 0),
            fields.integer("max-length", 512, 2),
            course,
            decoding(fields, heldOutTask),
            LongStream.range(0, fields.integer("seeds", 5, 1)).boxed().toList(),
            methods(fields.list("methods"), defaults));
    fields.refuseRest("one that recipes have");
    return recipe;
  }

  private @Nullable NamedTask task(Fields fields, String key, @Nullable NamedTask missing)
      throws MalformedFileException {
    String name = fields.text(key, null);
    if (name == null) {
      return missing;
    }
    NamedTask task = NamedTasks.of(name).orElse(null);
    if (task == null) {
      throw malformed(key, name, String.join(", ", NamedTasks.names()));
    }
    return task;
  }

  private @Nullable NamedTask heldOutTask(Fields fields, @Nullable NamedTask task)
      throws MalformedFileException {
    NamedTask heldOut = task(fields, "held-out-task", task);
    if (heldOut != null && (task == null || !Objects.equals(task.head(), heldOut.head()))) {
      throw malformed(
          "held-out-task",
          heldOut.name(),
          task == null ? "a task beside it" : "one that the head of " + task.name() + " is for");
    }
    return heldOut;
  }

  private @Nullable String metric(Fields fields, @Nullable NamedTask task)
      throws MalformedFileException {
    String name = fields.text("metric", null);
    if (task == null && name != null) {
      throw malformed("metric", name, "a task beside it");
    }
    if (task != null && name != null && !task.metrics().contains(name)) {
      throw malformed("metric", name, String.join(", ", task.metrics()));
    }
    return task == null || name != null ? name : task.metrics().getFirst();
  }

  private @Nullable Path shots(Fields fields, Path data, @Nullable NamedTask task)
      throws MalformedFileException {
    String source = fields.text("shots", null);
    if (source != null && (task == null || !task.name().equals(CHOICES))) {
      throw malformed("shots", source, "none: they are for " + CHOICES);
    }
    return source == null ? null : data.resolve(source).normalize();
  }

  private Course course(Fields fields, @Nullable NamedTask task) throws MalformedFileException {
    boolean inEpochs = fields.has("epochs");
    if (inEpochs && fields.has("steps")) {
      throw malformed("epochs", "this key beside steps", "one of the two");
    }
    double smoothing = fields.number("label-smoothing", 0);
    if (smoothing >= 1 || (smoothing > 0 && !hasClasses(task))) {
      throw malformed(
          "label-smoothing",
          Double.toString(smoothing),
          "0, or with a task of classes or texts a number below 1");
    }
    return new Course(
        new Length(fields.integer(inEpochs ? "epochs" : "steps", null, 1), inEpochs),
        fields.integer("batch", 4, 1),
        fields.integer("accumulate", 1, 1),
        constant("schedule", fields, Schedule.Shape.LINEAR),
        fields.number("warmup", 0),
        fields.number("max-grad-norm", 1),
        smoothing,
        fields.integer("eval-every", 0, 0));
  }

  private static boolean hasClasses(@Nullable NamedTask task) {
    Task head = task == null ? null : task.head();
    return task != null && (head == null || head.kind() == Task.Kind.CLASSIFICATION);
  }

  private @Nullable Decoding decoding(Fields recipe, @Nullable NamedTask task)
      throws MalformedFileException {
    if (!recipe.has("decoding")) {
      return null;
    }
    if (task == null || !WRITING.contains(task.name())) {
      throw malformed(
          "decoding",
          task == null ? "this key without a task" : "this key with " + task.name(),
          "one of " + String.join(", ", WRITING));
    }
    Fields fields = new Fields("decoding: ", recipe.take("decoding", null));
    Decoding decoding =
        new Decoding(
            fields.integer("beams", 1, 1),
            fields.number("length-penalty", 1),
            fields.integer("no-repeat-ngram", 0, 0),
            fields.number("repetition-penalty", 1));
    fields.refuseRest("beams, length-penalty, no-repeat-ngram or repetition-penalty");
    if (decoding.repetitionPenalty() == 0) {
      throw malformed("decoding: repetition-penalty", "0", "a number above 0");
    }
    return decoding;
  }

  private <E extends Enum<E>> E constant(String key, Fields fields, E missing)
      throws MalformedFileException {
    String name = fields.text(key, null);
    List<String> names = new ArrayList<>();
    for (E each : missing.getDeclaringClass().getEnumConstants()) {
      names.add(each.name().toLowerCase(Locale.ROOT));
      if (name != null && names.getLast().equals(name)) {
        return each;
      }
    }
    if (name != null) {
      throw malformed(key, "'" + name + "'", String.join(", ", names));
    }
    return missing;
  }

  /// What the recipe says for all of its methods.
  private record Defaults(
      @Nullable Integer rank,
      @Nullable Double alpha,
      List<String> targets,
      double learningRate,
      double weightDecay) {}

  private List<Method> methods(List<Object> list, Defaults defaults) throws MalformedFileException {
    List<Method> read = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Object each : list) {
      for (Method method : rated(each, defaults)) {
        if (!names.add(method.name())) {
          throw malformed("methods", "'" + method.name() + "' twice", "names that differ");
        }
        read.add(method);
      }
    }
    if (read.isEmpty()) {
      throw malformed("methods", "none", "at least one");
    }
    return List.copyOf(read);
  }

  /// Returns a method, once for each of its rates where it has some.
  private List<Method> rated(Object value, Defaults defaults) throws MalformedFileException {
    String name = new Fields("methods: ", value).text("name");
    Fields fields = new Fields("methods: " + name + ": ", value);
    fields.take("name", null);
    List<Double> rates = fields.numbers("rates", List.of());
    Method method = method(name, fields, defaults);
    if (rates.isEmpty()) {
      return List.of(method);
    }
    if (method.dropout().masks().isEmpty()) {
      throw malformed("methods: " + name + ": rates", "no masks", "a dropout that has some");
    }
    List<Method> all = new ArrayList<>();
    for (double rate : rates) {
      if (rate >= 1) {
        throw malformed("methods: " + name + ": rates", String.valueOf(rate), "rates below 1");
      }
      Dropout dropout = method.dropout().withRate(rate);
      all.add(
          new Method(
              name + " p=" + rate,
              method.trainee(),
              DropoutText.of(dropout),
              dropout,
              method.learningRate(),
              method.weightDecay(),
              method.reported()));
    }
    return all;
  }

  private Method method(String name, Fields fields, Defaults defaults)
      throws MalformedFileException {
    String text = String.valueOf(fields.take("dropout", "none"));
    Dropout dropout;
    try {
      dropout = DropoutText.parse(text);
    } catch (IllegalArgumentException e) {
      throw malformed("methods: " + name, "'" + text + "'", "a method: " + e.getMessage());
    }
    String kind = String.valueOf(fields.take("method", "lora"));
    Trainee trainee = trainee(kind, fields, defaults);
    boolean masksAdapters =
        dropout.mask(Position.BRANCH).isPresent() || dropout.mask(Position.ADAPTER).isPresent();
    if (masksAdapters && !trainee.isAdapter()) {
      throw malformed("methods: " + name, "masks of adapters beside " + kind, "other masks");
    }
    Map<String, Double> reported = new LinkedHashMap<>();
    Fields figures = new Fields("reported: ", fields.take("reported", Map.of()));
    for (String key : figures.names()) {
      reported.put(key, figures.number(key, Double.NaN));
    }
    Method method =
        new Method(
            name,
            trainee,
            text,
            dropout,
            fields.number("lr", defaults.learningRate),
            fields.number("weight-decay", defaults.weightDecay),
            reported);
    fields.refuseRest("one that " + kind + " has");
    return method;
  }

  private Trainee trainee(String kind, Fields fields, Defaults defaults)
      throws MalformedFileException {
    return switch (kind) {
      case "lora" -> lowRank(LowRank.Kind.LORA, 1, fields, defaults);
      case "lora+" ->
          lowRank(
              LowRank.Kind.LORA, fields.number("lora-plus-ratio", PLUS_RATIO), fields, defaults);
      case "dora" -> lowRank(LowRank.Kind.DORA, 1, fields, defaults);
      case "adalora" -> lowRank(LowRank.Kind.ADALORA, 1, fields, defaults);
      case "bitfit" -> new Trainee.Biases();
      case "houlsby" -> networks(Bottlenecks.Kind.HOULSBY, fields);
      case "pfeiffer" -> networks(Bottlenecks.Kind.PFEIFFER, fields);
      case "full" -> new Trainee.AllWeights();
      default -> throw malformed(fields.place + "method", kind, METHODS);
    };
  }

  private static Trainee networks(Bottlenecks.Kind kind, Fields fields)
      throws MalformedFileException {
    return new Trainee.Networks(kind, fields.integer("bottleneck", BOTTLENECK, 1));
  }

  private LowRank lowRank(LowRank.Kind kind, double plusRatio, Fields fields, Defaults defaults)
      throws MalformedFileException {
    int usual = kind == LowRank.Kind.ADALORA ? ADALORA_RANK : RANK;
    int rank = fields.integer("rank", defaults.rank == null ? usual : defaults.rank, 1);
    double alpha = defaults.alpha == null ? 2.0 * rank : defaults.alpha;
    List<String> targets = fields.texts("targets");
    return new LowRank(
        kind,
        rank,
        fields.number("alpha", alpha),
        targets.isEmpty() ? defaults.targets : targets,
        training(plusRatio, fields),
        kind == LowRank.Kind.ADALORA ? ranks(rank, fields) : null);
  }

  private LoraTraining training(double plusRatio, Fields fields) throws MalformedFileException {
    List<Double> sparsity = fields.numbers("sparsity", List.of(0.0, 0.0));
    if (sparsity.size() != 2 || sparsity.getLast() > 1) {
      throw malformed(fields.place + "sparsity", sparsity.toString(), "a weight and 0 <= p <= 1");
    }
    try {
      return new LoraTraining(
          plusRatio, LoraTraining.sparsity(sparsity.getFirst(), sparsity.getLast()), false);
    } catch (IllegalArgumentException e) {
      throw malformed(
          fields.place + "lora-plus-ratio, sparsity",
          plusRatio + ", " + sparsity,
          String.valueOf(e.getMessage()));
    }
  }

  private LowRank.Ranks ranks(int rank, Fields fields) throws MalformedFileException {
    int target = fields.integer("target-rank", RANK, 1);
    if (target > rank) {
      throw malformed(
          fields.place + "target-rank", Integer.toString(target), "at most the rank, " + rank);
    }
    List<Double> steps = fields.numbers("rank-steps", List.of(0.0, 0.0, 1.0));
    if (steps.size() != 3 || steps.stream().anyMatch(each -> each != Math.rint(each))) {
      throw malformed(
          fields.place + "rank-steps",
          steps.toString(),
          "steps before the first change, at the end without one, and between two");
    }
    return new LowRank.Ranks(
        target,
        steps.get(0).intValue(),
        steps.get(1).intValue(),
        steps.get(2).intValue(),
        fields.number("orthogonality", 0.5));
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

    boolean has(String key) {
      return left.containsKey(key);
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
      return number(key, take(key, missing));
    }

    private double number(String key, @Nullable Object value) throws MalformedFileException {
      if (!(value instanceof Number number) || !(number.doubleValue() >= 0)) {
        throw malformed(place + key, String.valueOf(value), "a number from 0 up");
      }
      return number.doubleValue();
    }

    List<Double> numbers(String key, List<Double> missing) throws MalformedFileException {
      if (!left.containsKey(key)) {
        return missing;
      }
      List<Double> numbers = new ArrayList<>();
      for (Object each : list(key)) {
        numbers.add(number(key, each));
      }
      return numbers;
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

    void refuseRest(String expected) throws MalformedFileException {
      if (!left.isEmpty()) {
        throw malformed(place + left.keySet().iterator().next(), "this key", expected);
      }
    }
  }
}
