package dev.gatun.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.gatun.chat.LocalClassifier;

/// A classifier that may be taken out of service while it is asked: whoever asks is answered first.
/// Thread-safe.
final class SharedClassifier {
  private final LocalClassifier classifier;

  @GuardedBy("this")
  private int holders = 1; // whoever has it in service

  SharedClassifier(LocalClassifier classifier) {
    this.classifier = classifier;
  }

  /// Becomes a holder, who must call [#release].
  ///
  /// @return whether it is still in service
  synchronized boolean hold() {
    if (holders > 0) {
      holders++;
    }
    return holders > 0;
  }

  /// Returns the classifier, for a holder.
  LocalClassifier classifier() {
    return classifier;
  }

  /// Is no holder any more; the last one closes the classifier.
  void release() {
    boolean last;
    synchronized (this) {
      last = --holders == 0;
    }
    if (last) {
      classifier.close();
    }
  }
}
