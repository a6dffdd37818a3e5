package dev.gatun.models.engine;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.RunningText.Job;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.KvCache;
import dev.gatun.runtime.Backend;
import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Answers many requests at once over one model, each through its own adapter or none.
///
/// Requests join and leave the batch between passes; their keys and values lie in pages of one
/// cache, and prompts that begin alike share them, if they go through the same adapter. Adapters
/// come and go while requests run. One platform thread makes all native calls; every method here
/// may be called from any thread.
///
/// ```java
/// try (Engine engine = Engine.open(model, tokenizer, directory.stopIds(), EngineOptions.DEFAULT)) {
///   AdapterHandle adapter = engine.load("poems", Path.of("poems-adapter"));
///   var request = GenerationRequest.of(tokenizer.encodeDocument("Roses"), Sampling.greedy(32));
///   System.out.println(engine.submit(request.withAdapter(adapter)).await());
/// }
/// ```
public final class Engine implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Engine.class.getName());

  private final CausalLm model;
  private final @Nullable Tokenizer tokenizer;
  private final EngineOptions options;
  private final int pages;
  private final BlockingQueue<Consumer<Scheduler>> commands = new LinkedBlockingQueue<>();
  private final Object gate = new Object();
  private final ConcurrentMap<String, AdapterHandle> adapters = new ConcurrentHashMap<>();
  private final AtomicInteger pending = new AtomicInteger();
  private final Counters counters = new Counters();
  private final Thread thread;
  private volatile boolean closing;
  private boolean stopped; // of the engine's thread

  private Engine(
      CausalLm model,
      @Nullable Tokenizer tokenizer,
      Set<Integer> stopIds,
      EngineOptions options,
      int pages) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.options = options;
    this.pages = pages;
    Set<Integer> stops = Set.copyOf(stopIds);
    CompletableFuture<Void> opened = new CompletableFuture<>();
    this.thread = Thread.ofPlatform().name("gatun-engine").daemon().start(() -> run(stops, opened));
    try {
      opened.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /// Opens an engine.
  ///
  /// @param model the model, which must outlive the engine; only the engine may use it meanwhile
  /// @param tokenizer turns ids into text, or null: texts of events are then empty
  /// @param stopIds ids that end a text, such as [dev.gatun.models.hub.ModelDirectory#stopIds()]
  /// @param options the limits
  /// @return the engine
  /// @throws IllegalArgumentException if the cache has no room for a page
  @MustBeClosed
  public static Engine open(
      CausalLm model, @Nullable Tokenizer tokenizer, Set<Integer> stopIds, EngineOptions options) {
    long page = KvCache.pageBytes(model);
    // more than all sequences can fill is never used
    long most = (long) options.maxSequences() * KvCache.pages(model.maxPositions()) * 2;
    long pages = Math.min(options.cacheBytes() / page, Math.min(most, Integer.MAX_VALUE));
    if (pages < 1) {
      throw new IllegalArgumentException(
          "cache bytes: found %d, expected at least the %d of %d tokens"
              .formatted(options.cacheBytes(), page, KvCache.PAGE));
    }
    return new Engine(model, tokenizer, stopIds, options, (int) pages);
  }

  /// {@return the model}
  public CausalLm model() {
    return model;
  }

  /// {@return how many tokens of one text can run, prompt included}
  public int maxTokens() {
    return maxTokens(1);
  }

  /// Returns how many tokens a text can have that takes several sequences.
  private int maxTokens(int sequences) {
    return (int) Math.min(model.maxPositions(), (long) (pages / sequences) * KvCache.PAGE);
  }

  /// Begins a request.
  ///
  /// @param request what is asked
  /// @return the request under way
  /// @throws ShapeException if the prompt is empty, has an id outside the vocabulary or more ids
  ///   than the model has positions or the cache room for
  /// @throws IllegalArgumentException if there is an ensemble of no adapter, or of more draws than
  ///   sequences run or adapters fit into memory
  /// @throws EngineException if the queue is full, the adapter was unloaded or the engine is closed
  public Generation submit(GenerationRequest request) {
    int sequences = sequences(request.ensemble(), request.adapter());
    int room = room(maxTokens(sequences), request.prompt());
    int most = Math.min(request.sampling().maxNewTokens(), room);
    if (pending.incrementAndGet() > options.queue() + options.maxSequences()) {
      pending.decrementAndGet();
      counters.refused();
      throw new EngineException(
          EngineException.Kind.BUSY,
          "queue: found %d requests that wait, expected fewer".formatted(options.queue()));
    }
    Generation generation = new Generation(request.choices(), this::wake, pending::decrementAndGet);
    Job job = new Job(request, generation);
    if (!enqueue(scheduler -> scheduler.add(job, most))) {
      pending.decrementAndGet();
      throw closed();
    }
    return generation;
  }

  /// Returns how many sequences each text of a request takes.
  private int sequences(@Nullable AdapterEnsemble ensemble, @Nullable AdapterHandle adapter) {
    if (ensemble == null) {
      return 1;
    }
    if (adapter == null) {
      throw new IllegalArgumentException(
          "ensemble: found no adapter, expected an adapter of the LoRA family");
    }
    int draws = ensemble.instances();
    if (draws > options.maxSequences()) {
      throw new IllegalArgumentException(
          "ensemble: found %d draws, expected at most the %d sequences that run side by side"
              .formatted(draws, options.maxSequences()));
    }
    long bytes = adapter.bytes() + draws * adapter.branchBytes();
    if (bytes > options.adapterBytes()) {
      throw new IllegalArgumentException(
          "ensemble: found %d draws of %d bytes, with the adapter, expected at most the %d of all"
                  .formatted(draws, bytes, options.adapterBytes())
              + " adapters");
    }
    return draws;
  }

  private int room(int maxTokens, int... prompt) {
    if (prompt.length == 0) {
      throw new ShapeException("prompt: found no ids, expected at least one");
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.vocabulary()) {
        throw new ShapeException(
            "prompt: found id %d, expected 0 to %d".formatted(id, model.vocabulary() - 1));
      }
    }
    if (prompt.length > maxTokens) {
      throw new ShapeException(
          "prompt: found %d ids, expected at most %d".formatted(prompt.length, maxTokens));
    }
    // the last token is made and not read: it needs no position
    return maxTokens - prompt.length + 1;
  }

  /// Loads an adapter, in place of another of that name.
  ///
  /// @param name the name that [#adapter] finds it by
  /// @param directory a PEFT adapter directory
  /// @return its handle
  /// @throws IOException if it cannot be read or does not fit the model
  /// @throws EngineException if it is larger than all adapters may be, or the engine is closed
  public AdapterHandle load(String name, Path directory) throws IOException {
    return load(name, directory, false);
  }

  /// Loads an adapter, in place of another of that name.
  ///
  /// @param name the name that [#adapter] finds it by
  /// @param directory a PEFT adapter directory
  /// @param merged whether to keep, beside it, the model's weights with it added: passes in which
  ///   it is alone then cost what they cost without any adapter
  /// @return its handle
  /// @throws IOException if it cannot be read or does not fit the model
  /// @throws EngineException if it is larger than all adapters may be, or the engine is closed
  public AdapterHandle load(String name, Path directory, boolean merged) throws IOException {
    AdapterSource source = AdapterSource.Directory.of(directory);
    return call(scheduler -> named(scheduler, scheduler.adapters().add(name, source, merged)));
  }

  /// Makes an adapter that is the sum of others, each times a factor; their ranks add up.
  ///
  /// @param name the name that [#adapter] finds it by
  /// @param weights factors by adapters of plain LoRA or AdaLoRA, at least one
  /// @return its handle
  /// @throws IOException if one of them cannot be read again
  /// @throws EngineException if one of them was unloaded, is DoRA's or replaces weights
  public AdapterHandle combine(String name, Map<AdapterHandle, Double> weights) throws IOException {
    List<AdapterSource.Part> parts = new ArrayList<>();
    weights.forEach((adapter, weight) -> parts.add(new AdapterSource.Part(adapter, weight)));
    if (parts.isEmpty() || parts.stream().anyMatch(part -> !Double.isFinite(part.weight()))) {
      throw new IllegalArgumentException(
          "combination: found " + parts + ", expected adapters and finite numbers");
    }
    parts.sort(Comparator.comparingLong(part -> part.adapter().generation()));
    AdapterSource source = new AdapterSource.Combination(parts);
    return call(scheduler -> named(scheduler, scheduler.adapters().add(name, source, false)));
  }

  private AdapterHandle named(Scheduler scheduler, AdapterHandle handle) {
    AdapterHandle former = adapters.put(handle.name(), handle);
    if (former != null) {
      scheduler.adapters().retire(former);
    }
    return handle;
  }

  /// Takes an adapter out of service; requests that have its handle go on.
  ///
  /// @param name its name
  /// @return whether there was one
  public boolean unload(String name) {
    AdapterHandle former = adapters.remove(name);
    return former != null && enqueue(scheduler -> scheduler.adapters().retire(former));
  }

  /// {@return the adapter of a name}
  ///
  /// @param name as it was loaded
  public Optional<AdapterHandle> adapter(String name) {
    return Optional.ofNullable(adapters.get(name));
  }

  /// {@return all adapters in service, by their names}
  public List<AdapterHandle> adapters() {
    return adapters.values().stream().sorted(Comparator.comparing(AdapterHandle::name)).toList();
  }

  /// Returns the embeddings of texts: the mean of the last layer's normalised activations over a
  /// text's tokens, of length 1.
  ///
  /// @param texts ids of each text, at least one
  /// @param adapter the adapter that they go through, or null
  /// @return an embedding for each text, C numbers
  /// @throws ShapeException if a text is empty, has an id outside the vocabulary or more ids than
  ///   the model has positions
  /// @throws EngineException if the adapter was unloaded or the engine is closed
  public float[][] embed(List<int[]> texts, @Nullable AdapterHandle adapter) {
    float[][] all = new float[texts.size()][];
    texts.forEach(text -> room(maxTokens(), text));
    try {
      for (int i = 0; i < all.length; i++) { // between texts, others go on
        int[] text = texts.get(i);
        all[i] = call(scheduler -> scheduler.embed(text, adapter));
      }
    } catch (IOException e) { // which nothing here reads
      throw new UncheckedIOException(e);
    }
    return all;
  }

  /// {@return where the engine stands}
  public EngineStats stats() {
    return counters.stats();
  }

  /// Closes the engine when what was asked so far is answered, or else after a while.
  ///
  /// @param patience how long to wait
  /// @throws InterruptedException if the thread is interrupted; the engine is then still to be
  ///   closed
  public void close(Duration patience) throws InterruptedException {
    synchronized (gate) {
      closing = true;
    }
    long end = System.nanoTime() + patience.toNanos();
    while (pending.get() > 0 && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    close();
  }

  /// Closes the engine: requests that have not ended are cancelled. Closing twice does nothing.
  @Override
  public void close() {
    synchronized (gate) {
      closing = true;
      commands.add(scheduler -> stopped = true);
    }
    Waiting.forEnd(thread);
  }

  private void wake() {
    commands.add(scheduler -> {});
  }

  private boolean enqueue(Consumer<Scheduler> command) {
    synchronized (gate) {
      if (!closing) {
        commands.add(command);
      }
      return !closing;
    }
  }

  /// What the engine's thread does for a caller who waits for it.
  @FunctionalInterface
  private interface Command<T> {
    T run(Scheduler scheduler) throws IOException;
  }

  private <T> T call(Command<T> command) throws IOException {
    CompletableFuture<T> result = new CompletableFuture<>();
    boolean accepted =
        enqueue(scheduler -> {
          try {
            result.complete(command.run(scheduler));
          } catch (IOException | RuntimeException | OutOfMemoryError e) {
            result.completeExceptionally(e);
          }
        });
    if (!accepted) {
      throw closed();
    }
    return Waiting.forResult(result);
  }

  private static EngineException closed() {
    return new EngineException(EngineException.Kind.CLOSED, "the engine is closed");
  }

  private void run(Set<Integer> stopIds, CompletableFuture<Void> opened) {
    int processors = Runtime.getRuntime().availableProcessors();
    Scheduler scheduler;
    try {
      Backend.setThreads(options.threads() == 0 ? processors : options.threads());
      scheduler = new Scheduler(model, tokenizer, stopIds, options, pages, counters);
    } catch (RuntimeException | Error e) {
      opened.completeExceptionally(e);
      return;
    }
    opened.complete(null);
    try (scheduler) {
      while (!stopped) {
        try {
          Consumer<Scheduler> command = scheduler.isIdle() ? commands.take() : commands.poll();
          for (; command != null; command = commands.poll()) {
            command.accept(scheduler);
          }
          scheduler.step();
        } catch (InterruptedException e) { // nobody has this thread to interrupt it
          LOG.log(System.Logger.Level.WARNING, "the engine's thread was interrupted", e);
        } catch (RuntimeException | OutOfMemoryError e) {
          LOG.log(System.Logger.Level.ERROR, "the engine gives up what it was at", e);
          scheduler.failAll(e);
        }
      }
    } finally {
      synchronized (gate) {
        closing = true;
      }
    }
  }
}
