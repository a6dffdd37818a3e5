package dev.gatun.cli;

import dev.gatun.models.data.StreamingDecoder;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
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
    try {
      sampling = new Sampling(maxNewTokens, temperature, topK, topP, repetitionPenalty, seed);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("--" + e.getMessage());
    }
    model.applyThreads();
    ModelDirectory directory = model.directory();
    try (HfTokenizer tokenizer = model.tokenizer();
        CausalLm lm = directory.open(model.computeType(), ModelDirectory.Use.FROZEN);
        Scope owner = Scope.openShared()) {
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
      Set<Integer> stops = directory.stopIds();
      boolean stream = !json.isOn() && tokenizer != null;
      StreamingDecoder decoder = tokenizer == null ? null : new StreamingDecoder(tokenizer);
      Generator.Generated made =
          new Generator(lm, addition, stops)
              .generate(
                  ids,
                  sampling,
                  id -> {
                    if (stream && decoder != null) {
                      System.out.print(decoder.next(id));
                      System.out.flush();
                    }
                    return true;
                  });
      if (stream && decoder != null) {
        System.out.println(decoder.finish());
      } else if (!json.isOn()) {
        System.out.println(Arrays.toString(made.ids()));
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("ids", made.ids());
      fields.put("text", tokenizer == null ? null : tokenizer.decode(made.ids(), false));
      fields.put("finish_reason", made.stopped() ? "stop" : "length");
      fields.put("tokens_per_second", made.tokensPerSecond());
      json.print(fields);
      return 0;
    }
  }
}
