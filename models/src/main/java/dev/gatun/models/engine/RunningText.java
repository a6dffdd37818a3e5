package dev.gatun.models.engine;

import dev.gatun.models.data.StreamingDecoder;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.GenerationEvent.Candidate;
import dev.gatun.models.engine.GenerationEvent.Token;
import dev.gatun.models.generate.Sampler;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.models.nn.KvCache;
import dev.gatun.models.train.Evaluation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One choice of a request: its tokens so far, and where it stands. For the engine's thread alone.
final class RunningText {
  private final Job job;
  private final int number;
  private final List<AdapterHandle> adapters;
  private final List<Lane> lanes;
  private final Sampler sampler;
  private final @Nullable TokenConstraint constraint;
  private final @Nullable Tokenizer tokenizer;
  private final @Nullable StreamingDecoder decoder;
  private final StopTexts stops;
  private final int most;
  private int[] text;
  private int size;
  private int feed;
  private int kept;

  /// A request with those of its choices that have not ended.
  static final class Job {
    private final GenerationRequest request;
    private final Generation generation;
    private final List<RunningText> live = new ArrayList<>();
    private int cachedTokens = -1;
    private int completionTokens;

    Job(GenerationRequest request, Generation generation) {
      this.request = request;
      this.generation = generation;
    }

    GenerationRequest request() {
      return request;
    }

    Generation generation() {
      return generation;
    }

    List<RunningText> live() {
      return live;
    }

    /// Counts what the prompt found in the cache when it first ran.
    boolean found(int tokens) {
      boolean first = cachedTokens < 0;
      cachedTokens = first ? tokens : cachedTokens;
      return first;
    }

    Usage usage() {
      return new Usage(request.prompt().length, Math.max(0, cachedTokens), completionTokens);
    }
  }

  /// Begins a choice.
  ///
  /// @param adapters the request's adapter and, of an ensemble, its draws; nothing without one
  /// @param most tokens that it may have
  RunningText(
      Job job, int number, List<AdapterHandle> adapters, @Nullable Tokenizer tokenizer, int most) {
    GenerationRequest request = job.request;
    this.job = job;
    this.number = number;
    this.adapters = adapters;
    this.lanes =
        request.ensemble() == null
            ? List.of(new Lane(this, request.adapter()))
            : adapters.stream().skip(1).map(draw -> new Lane(this, draw)).toList();
    this.sampler = new Sampler(request.sampling(), number);
    TokenConstraint form = request.constraint();
    this.constraint = form == null ? null : form.copy();
    this.tokenizer = tokenizer;
    this.decoder = tokenizer == null ? null : new StreamingDecoder(tokenizer);
    this.stops = new StopTexts(request.stops());
    this.most = most;
    this.text = request.prompt();
    this.size = text.length;
    job.live.add(this);
  }

  Job job() {
    return job;
  }

  @Nullable AdapterHandle adapter() {
    return job.request.adapter();
  }

  /// Returns the adapters that must be in memory for it.
  List<AdapterHandle> adapters() {
    return adapters;
  }

  /// Returns its ways through the model.
  List<Lane> lanes() {
    return lanes;
  }

  /// Returns what its lanes are averaged over, or null where they are no ensemble.
  Evaluation.@Nullable Average average() {
    AdapterEnsemble ensemble = job.request.ensemble();
    return ensemble == null ? null : ensemble.average();
  }

  /// Returns the tokens so far, prompt included; longer than [#size].
  int[] text() {
    return text;
  }

  int size() {
    return size;
  }

  boolean isFirst() {
    return size == job.request.prompt().length;
  }

  int number() {
    return number;
  }

  int most() {
    return most;
  }

  /// Returns whether it has pages.
  boolean isOpen() {
    return lanes.getFirst().isOpen();
  }

  /// Returns how many tokens are in the cache, in each of its lanes.
  int length() {
    return lanes.getFirst().length();
  }

  /// Returns how many tokens are not in the cache yet.
  int pending() {
    return size - length();
  }

  /// Returns how many free pages it needs for more tokens.
  int needs(int tokens) {
    int pages = 0;
    for (Lane lane : lanes) {
      pages += lane.sequence().needs(tokens);
    }
    return pages;
  }

  /// Takes free pages so that more tokens fit.
  void reserve(int tokens) {
    lanes.forEach(lane -> lane.sequence().reserve(tokens));
  }

