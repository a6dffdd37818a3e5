package dev.gatun.models.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A request under way. Closing it cancels what has not ended; it takes effect before the next
/// token. Thread-safe, for one reader.
public final class Generation implements AutoCloseable {
  /// A choice as a whole.
  ///
  /// @param text its text
  /// @param tokens its tokens, without a stop id
  /// @param reason why it ended
  public record Choice(String text, List<GenerationEvent.Token> tokens, FinishReason reason) {
    /// {@return the tokens' ids}
    public int[] ids() {
      return tokens.stream().mapToInt(GenerationEvent.Token::id).toArray();
    }
  }

  /// A request's result as a whole.
  ///
  /// @param choices by their numbers
  /// @param usage what it took
  public record Result(List<Choice> choices, Usage usage) {}

  private record Failure(EngineException cause) {}

  private final int choices;
  private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
  private volatile boolean cancelled;
  private volatile boolean over;
  private final Runnable wake;
  private final Runnable whenOver;

  /// @param wake tells the engine that there is something to do
  /// @param whenOver runs once, when the last event has been added
  Generation(int choices, Runnable wake, Runnable whenOver) {
    this.choices = choices;
    this.wake = wake;
    this.whenOver = whenOver;
  }

  /// Waits for the next event.
  ///
  /// @return the event; nothing comes after [GenerationEvent.Ended]
  /// @throws InterruptedException if the thread is interrupted
  /// @throws EngineException if the request failed
  public GenerationEvent take() throws InterruptedException {
    return event(events.take());
  }

  /// Waits for the next event, but not for ever.
  ///
  /// @param milliseconds how long
  /// @return the event, or null if none came in time
  /// @throws InterruptedException if the thread is interrupted
  /// @throws EngineException if the request failed
  public @Nullable GenerationEvent poll(long milliseconds) throws InterruptedException {
    Object next = events.poll(milliseconds, TimeUnit.MILLISECONDS);
    return next == null ? null : event(next);
  }

  private GenerationEvent event(Object next) {
    if (next instanceof Failure failure) {
      events.add(failure); // for whoever asks again
      throw failure.cause;
    }
    return (GenerationEvent) next;
  }

  /// Waits for the end.
  ///
  /// @return all of it, if no event was taken before
  /// @throws InterruptedException if the thread is interrupted
  /// @throws EngineException if the request failed
  public Result await() throws InterruptedException {
    List<StringBuilder> texts = new ArrayList<>();
    List<List<GenerationEvent.Token>> tokens = new ArrayList<>();
    FinishReason[] reasons = new FinishReason[choices];
    for (int i = 0; i < choices; i++) {
      texts.add(new StringBuilder());
      tokens.add(new ArrayList<>());
    }
    while (true) {
      switch (take()) {
        case GenerationEvent.Text text -> {
          texts.get(text.choice()).append(text.text());
          tokens.get(text.choice()).addAll(text.tokens());
        }
        case GenerationEvent.ChoiceEnded ended -> reasons[ended.choice()] = ended.reason();
        case GenerationEvent.Ended ended -> {
          List<Choice> all = new ArrayList<>();
          for (int i = 0; i < choices; i++) {
            all.add(new Choice(texts.get(i).toString(), tokens.get(i), reasons[i]));
          }
          return new Result(all, ended.usage());
        }
      }
    }
  }

  /// Gives the request up; its choices end as [FinishReason#CANCELLED].
  public void cancel() {
    if (!over) {
      cancelled = true;
      wake.run();
    }
  }

  /// {@return whether it was given up before it ended}
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void close() {
    cancel();
  }

  void add(GenerationEvent event) {
    events.add(event);
    if (event instanceof GenerationEvent.Ended) {
      over = true;
      whenOver.run();
    }
  }

  void fail(EngineException cause) {
    events.add(new Failure(cause));
    over = true;
    whenOver.run();
  }

  boolean isOver() {
    return over;
  }
}
