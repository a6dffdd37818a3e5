package dev.gatun.cli;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.NamedTask;
import dev.gatun.models.task.TaskSet;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gatun eval`.
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Loss and perplexity of a model, with or without an adapter, on data;",
      "with --task the task's loss and metrics."
    })
final class EvalCommand implements Callable<Integer> {
  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private AdapterArgument adapter = new AdapterArgument();
  @Mixin private WeightsArgument weights = new WeightsArgument();
  @Mixin private DataArguments dataArguments = new DataArguments();
  @Mixin private TaskArgument tasks = new TaskArgument();
  @Mixin private AskingArguments asking = new AskingArguments();
  @Mixin private EnsembleArguments ensembles = new EnsembleArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(
      names = "--data",
      paramLabel = "F",
      description =
          "JSONL or Parquet rows, a text file or a folder; with --task the task's file. Default with the demo"
              + " model: its held-out files.")
  private @Nullable Path data;

  @Option(
      names = "--expected-dropout",
      paramLabel = "P",
      description =
          "Scale the adapter by (1 - P)², the mean over LoRA Dropout's masks of that rate, in place"
              + " of an ensemble.")
  private @Nullable Double expected;

  @Override
  public Integer call() throws IOException {
    boolean averages = ensembles.dropout(true) != null;
    if (averages && expected != null) {
      throw new RefusedException(
          "--expected-dropout: found beside --ensemble, expected one of the two");
    }
    if (expected != null && !(expected >= 0 && expected < 1)) {
      throw new RefusedException("--expected-dropout: found " + expected + ", expected 0 <= p < 1");
    }
    if (data == null && !model.isDemo()) {
      throw new RefusedException("--data: found nothing, expected a file or folder");
    }
    tasks.check();
    asking.check(tasks);
    if (tasks.isOn() && data == null) {
      throw new RefusedException("--data: found nothing, expected a file of the task");
    }
    model.applyThreads();
    ModelDirectory directory = model.directory();
    NamedTask task = tasks.task(directory, null);
    if (averages && task != null && task.head() == null) {
      throw new RefusedException(
          "--ensemble: found --task " + task.name() + ", expected a task of classes or numbers");
    }
    Progress progress = new Progress();
    try (HfTokenizer tokenizer = model.tokenizer();
        Transformer lm =
            TaskArgument.open(
                directory,
                task,
                model.device(),
                model.computeType(),
                ModelDirectory.Use.FROZEN,
                0);
        Scope owner = Scope.openShared(model.device())) {
      ModelArguments.checkVocabulary(lm, tokenizer, directory.path());
      TaskSet measure =
          task == null
              ? null
              : task.read(
                  Objects.requireNonNull(data),
                  asking.encoding(directory, lm, tokenizer, dataArguments.maxLength(lm)));
      Dataset set =
          measure != null
              ? measure.examples()
              : dataArguments.read(
                  data == null ? Project.demoHeldOut() : data, directory.path(), lm, tokenizer);
      PassAddition loaded = weights.beside(owner, lm, adapter.load(owner, lm));
      PassAddition used =
          expected == null ? loaded : loaded.scaled((1 - expected) * (1 - expected));
      IntConsumer shown = done -> progress.show("evaluating", done, set.size(), "rows");
      Dropout ensemble = ensembles.dropout(lm.isCausal());
      Evaluation evaluation =
          ensemble == null
              ? Evaluation.of(lm, used, set, shown)
              : Evaluation.ensemble(
                  lm, used, set, ensemble, EnsembleArguments.SEED, ensembles.average(), shown);
      Measured measured = Measured.of(measure, set, evaluation, lm, used);
      progress.say(measured.line());
      json.print(fields(measured));
      return 0;
    }
  }

  private static Map<String, Object> fields(Measured measured) {
    Evaluation evaluation = measured.evaluation();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("loss", evaluation.loss());
    if (measured.metrics() == null) {
      fields.put("perplexity", evaluation.perplexity());
      fields.put("tokens", evaluation.tokens());
    } else {
      fields.put("rows", evaluation.tokens());
      fields.put("metrics", measured.fields());
    }
    return fields;
  }
}
