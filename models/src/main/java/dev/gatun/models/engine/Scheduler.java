package dev.gatun.models.engine;

import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.GenerationEvent.Token;
import dev.gatun.models.engine.RunningText.Job;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.FrozenWeights;
import dev.gatun.models.nn.KvCache;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which texts run, and their passes. For the engine's thread alone.
///
/// Each pass takes a token of every text that has its prompt behind it, and pieces of prompts as
/// far as there is room. A text that finds no free page for its next token takes those of the text
/// that began last, which waits and runs again from its tokens. The lanes of an ensemble's text
/// take their pages together and give them away together. Sources: Yu et al., Orca (OSDI 2022);
/// Kwon et al., arXiv:2309.06180; Agrawal et al., arXiv:2308.16369.
final class Scheduler implements AutoCloseable {
  private final CausalLm model;
  private final @Nullable Tokenizer tokenizer;
  private final Set<Integer> stopIds;
  private final EngineOptions options;
  private final Scope owner;
  private final KvCache cache;
  private final FrozenWeights weights;
  private final PrefixIndex prefixes;
  private final AdapterStore adapters;
  private final Deque<RunningText> waiting = new ArrayDeque<>();
  private final List<RunningText> running = new ArrayList<>();
  private final Counters counters;

  @SuppressWarnings("MustBeClosedChecker") // closed with the scheduler
  Scheduler(
      CausalLm model,
      @Nullable Tokenizer tokenizer,
      Set<Integer> stopIds,
      EngineOptions options,
      int pages,
      Counters counters) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.stopIds = stopIds;
    this.options = options;
    this.owner = Scope.open(model.device());
    this.cache = KvCache.of(owner, model, pages);
    this.weights = new FrozenWeights(owner, model, options.weights());
    this.prefixes = new PrefixIndex(cache);
    this.adapters = new AdapterStore(model, options.adapterBytes(), prefixes::forget);
    this.counters = counters;
  }

  AdapterStore adapters() {
    return adapters;
  }

  boolean isIdle() {
    return waiting.isEmpty() && running.isEmpty();
  }

  /// Takes a request.
  void add(Job job, int most) {
    AdapterHandle adapter = job.request().adapter();
    if (adapter != null && adapters.isRetired(adapter)) {
      fail(job, unloaded(adapter));
      return;
    }
    List<AdapterHandle> through = adapters.enter(adapter, job.request().ensemble());
    try {
      waiting.addLast(new RunningText(job, 0, through, tokenizer, most));
    } catch (RuntimeException e) { // of a constraint
      through.forEach(adapters::leave);
      fail(job, failed("request", e));
    }
  }

  private static EngineException failed(String what, Throwable cause) {
    return cause instanceof EngineException known
        ? known
        : new EngineException(
            EngineException.Kind.FAILED, what + " failed: " + cause.getMessage(), cause);
  }

  /// Returns the mean of a text's normalised activations, of length 1.
  float[] embed(int[] text, @Nullable AdapterHandle adapter) {
    if (adapter != null && adapters.isRetired(adapter)) {
      throw unloaded(adapter);
    }
    try (Scope scope = Scope.open(model.device())) {
      ForwardPass.Builder pass = ForwardPass.of(scope, model, text, 0, text.length).frozen(weights);
      if (adapter != null) {
        ResidentAdapter read = adapters.get(adapter);
        pass.segments(List.of(new AdapterSegment(0, text.length, read.layers())))
            .replaced(read.replaced());
      }
      Tensor hidden = model.hidden(scope, pass.build(), false);
      Tensor wide = Layout.to(scope, hidden, DType.F32);
      float[] mean = Reduce.sum(scope, wide, false, 0).toFloats(); // its length is 1 in the end
      double squares = 0;
      for (float value : mean) {
        squares += (double) value * value;
      }
      for (int i = 0; i < mean.length; i++) {
        mean[i] /= (float) Math.sqrt(squares);
      }
      return mean;
    }
  }

  private static EngineException unloaded(AdapterHandle adapter) {
    return new EngineException(
        EngineException.Kind.ADAPTER, "adapter " + adapter + ": it was unloaded");
  }

  /// Runs one pass, if there is anything to run.
  void step() {
    cancel();
    admit();
    List<RunningText> batch = plan();
    Map<Object, List<RunningText>> passes = passes(batch);
    passes.values().forEach(this::run);
    count();
  }

  private void count() {
    counters.update(sequences(), waiting.size(), cache, prefixes.size(), adapters);
  }

  private int sequences() {
    int count = 0;
    for (RunningText text : running) {
      count += text.lanes().size();
    }
    return count;
  }

  /// Returns a copy of all texts that have not ended.
  private List<RunningText> all() {
    List<RunningText> all = new ArrayList<>(running);
    all.addAll(waiting);
    return all;
  }

  private void cancel() {
    for (RunningText text : all()) {
      if (text.job().generation().isCancelled()) {
        end(text, FinishReason.CANCELLED);
      }
    }
  }

  /// Ends all texts.
  void cancelAll() {
    all().forEach(text -> end(text, FinishReason.CANCELLED));
  }

  /// Fails all texts, as something went wrong that no single one of them is known to have caused.
  void failAll(Throwable cause) {
    EngineException failure = failed("engine", cause);
    all().forEach(text -> fail(text.job(), failure));
  }

  private void admit() {
    while (!waiting.isEmpty()) {
      RunningText text = waiting.getFirst();
      try {
        if (sequences() + text.lanes().size() > options.maxSequences() || !admitted(text)) {
          return;
        }
        waiting.removeFirst();
        running.add(text);
      } catch (EngineException e) { // its adapter cannot be read again
        fail(text.job(), e);
      }
    }
  }

  private boolean admitted(RunningText text) {
    if (!adapters.fit(text.adapters())) {
      return false;
    }
    open(text);
    int tokens = text.pending();
    if (!freed(text.needs(tokens))) {
      text.lanes().forEach(Lane::close);
      return false;
    }
    text.reserve(tokens);
    text.adapters().forEach(adapters::pin); // all of them before one is read
    text.adapters().forEach(adapters::get);
    if (text.job().found(text.length())) {
      counters.prompt(text.size(), text.length());
    }
    return true;
  }

  /// Begins a text's sequences with those pages that others left of all of them.
  private void open(RunningText text) {
    List<int[]> found = new ArrayList<>();
    int shared = options.sharePrefixes() ? Integer.MAX_VALUE : 0;
    for (Lane lane : text.lanes()) {
      int[] pages =
          shared > 0 ? prefixes.find(lane.adapter(), text.text(), text.size() - 1) : new int[0];
      found.add(pages);
      shared = Math.min(shared, pages.length);
    }
    for (int i = 0; i < found.size(); i++) {
      text.lanes().get(i).open(cache.open(Arrays.copyOf(found.get(i), shared)));
    }
  }

  /// Frees pages of prompts that nobody runs, until that many are free.
  private boolean freed(int pages) {
    while (cache.free() < pages) {
      if (!prefixes.evict()) {
        return false;
      }
    }
    return true;
  }

  /// Returns the texts of the next pass, each with the number of tokens that it brings.
  private List<RunningText> plan() {
    List<RunningText> batch = new ArrayList<>();
    int room = options.stepTokens();
    for (int i = 0; i < running.size(); i++) { // later ones may have to give way
      RunningText text = running.get(i);
      if (text.pending() == 1 && reserved(text)) {
        text.feed(1);
        batch.add(text);
        room -= text.lanes().size();
      }
    }
    for (RunningText text : running) {
      if (text.pending() > 1 && room > 0) {
        int lanes = text.lanes().size();
        text.feed(Math.clamp(room / lanes, 1, text.pending()));
        batch.add(text);
        room -= text.feed() * lanes;
      }
    }
    return batch;
  }

  /// Takes pages for the next token; of texts that began later, where no others are free.
  private boolean reserved(RunningText text) {
    while (!freed(text.needs(1))) {
      RunningText last = running.getLast();
      suspend(last);
      counters.preempted();
      waiting.addFirst(last);
      if (last == text) {
        return false;
      }
    }
    text.reserve(1);
    return true;
  }

  /// Takes a text out of the running ones and its pages from it.
  private void suspend(RunningText text) {
    running.remove(text);
    if (text.isOpen()) {
      text.lanes().forEach(Lane::close);
      text.adapters().forEach(adapters::unpin);
    }
  }

  /// Keeps a text's pages for others that begin like it.
  private void keep(RunningText text) {
    if (options.sharePrefixes() && text.isOpen() && text.hasNewPages()) {
      for (Lane lane : text.lanes()) {
        prefixes.add(lane.adapter(), text.text(), lane.length(), lane.sequence().pages());
      }
    }
  }

  /// Divides a batch into passes: texts whose adapters replace weights cannot share one with
  /// others.
  private Map<Object, List<RunningText>> passes(List<RunningText> batch) {
    Map<Object, List<RunningText>> passes = new LinkedHashMap<>();
    for (RunningText text : batch) {
      AdapterHandle adapter = text.adapter();
      boolean alone = adapter != null && !adapters.get(adapter).replaced().isEmpty();
      Object pass = alone ? adapter : this;
      passes.computeIfAbsent(pass, key -> new ArrayList<>()).add(text);
    }
    return passes;
  }

  private void run(List<RunningText> texts) {
    // a text whose other choices failed in another pass is no longer live
    texts.removeIf(text -> !text.job().live().contains(text));
    if (texts.isEmpty()) {
      return;
    }
    try (Scope scope = Scope.open(model.device())) {
      BatchPass pass = new BatchPass(model, weights, adapters, texts);
      float[] logits = pass.logits(scope);
      counters.passed();
      for (RunningText text : texts) {
        keep(text);
      }
      choose(pass.due(), logits);
    } catch (RuntimeException | OutOfMemoryError e) {
      EngineException failure = failed("pass", e);
      texts.forEach(text -> fail(text.job(), failure));
    }
  }

  /// Chooses the next token of each text; the first one of a request begins its other choices.
  private void choose(List<RunningText> due, float[] logits) {
    int width = model.vocabulary();
    for (int row = 0; row < due.size(); row++) {
      RunningText text = due.get(row);
      List<RunningText> all = new ArrayList<>();
      all.add(text);
      try {
        if (text.isFirst() && text.number() == 0) {
          for (int i = 1; i < text.job().request().choices(); i++) {
            all.add(fork(text, i));
          }
        }
        for (RunningText each : all) {
          Token token = each.choose(logits, row, width);
          counters.generated();
          FinishReason reason = each.accept(token, stopIds);
          if (reason != null) {
            end(each, reason);
          }
        }
      } catch (RuntimeException e) {
        fail(text.job(), failed("choice", e));
      }
    }
  }

  /// Begins another choice of a request: with the same pages where there is room, else it waits and
  /// runs the prompt again.
  private RunningText fork(RunningText first, int number) {
    RunningText other =
        new RunningText(first.job(), number, first.adapters(), tokenizer, first.most());
    first.adapters().forEach(adapters::enter);
    int lanes = first.lanes().size();
    boolean whole = first.length() % KvCache.PAGE == 0;
    if (sequences() + lanes <= options.maxSequences() && freed(whole ? 0 : lanes)) {
      try (Scope scope = Scope.open(model.device())) {
        for (int i = 0; i < lanes; i++) {
          other.lanes().get(i).open(first.lanes().get(i).sequence().fork(scope));
        }
      } catch (RuntimeException e) {
        other.lanes().forEach(Lane::close);
        throw e;
      }
      first.adapters().forEach(adapters::pin);
      running.add(other);
    } else {
      waiting.addFirst(other);
    }
    return other;
  }

  private void end(RunningText text, FinishReason reason) {
    Job job = text.job();
    remove(text);
    job.generation().add(new GenerationEvent.ChoiceEnded(text.number(), reason));
    if (reason == FinishReason.CANCELLED && text.isFirst()) {
      for (int i = 1; i < job.request().choices(); i++) { // which have not begun
        if (text.number() == 0 && job.live().isEmpty()) {
          job.generation().add(new GenerationEvent.ChoiceEnded(i, reason));
        }
      }
    }
    if (job.live().isEmpty()) {
      counters.ended(reason == FinishReason.CANCELLED);
      count();
      job.generation().add(new GenerationEvent.Ended(job.usage()));
    }
  }

  private void fail(Job job, EngineException cause) {
    if (job.live().isEmpty() && job.generation().isOver()) {
      return;
    }
    for (RunningText text : List.copyOf(job.live())) {
      remove(text);
    }
    counters.failed();
    count();
    job.generation().fail(cause);
  }

  private void remove(RunningText text) {
    text.job().live().remove(text);
    waiting.remove(text);
    suspend(text);
    text.adapters().forEach(adapters::leave);
  }

  @Override
  public void close() {
    cancelAll();
    prefixes.clear();
    adapters.close();
    owner.close();
  }
}
