package dev.gatun.cli;

import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.TaskEncoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a model is asked where a task is measured by what it writes or chooses.
final class AskingArguments {
  private static final int TEXTS = 100;

  @Option(
      names = "--shots",
      paramLabel = "F",
      description = "With --task mmlu: a subject's answered questions, or the folder of them.")
  private @Nullable Path shots;

  @Option(
      names = "--texts",
      paramLabel = "N",
      description =
          "With e2e, webnlg, alpaca: prompts that are written for to be measured; 0: none. Default:"
              + " 100.")
  private @Nullable Integer texts;

  @Option(
      names = "--beams",
      paramLabel = "N",
      description = "Beams of these texts. Default: 5; alpaca: 1.")
  private @Nullable Integer beams;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "Their tokens at most. Default: 64; webnlg: 96; alpaca: 128.")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      description =
          "Power of its length that divides a beam's score. Default: e2e 0.9, webnlg 0.8, alpaca 1.")
  private @Nullable Double lengthPenalty;

  @Option(
      names = "--no-repeat-ngram",
      paramLabel = "N",
      description = "Length of the runs that may not come back. Default: 4; alpaca: 0.")
  private @Nullable Integer noRepeatNgram;

  /// Refuses options of other tasks, and numbers out of their range, before anything is opened.
  void check(TaskArgument task) {
    if (shots != null && !task.is("mmlu")) {
      throw task.refusal("--shots", "--task mmlu");
    }
    boolean writes = task.is("e2e") || task.is("webnlg") || task.is("alpaca");
    if (!writes && !writing().isEmpty()) {
      throw task.refusal(writing().getFirst(), "--task e2e, webnlg or alpaca");
    }
    if (texts != null && texts < 0) {
      throw new RefusedException("--texts: found " + texts + ", expected 0 or more");
    }
    try {
      search(new BeamSearch.Options(1, 1, 1, 0, 1, true));
    } catch (IllegalArgumentException e) {
      throw new RefusedException(String.valueOf(e.getMessage()));
    }
  }

  private List<String> writing() {
    List<String> given = new ArrayList<>();
    if (texts != null) {
      given.add("--texts");
    }
    if (beams != null) {
      given.add("--beams");
    }
    if (maxNewTokens != null) {
      given.add("--max-new-tokens");
    }
    if (lengthPenalty != null) {
      given.add("--length-penalty");
    }
    if (noRepeatNgram != null) {
      given.add("--no-repeat-ngram");
    }
    return given;
  }

  /// Returns how texts become tokens.
  TaskEncoding encoding(
      ModelDirectory directory, Transformer model, @Nullable SpanTokenizer tokenizer, int maxLength)
      throws IOException {
    if (tokenizer == null) {
      throw new RefusedException(
          "--task: found no tokenizer.json in " + directory.path() + ", expected one");
    }
    return new TaskEncoding(
        tokenizer,
        model.isCausal(),
        maxLength,
        model.vocabulary(),
        this::search,
        directory.stopIds(),
        texts == null ? TEXTS : texts,
        shots);
  }

  /// Returns how texts are written: a task's own way but for what options say.
  private BeamSearch.Options search(BeamSearch.Options usual) {
    return new BeamSearch.Options(
        beams == null ? usual.beams() : beams,
        maxNewTokens == null ? usual.maxNewTokens() : maxNewTokens,
        lengthPenalty == null ? usual.lengthPenalty() : lengthPenalty,
        noRepeatNgram == null ? usual.noRepeatNgram() : noRepeatNgram,
        usual.repetitionPenalty(),
        usual.earlyStopping());
  }
}
