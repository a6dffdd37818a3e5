package dev.gatun.langchain4j;

import dev.gatun.langchain4j.Inference.Running;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Tells a handler of one answer, on one thread, until it is given up.
///
/// What a handler throws goes to its own `onError`, and the answer goes on: so LangChain4j has it.
final class Telling implements StreamingHandle {
  private static final System.Logger LOG = System.getLogger(Telling.class.getName());

  private final StreamingChatResponseHandler handler;
  private volatile boolean cancelled;
  private volatile @Nullable Running running;

  Telling(StreamingChatResponseHandler handler) {
    this.handler = handler;
  }

  void tell(Supplier<Running> request) {
    try {
      Running begun = request.get();
      running = begun;
      Answer answer = new Answer(begun);
      PartialResponseContext context = new PartialResponseContext(this);
      for (String piece = answer.next(); piece != null; piece = answer.next()) {
        String text = piece;
        call(() -> handler.onPartialResponse(new PartialResponse(text), context));
        if (cancelled) {
          return;
        }
      }
      ChatResponse response = answer.response();
      call(() -> handler.onCompleteResponse(response));
    } catch (InterruptedException e) {
      fail(Failures.interrupted(e));
    } catch (RuntimeException e) {
      fail(e);
    } finally {
      giveUp(); // does nothing once the answer has ended
    }
  }

  private void call(Runnable callback) {
    try {
      callback.run();
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void fail(RuntimeException failure) {
    if (cancelled) {
      return;
    }
    try {
      handler.onError(failure);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "a handler's onError failed", e);
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
    giveUp();
  }

  private void giveUp() {
    Running begun = running;
    if (begun != null) {
      begun.generation().cancel();
    }
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }
}
