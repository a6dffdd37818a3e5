package dev.gatun.cli;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
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
    description = "Loss and perplexity of a model, with or without an adapter, on data.")
final class EvalCommand implements Callable<Integer> {
  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private AdapterArgument adapter = new AdapterArgument();
  @Mixin private DataArguments dataArguments = new DataArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(
      names = "--data",
      paramLabel = "F",
      description =
          "JSONL or Parquet rows, a text file or a folder. Default with the demo model: its held-out files.")
  private @Nullable Path data;

  @Option(
      names = "--ensemble",
      paramLabel = "METHOD",
      converter = DropoutArgument.class,
      description =
          "Average over several draws of this method's masks, as --dropout of finetune takes it:"
              + " lora-dropout:p=0.3,n=8.")
  private @Nullable Dropout ensemble;

  @Option(
      names = "--average",
      paramLabel = "WHAT",
      defaultValue = "logits",
      description = "What an ensemble averages: logits or probabilities. Default: logits.")
  private Evaluation.Average average = Evaluation.Average.LOGITS;

  @Option(
      names = "--expected-dropout",
      paramLabel = "P",
      description =
          "Scale the adapter by (1 - P)², the mean over LoRA Dropout's masks of that rate, in place"
              + " of an ensemble.")
  private @Nullable Double expected;

  @Override
  public Integer call() throws IOException {
    if (ensemble != null && expected != null) {
      throw new RefusedException(
          "--expected-dropout: found beside --ensemble, expected one of the two");
    }
    if (expected != null && !(expected >= 0 && expected < 1)) {
      throw new RefusedException("--expected-dropout: found " + expected + ", expected 0 <= p < 1");
    }
    if (data == null && !model.isDemo()) {
      throw new RefusedException("--data: found nothing, expected a file or folder");
    }
    model.applyThreads();
    ModelDirectory directory = model.directory();
    Progress progress = new Progress();
    try (HfTokenizer tokenizer = model.tokenizer();
        CausalLm lm =
            directory.open(model.device(), model.computeType(), ModelDirectory.Use.FROZEN);
        Scope owner = Scope.openShared(model.device())) {
      ModelArguments.checkVocabulary(lm, tokenizer, directory.path());
      Dataset set = dataArguments.read(data == null ? Project.demoHeldOut() : data, lm, tokenizer);
      PassAddition loaded = adapter.load(owner, lm);
      PassAddition used =
          expected == null ? loaded : loaded.scaled((1 - expected) * (1 - expected));
      IntConsumer shown = done -> progress.show("evaluating", done, set.size(), "rows");
      Evaluation evaluation =
          ensemble == null
              ? Evaluation.of(lm, used, set, shown)
              : Evaluation.ensemble(lm, used, set, ensemble, 0, average, shown);
      progress.say(
          "loss %.6f, perplexity %.4f over %,d predicted tokens"
              .formatted(evaluation.loss(), evaluation.perplexity(), evaluation.tokens()));
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("loss", evaluation.loss());
      fields.put("perplexity", evaluation.perplexity());
      fields.put("tokens", evaluation.tokens());
      json.print(fields);
      return 0;
    }
  }
}
