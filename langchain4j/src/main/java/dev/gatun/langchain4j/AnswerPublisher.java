package dev.gatun.langchain4j;

import dev.gatun.langchain4j.Inference.Running;
import dev.langchain4j.model.chat.response.ChatModelStreamingEvent;
import dev.langchain4j.model.chat.response.CompleteResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Begins a request for each subscriber, and tells it no more than it has asked for.
///
/// @param request begins the request
record AnswerPublisher(Supplier<Running> request)
    implements Flow.Publisher<ChatModelStreamingEvent> {
  @Override
  public void subscribe(Flow.Subscriber<? super ChatModelStreamingEvent> subscriber) {
    Subscription subscription = new Subscription(subscriber);
    subscriber.onSubscribe(subscription);
    Thread.ofVirtual().name("gatun-answer").start(() -> subscription.tell(request));
  }

  private static final class Subscription implements Flow.Subscription {
    private static final System.Logger LOG = System.getLogger(AnswerPublisher.class.getName());

    private final Flow.Subscriber<? super ChatModelStreamingEvent> subscriber;
    private long demand;
    private boolean over;
    private @Nullable RuntimeException refused;
    private @Nullable Running running;

    Subscription(Flow.Subscriber<? super ChatModelStreamingEvent> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public synchronized void request(long count) {
      if (count < 1) {
        refused = new IllegalArgumentException("request: found " + count + ", expected at least 1");
      }
      demand = demand + count < 0 ? Long.MAX_VALUE : demand + count;
      notifyAll();
    }

    @Override
    public synchronized void cancel() {
      over = true;
      giveUp();
      notifyAll();
    }

    private synchronized void giveUp() {
      if (running != null) {
        running.generation().cancel();
      }
    }

    /// Waits until an event may be told.
    ///
    /// @return whether it may: false if the subscription was cancelled
    private synchronized boolean mayTell() throws InterruptedException {
      while (demand == 0 && !over && refused == null) {
        wait();
      }
      if (refused != null) {
        throw refused;
      }
      demand -= demand == Long.MAX_VALUE ? 0 : 1;
      return !over;
    }

    private synchronized boolean isOver() {
      return over;
    }

    private synchronized boolean begun(Running value) {
      running = value;
      return !over;
    }

    private synchronized boolean end() {
      boolean first = !over;
      over = true;
      return first;
    }

    void tell(Supplier<Running> request) {
      try {
        if (isOver()) {
          return;
        }
        Running value = request.get();
        if (begun(value)) {
          tell(new Answer(value));
        }
      } catch (InterruptedException e) {
        fail(Failures.interrupted(e));
      } catch (RuntimeException e) {
        fail(e);
      } finally {
        giveUp(); // does nothing once the answer has ended
      }
    }

    private void tell(Answer answer) throws InterruptedException {
      for (String piece = answer.next(); piece != null; piece = answer.next()) {
        if (!mayTell() || !told(new PartialResponse(piece))) {
          return;
        }
      }
      ChatModelStreamingEvent last = new CompleteResponse(answer.response());
      if (mayTell() && told(last) && end()) {
        subscriber.onComplete();
      }
    }

    /// Tells of an event; a subscriber that throws has cancelled (Reactive Streams, rule 2.13).
    private boolean told(ChatModelStreamingEvent event) {
      try {
        subscriber.onNext(event);
        return true;
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "a subscriber's onNext failed", e);
        cancel();
        return false;
      }
    }

    private void fail(RuntimeException failure) {
      if (end()) {
        subscriber.onError(failure);
      }
    }
  }
}
