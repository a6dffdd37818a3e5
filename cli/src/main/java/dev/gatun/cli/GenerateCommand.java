package dev.gatun.cli;

import dev.gatun.models.data.StreamingDecoder;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.Engine;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.engine.StopTexts;
import dev.gatun.models.generate.BeamSearch;
import dev.gatun.models.generate.Generator;
import dev.gatun.models.generate.Sampling;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.Scope;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
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
  private static final int MAX_NEW_TOKENS = 64;
  private static final int STEP_TOKENS = 256;

  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private AdapterArgument adapter = new AdapterArgument();
  @Mixin private WeightsArgument weights = new WeightsArgument();
  @Mixin private JsonOutput json = new JsonOutput();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "Text to continue.")
  private @Nullable String prompt;

  @Option(
      names = "--prompt-ids",
      paramLabel = "IDS",
      split = ",",
      description = "Token ids to continue, by commas, taken as they are.")
  private int @Nullable [] promptIds;

  @Mixin private SamplingArguments choice = new SamplingArguments();
  @Mixin private BeamArguments beams = new BeamArguments();
  @Mixin private EnsembleArguments ensembles = new EnsembleArguments();

  @Override
  public Integer call() throws IOException {
    if ((prompt == null) == (promptIds == null)) {
      throw new RefusedException(
          "--prompt: found %s, expected one of --prompt and --prompt-ids"
              .formatted(prompt == null ? "neither" : "--prompt-ids too"));
    }
    Sampling sampling = choice.sampling(MAX_NEW_TOKENS);
    BeamSearch.Options search;
    try {
      search = beams.isOn() ? beams.options(sampling) : null;
    } catch (IllegalArgumentException e) {
      throw SamplingArguments.refused(e);
    }
    if (search != null && !choice.stops().isEmpty()) {
      throw new RefusedException("--stop: found with --beams, expected either");
    }
    AdapterEnsemble ensemble = ensembles.ofAdapter();
    Path path = adapter.path();
    if (ensemble != null && path == null) {
      throw new RefusedException("--ensemble: found no --adapter, expected one");
    }
    if (ensemble != null && search != null) {
      throw new RefusedException("--ensemble: found with --beams, expected either");
    }
    int threads = model.applyThreads();
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
      if (!choice.stops().isEmpty() && tokenizer == null) {
        throw new RefusedException(
            "--stop: found no tokenizer.json in " + directory.path() + ", expected one");
      }
      int[] ids =
          prompt != null && tokenizer != null
              ? tokenizer.encodeDocument(prompt)
              : promptIds == null ? new int[0] : promptIds;
      Map<String, Object> fields;
      if (ensemble != null && path != null) {
        EngineOptions options =
            EngineOptions.DEFAULT
                .withBatch(ensemble.instances(), STEP_TOKENS)
                .withThreads(threads)
                .withWeights(weights.ofEngine(model.device()));
        try (Engine engine = Engine.open(lm, tokenizer, directory.stopIds(), options)) {
          GenerationRequest request =
              GenerationRequest.of(ids, sampling)
                  .withAdapter(engine.load("adapter", path))
                  .withEnsemble(ensemble)
                  .withStops(choice.stops(), false);
          fields = generate(engine, request, tokenizer);
        }
      } else {
        PassAddition addition = weights.beside(owner, lm, adapter.load(owner, lm));
        fields =
            search == null
                ? generate(
                    new Generator(lm, addition, directory.stopIds()), ids, sampling, tokenizer)
                : search(new BeamSearch(lm, addition, directory.stopIds()), ids, search, tokenizer);
      }
      json.print(fields);
      return 0;
    }
  }

  private Map<String, Object> generate(
      Engine engine, GenerationRequest request, @Nullable HfTokenizer tokenizer) {
    StringBuilder text = new StringBuilder();
    List<GenerationEvent.Token> tokens = new ArrayList<>();
    FinishReason reason = FinishReason.CANCELLED;
    long first = 0;
    long last = 0;
    try (Generation generation = engine.submit(request)) {
      for (GenerationEvent event = generation.take();
          !(event instanceof GenerationEvent.Ended);
          event = generation.take()) {
        switch (event) {
          case GenerationEvent.Text piece -> {
            last = System.nanoTime();
            first = first == 0 ? last : first;
            tokens.addAll(piece.tokens());
            write(text, piece.text());
          }
          case GenerationEvent.ChoiceEnded ended -> reason = ended.reason();
          case GenerationEvent.Ended ended -> {} // ends the loop
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    int[] ids = tokens.stream().mapToInt(GenerationEvent.Token::id).toArray();
    if (!json.isOn()) {
      System.out.println(tokenizer == null ? Arrays.toString(ids) : "");
    }
    Map<String, Object> fields = text(ids, reason == FinishReason.STOP, tokenizer);
    if (tokenizer != null) {
      fields.put("text", text.toString());
    }
    fields.put("tokens_per_second", ids.length < 2 ? 0 : (ids.length - 1) * 1e9 / (last - first));
    return fields;
  }

  private Map<String, Object> generate(
      Generator generator, int[] ids, Sampling sampling, @Nullable HfTokenizer tokenizer) {
    StreamingDecoder decoder = tokenizer == null ? null : new StreamingDecoder(tokenizer);
    StopTexts stops = new StopTexts(choice.stops());
    StringBuilder text = new StringBuilder();
    Generator.Generated made =
        generator.generate(
            ids,
            sampling,
            id -> {
              if (decoder != null) {
                write(text, stops.add(decoder.next(id)));
              }
              return !stops.isFound();
            });
    if (decoder != null) {
      write(text, stops.isFound() ? "" : stops.add(decoder.finish()) + stops.rest());
    }
    if (!json.isOn()) {
      System.out.println(decoder == null ? Arrays.toString(made.ids()) : "");
    }
    Map<String, Object> fields = text(made.ids(), made.stopped() || stops.isFound(), tokenizer);
    if (stops.isFound()) {
      fields.put("text", text.toString());
    }
    fields.put("tokens_per_second", made.tokensPerSecond());
    return fields;
  }

  private void write(StringBuilder text, String piece) {
    text.append(piece);
    if (!json.isOn()) {
      System.out.print(piece);
      System.out.flush();
    }
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
    fields.put("text", tokenizer == null ? null : tokenizer.decodeWritten(ids, false));
    fields.put("finish_reason", stopped ? "stop" : "length");
    return fields;
  }
}
