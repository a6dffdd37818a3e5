package dev.gatun.server;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.DoubleAdder;

/// Counts of durations by size, as Prometheus has them. Thread-safe.
final class Histogram {
  private final double[] bounds;
  private final AtomicLongArray counts;
  private final DoubleAdder sum = new DoubleAdder();

  /// @param bounds upper bounds of the classes in seconds, ascending
  Histogram(double... bounds) {
    this.bounds = bounds.clone();
    this.counts = new AtomicLongArray(bounds.length + 1);
  }

  void add(double seconds) {
    int at = 0;
    while (at < bounds.length && seconds > bounds[at]) {
      at++;
    }
    counts.incrementAndGet(at);
    sum.add(seconds);
  }

  /// Writes the lines of a metric.
  void write(StringBuilder out, String name) {
    long total = 0;
    for (int i = 0; i <= bounds.length; i++) {
      total += counts.get(i);
      String bound = i < bounds.length ? String.valueOf(bounds[i]) : "+Inf";
      out.append(name).append("_bucket{le=\"").append(bound).append("\"} ").append(total);
      out.append('\n');
    }
    out.append(name).append("_sum ").append(sum.sum()).append('\n');
    out.append(name).append("_count ").append(total).append('\n');
  }
}
