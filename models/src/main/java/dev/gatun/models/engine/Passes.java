package dev.gatun.models.engine;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.gatun.runtime.Backend;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;

/// Brings the texts of many callers into few passes of one model.
///
/// Whenever the thread of the passes is free it takes what waits: the longest text left of each
/// call by turns, until the tokens are enough for a pass. So a call of many texts keeps no other
/// one waiting for long, and rows of a pass are about as long as each other. One platform thread
/// makes all native calls; [#run] may be called from any thread.
final class Passes implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Passes.class.getName());

  /// A model, for the thread of the passes alone.
  interface Model extends AutoCloseable {
    /// Returns what the model makes of each text of a pass.
    List<float[]> run(List<int[]> texts);

    @Override
    void close();
  }

  /// Opens a model, on the thread of the passes.
  @FunctionalInterface
  interface Opening {
    Model open() throws IOException;
  }

  /// The texts of one caller, and what has come of them.
  private static final class Call {
    private final List<int[]> texts;
    private final Deque<Integer> left;
    private final float[][] results;
    private final CompletableFuture<float[][]> done = new CompletableFuture<>();
    private int unanswered;

    Call(List<int[]> texts) {
      this.texts = texts;
      this.results = new float[texts.size()][];
      this.unanswered = texts.size();
      this.left =
          new ArrayDeque<>(
              IntStream.range(0, texts.size())
                  .boxed()
                  .sorted(Comparator.comparingInt((Integer i) -> texts.get(i).length).reversed())
                  .toList());
    }

    int nextLength() {
      return texts.get(left.element()).length;
    }

    void put(int index, float[] result) {
      results[index] = result;
      if (--unanswered == 0) {
        done.complete(results);
      }
    }
  }

  /// A text of a pass.
  private record Row(Call call, int index) {
    int[] ids() {
      return call.texts.get(index);
    }
  }

  private final String name;
  private final EncoderOptions options;
  private final int copies;
  private final Object gate = new Object();
  private final Thread thread;

  @GuardedBy("gate")
  private final Deque<Call> calls = new ArrayDeque<>();

  @GuardedBy("gate")
  private boolean closing;

  /// Starts the thread and opens the model on it.
  ///
  /// @param name what messages call the whole
  /// @param copies rows of a pass for each text
  /// @throws IOException if the model cannot be opened
  @MustBeClosed
  Passes(String name, EncoderOptions options, int copies, Opening opening) throws IOException {
    this.name = name;
    this.options = options;
    this.copies = copies;
    CompletableFuture<Boolean> opened = new CompletableFuture<>();
    this.thread =
        Thread.ofPlatform().name("gatun-" + name).daemon().start(() -> run(opening, opened));
    Waiting.forResult(opened);
  }

  /// Returns what the model makes of texts, in their order; waits for it.
  ///
  /// @throws EngineException if too many calls wait, a pass fails, or this is closed
  float[][] run(List<int[]> texts) {
    if (texts.isEmpty()) {
      return new float[0][];
    }
    Call call = new Call(texts);
    synchronized (gate) {
      if (closing) {
        throw closed();
      }
      if (calls.size() >= options.queue()) {
        throw new EngineException(
            EngineException.Kind.BUSY,
            "queue: found %d calls that wait, expected fewer".formatted(calls.size()));
      }
      calls.add(call);
      gate.notifyAll();
    }
    try {
      return call.done.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof EngineException cause
          ? new EngineException(cause.kind(), String.valueOf(cause.getMessage()), cause)
          : e;
    }
  }

  private EngineException closed() {
    return new EngineException(EngineException.Kind.CLOSED, "the " + name + " is closed");
  }

  private void run(Opening opening, CompletableFuture<Boolean> opened) {
    Model model;
    try {
      int processors = Runtime.getRuntime().availableProcessors();
      Backend.setThreads(options.threads() == 0 ? processors : options.threads());
      model = opening.open();
    } catch (IOException | RuntimeException | Error e) {
      opened.completeExceptionally(e);
      return;
    }
    opened.complete(true);
    try (model) {
      for (List<Row> pass = next(); !pass.isEmpty(); pass = next()) {
        run(model, pass);
      }
    }
  }

  private void run(Model model, List<Row> pass) {
    try {
      List<float[]> results = model.run(pass.stream().map(Row::ids).toList());
      for (int i = 0; i < results.size(); i++) {
        Row row = pass.get(i);
        row.call.put(row.index, results.get(i));
      }
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.WARNING, "a pass of the {0} failed", name, e);
      EngineException failure =
          new EngineException(EngineException.Kind.FAILED, "pass: " + e.getMessage(), e);
      synchronized (gate) {
        for (Row row : pass) {
          calls.remove(row.call);
          row.call.done.completeExceptionally(failure);
        }
      }
    }
  }

  /// Waits for texts and returns those of the next pass; none when this is closed.
  private List<Row> next() {
    synchronized (gate) {
      while (calls.isEmpty() && !closing) {
        try {
          gate.wait();
        } catch (InterruptedException e) { // nobody has this thread to interrupt it
          LOG.log(System.Logger.Level.WARNING, "the thread of passes was interrupted", e);
        }
      }
      if (closing) {
        calls.forEach(call -> call.done.completeExceptionally(closed()));
        calls.clear();
        return List.of();
      }
      List<Row> pass = new ArrayList<>();
      long tokens = 0;
      while (!calls.isEmpty()) {
        Call call = calls.element();
        tokens += (long) call.nextLength() * copies;
        if (!pass.isEmpty() && tokens > options.passTokens()) {
          break;
        }
        calls.remove();
        pass.add(new Row(call, call.left.remove()));
        if (!call.left.isEmpty()) {
          calls.add(call); // behind the others
        }
      }
      return pass;
    }
  }

  /// Closes the model after the pass under way; calls that wait end in an [EngineException].
  @Override
  public void close() {
    synchronized (gate) {
      closing = true;
      gate.notifyAll();
    }
    Waiting.forEnd(thread);
  }
}
