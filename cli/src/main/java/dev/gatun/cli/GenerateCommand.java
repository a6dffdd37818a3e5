package dev.gatun.cli;

import dev.gatun.models.data.StreamingDecoder;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gatun generate`.
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Continue a text.")
final class GenerateCommand implements Callable<Integer> {
  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private AdapterArgument adapter = new AdapterArgument();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "Text to continue.")
  private @Nullable String prompt;

  @Option(
      names = "--prompt-ids",
      paramLabel = "IDS",
      split = ",",
      description = "Token ids to continue, by commas, taken as they are.")
  private int @Nullable [] promptIds;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "64",
      description = "Tokens to make at most. Default: 64.")
  private int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 takes the likeliest token each time. Default: 0.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Choose from the K likeliest; 0: all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Choose from the likeliest that have this share of the probability.")
  private double topP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Above 1: make ids that were there already less likely.")
  private double repetitionPenalty;

  @Option(
      names = "--no-repeat-ngram",
      paramLabel = "N",
      defaultValue = "0",
      description = "Let no run of N ids come back; 0: any may. Default: 0.")
  private int noRepeatNgram;

  @Mixin private BeamArguments beams = new BeamArguments();

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the choice. Default: 0.")
  private long seed;

  @Override
  public Integer call() throws IOException {
    if ((prompt == null) == (promptIds == null)) {
      throw new RefusedException(
          "--prompt: found %s, expected one of --prompt and --prompt-ids"
              .formatted(prompt == null ? "neither" : "--prompt-ids too"));
    }
    Sampling sampling;
    BeamSearch.Options search;
    try {
      sampling =
          Sampling.greedy(maxNewTokens)
              .withChoice(temperature, topK, topP, 0)
              .withPenalties(repetitionPenalty, 0, 0, noRepeatNgram)
              .withSeed(seed);
      search = beams.isOn() ? beams.options(sampling) : null;
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--" + String.valueOf(e.getMessage()).replace('_', '-'));
    }
    model.applyThreads();
    ModelDirectory directory = model.directory();
    try (HfTokenizer tokenizer = model.tokenizer();
        CausalLm lm =
            directory.open(model.device(), model.computeType(), ModelDirectory.Use.FROZEN);
        Scope owner = Scope.openShared(model.device())) {
      ModelArguments.checkVocabulary(lm, tokenizer, directory.path());
      if (prompt != null && tokenizer == null) {
        throw new RefusedException(
            "--prompt: found no tokenizer.json in "
                + directory.path()
                + ", expected one, or --prompt-ids");
      }
      PassAddition addition = adapter.load(owner, lm);
      int[] ids =
          prompt != null && tokenizer != null
              ? tokenizer.encodeDocument(prompt)
              : promptIds == null ? new int[0] : promptIds;
      Map<String, Object> fields =
          search == null
              ? generate(new Generator(lm, addition, directory.stopIds()), ids, sampling, tokenizer)
              : search(new BeamSearch(lm, addition, directory.stopIds()), ids, search, tokenizer);
      json.print(fields);
      return 0;
    }
  }

  private Map<String, Object> generate(
      Generator generator, int[] ids, Sampling sampling, @Nullable HfTokenizer tokenizer) {
    StreamingDecoder decoder =
        json.isOn() || tokenizer == null ? null : new StreamingDecoder(tokenizer);
    Generator.Generated made =
        generator.generate(
            ids,
            sampling,
            id -> {
              if (decoder != null) {
                System.out.print(decoder.next(id));
                System.out.flush();
              }
              return true;
            });
    if (decoder != null) {
      System.out.println(decoder.finish());
    } else if (!json.isOn()) {
      System.out.println(Arrays.toString(made.ids()));
    }
    Map<String, Object> fields = text(made.ids(), made.stopped(), tokenizer);
    fields.put("tokens_per_second", made.tokensPerSecond());
    return fields;
  }

  private Map<String, Object> search(
      BeamSearch search, int[] ids, BeamSearch.Options options, @Nullable HfTokenizer tokenizer) {
    BeamSearch.Found found = search.search(ids, options);
    List<Map<String, Object>> texts = new ArrayList<>();
    for (BeamSearch.Hypothesis each : found.hypotheses()) {
      Map<String, Object> text = text(each.ids(), each.stopped(), tokenizer);
      text.put("score", each.score());
      texts.add(text);
    }
    Map<String, Object> fields = new LinkedHashMap<>(texts.getFirst());
    fields.put("tokens_per_second", found.tokensPerSecond());
    fields.put("beams", texts);
    if (!json.isOn()) {
      Object text = fields.get("text");
      System.out.println(
          text == null ? Arrays.toString(found.hypotheses().getFirst().ids()) : text);
    }
    return fields;
  }

  private static Map<String, Object> text(
      int[] ids, boolean stopped, @Nullable HfTokenizer tokenizer) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("ids", ids);
    fields.put("text", tokenizer == null ? null : tokenizer.decode(ids, false));
    fields.put("finish_reason", stopped ? "stop" : "length");
    return fields;
  }
}