  /// Returns how many tokens the next pass takes.
  int feed() {
    return feed;
  }

  void feed(int tokens) {
    this.feed = tokens;
  }

  /// Returns whether pages have become full since it was last asked.
  boolean hasNewPages() {
    int full = length() / KvCache.PAGE;
    boolean isNew = full > kept;
    kept = full;
    return isNew;
  }

  /// Chooses the next token.
  ///
  /// @param all logits of several texts, row by row
  /// @param row the row of this one
  /// @param width ids of a row
  /// @return the token
  Token choose(float[] all, int row, int width) {
    int from = row * width;
    int logprobs = job.request.logprobs();
    if (sampler.isPlainlyGreedy() && constraint == null && logprobs < 0) {
      int id = Sampler.largest(all, from, width);
      check(all[from + id]);
      return new Token(id, Double.NaN, List.of());
    }
    float[] own = Arrays.copyOfRange(all, from, from + width);
    if (constraint != null) {
      try {
        constraint.restrict(own);
      } catch (IllegalStateException e) {
        throw new EngineException(
            EngineException.Kind.CONSTRAINT, "constraint: " + e.getMessage(), e);
      }
    }
    int id = sampler.choose(own, Arrays.copyOf(text, size));
    check(own[id]);
    return logprobs < 0
        ? new Token(id, Double.NaN, List.of())
        : told(all, from, width, id, logprobs);
  }

  private void check(float score) {
    if (!(score > Float.NEGATIVE_INFINITY)) {
      throw constraint == null
          ? new EngineException(
              EngineException.Kind.FAILED, "logits: found " + score + ", expected a number")
          : new EngineException(
              EngineException.Kind.CONSTRAINT, "constraint: found no id that may come next");
    }
  }

  private static Token told(float[] all, int from, int width, int id, int count) {
    double largest = all[from + Sampler.largest(all, from, width)];
    double sum = 0;
    PriorityQueue<Integer> best =
        new PriorityQueue<>(
            Comparator.<Integer>comparingDouble(i -> all[from + i])
                .thenComparing(Comparator.reverseOrder()));
    for (int i = 0; i < width; i++) {
      sum += Math.exp(all[from + i] - largest);
      if (count > 0 && (best.size() < count || all[from + i] > all[from + best.element()])) {
        best.add(i);
        if (best.size() > count) {
          best.remove();
        }
      }
    }
    double total = largest + Math.log(sum);
    List<Candidate> likeliest = new ArrayList<>();
    while (!best.isEmpty()) {
      int next = best.remove();
      likeliest.addFirst(new Candidate(next, all[from + next] - total));
    }
    return new Token(id, all[from + id] - total, likeliest);
  }

  /// Takes a token and tells of it.
  ///
  /// @param stopIds ids that end a text
  /// @return why the text ends, or null if it goes on
  @Nullable FinishReason accept(Token token, Set<Integer> stopIds) {
    job.completionTokens++;
    int id = token.id();
    if (stopIds.contains(id) && !job.request.ignoreStopIds()) {
      tell(ended(), List.of());
      return FinishReason.STOP;
    }
    if (size == text.length) {
      text = Arrays.copyOf(text, Math.max(16, size + size / 2));
    }
    text[size++] = id;
    String piece =
        decoder == null || tokenizer == null || id >= tokenizer.vocabularySize()
            ? ""
            : decoder.next(id);
    String certain = stops.add(piece);
    boolean complete = false;
    if (constraint != null) {
      constraint.accept(id);
      complete = constraint.isComplete();
    }
    int made = size - job.request.prompt().length;
    if (stops.isFound() || complete || made == most) {
      tell(stops.isFound() ? certain : certain + ended(), List.of(token));
      return stops.isFound() || complete ? FinishReason.STOP : FinishReason.LENGTH;
    }
    tell(certain, List.of(token));
    return null;
  }

  /// Returns the text that was held back.
  private String ended() {
    String last = decoder == null ? "" : decoder.finish();
    return stops.add(last) + stops.rest();
  }

  private void tell(String piece, List<Token> tokens) {
    if (!piece.isEmpty() || !tokens.isEmpty()) {
      job.generation.add(new GenerationEvent.Text(number, piece, tokens));
    }
  }
}
