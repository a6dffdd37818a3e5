package dev.gatun.cli.study;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.cli.study.Trainee.LowRank;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutText;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.hub.ModuleTrees;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetMatcher;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.models.task.NamedTasks;
import dev.gatun.runtime.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The recipes of the papers' tables are what the reader takes, and their figures were copied
/// right.
class RecipesTest {
  private static final Path RECIPES = Path.of("../recipes").toAbsolutePath().normalize();

  static List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(RECIPES)) {
      return all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  @Test
  void eachTableIsThere() throws IOException {
    assertThat(files()).hasSize(22);
  }

  @ParameterizedTest
  @MethodSource("files")
  void aRecipeIsWhatTheReaderTakes(Path file) throws IOException {
    Recipe recipe = Recipe.read(file);
    String name = file.getFileName().toString().replace(".yaml", "");
    String evaluated = requireNonNull(recipe.heldOutTask());
    assertThat(name).endsWith("-" + evaluated);
    Path model = requireNonNull(recipe.model());
    assertThat(model.getParent()).isEqualTo(RECIPES.resolve("models"));
    assertThat(name).startsWith(model.getFileName().toString());
    assertThat(recipe.train()).startsWithRaw(RECIPES.resolve("data"));
    assertThat(recipe.heldOut()).startsWithRaw(RECIPES.resolve("data"));
    assertThat(recipe.methods().getFirst().dropout().drops()).as("the baseline").isFalse();
    assertThat(recipe.decoding() != null)
        .as("decoding")
        .isEqualTo(List.of("e2e", "webnlg").contains(evaluated));
    String text = Files.readString(file);
    assertThat(text).contains("arXiv:", "NOT FOUND", "our choice");
    assertThat(text.lines()).allMatch(line -> line.length() <= 150);
    boolean encoder = name.startsWith("roberta") || name.startsWith("deberta");
    for (Recipe.Method method : recipe.methods()) {
      if (encoder
          && method.dropout().masks().stream()
              .anyMatch(m -> !m.position().name().equals("ADAPTER"))) {
        assertThat(method.dropout().layers()).hasToString("ALL");
      }
    }
  }

  /// A figure stands beside the column that the run fills, but for MNLI's other set.
  @ParameterizedTest
  @MethodSource("files")
  void figuresAreThoseOfMetrics(Path file) throws IOException {
    Recipe recipe = Recipe.read(file);
    List<String> metrics =
        NamedTasks.of(requireNonNull(recipe.heldOutTask())).orElseThrow().metrics();
    assertThat(metrics).contains(recipe.metric());
    for (Recipe.Method method : recipe.methods()) {
      assertThat(method.reported().keySet())
          .as(method.name())
          .allMatch(name ->
              metrics.contains(name.replaceFirst("_(un)?seen$", ""))
                  || name.equals("accuracy mismatched"));
    }
  }

  /// The averages that the papers print beside the cells.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "all weights             | 91.58",
        "LoRA                    | 90.60",
        "HiddenCut, elements     | 91.43",
        "HiddenCut, columns      | 91.26",
        "HiddenCut, spans        | 91.37",
        "DropKey, elements       | 91.59",
        "DropKey, columns        | 91.69",
        "DropKey, spans          | 91.35",
        "DropAttention, elements | 90.89",
        "DropAttention, columns  | 90.94",
        "DropAttention, spans    | 91.14",
        "HiddenKey⁻              | 91.78",
        "HiddenKey               | 92.01",
        "HiddenKey⁻ with JS      | 91.77"
      })
  void figuresOfHiddenKeyAverageToThoseOfThePaper(String method, double average)
      throws IOException {
    double sum = 0;
    for (String task : List.of("rte", "mrpc", "stsb", "sst2")) {
      Map<String, Double> reported = reported("hiddenkey/roberta-large-" + task, method);
      assertThat(reported).hasSize(1);
      sum += reported.values().iterator().next();
    }
    assertThat(sum / 4).isCloseTo(average, within(0.0051));
  }

  /// This paper's averages are cut off or rounded behind the second digit.
  @ParameterizedTest
  @CsvSource({"all weights, 88.09", "LoRA, 88.34", "AdaLoRA, 89.31"})
  void figuresOfAdaLoraAverageToThoseOfThePaper(String method, double average) throws IOException {
    double sum = 0;
    String[] tasks = {"mnli", "sst2", "cola", "qqp", "qnli", "rte", "mrpc", "stsb"};
    for (String task : tasks) {
      sum +=
          reported("lora-dropout/deberta-v3-base-" + task, method).values().stream()
              .mapToDouble(figure -> figure)
              .average()
              .orElseThrow();
    }
    assertThat(sum / tasks.length).isCloseTo(average, within(0.01));
  }

  private static Map<String, Double> reported(String recipe, String method) throws IOException {
    return Recipe.read(RECIPES.resolve(recipe + ".yaml")).methods().stream()
        .filter(each -> each.name().equals(method))
        .findFirst()
        .orElseThrow()
        .reported();
  }

  /// As many layers as the papers count: 2 or 6 of each encoder layer, 2 of LLaMA's, 1 of GPT-2's.
  @ParameterizedTest
  @CsvSource({
    "hiddenkey/roberta-large-rte, roberta, 2",
    "lora-dropout/deberta-v3-base-rte, deberta-v3, 6",
    "hiddenkey/llama2-7b-rte, llama, 2",
    "lora-dropout/llama2-7b-mmlu, llama, 4",
    "hiddenkey/gpt2-medium-e2e, gpt2, 1"
  })
  void targetsAreLayersOfTheModel(String recipe, String model, int each) throws IOException {
    ModelDirectory directory =
        ModelDirectory.read(Path.of("../models/src/test/resources/parity", model));
    try (Transformer opened =
        directory.task() == null
            ? directory.open(DType.F32, ModelDirectory.Use.FROZEN)
            : directory.openTask(directory.task(), DType.F32, ModelDirectory.Use.FROZEN, 0)) {
      for (Recipe.Method method : Recipe.read(RECIPES.resolve(recipe + ".yaml")).methods()) {
        if (method.trainee() instanceof LowRank adapter) {
          LoraConfig config = LoraConfig.of(2, 4, new TargetModules.Names(adapter.targets()));
          assertThat(TargetMatcher.match(config, ModuleTrees.of(opened)).targets())
              .as(method.name())
              .hasSize(each * opened.layers());
        }
      }
    }
  }

  @Test
  void aMethodWithRatesComesOnceWithEach(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("rates.yaml");
    Files.writeString(
        file,
        """
        name: rates
        train: train.jsonl
        held-out: held-out.jsonl
        steps: 2
        methods:
          - name: LoRA
          - {name: HiddenKey, dropout: "hiddenkey:lambda=2", rates: [0.05, 0.2]}
        """);
    List<Recipe.Method> methods = Recipe.read(file).methods();
    assertThat(methods)
        .extracting(Recipe.Method::name)
        .containsExactly("LoRA", "HiddenKey p=0.05", "HiddenKey p=0.2");
    assertThat(methods.get(2).dropout()).isEqualTo(Dropout.hiddenKey(0.2, 0.2, 2));
    assertThat(DropoutText.parse(methods.get(1).text())).isEqualTo(methods.get(1).dropout());
  }
}
