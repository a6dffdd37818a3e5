package dev.gatun.cli;

import java.io.Console;
import java.util.Locale;
import java.util.Optional;

/// Progress on standard error: one line that is rewritten on a terminal, plain lines now and then
/// elsewhere.
final class Progress {
  private static final int BAR = 24;
  private static final long PLAIN_EVERY_NANOS = 10_000_000_000L;
  private static final long TERMINAL_EVERY_NANOS = 100_000_000L;

  private final boolean terminal;
  private long last;
  private boolean open;

  Progress() {
    terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  /// Shows how far something is.
  ///
  /// @param label what it is
  /// @param done how much is done
  /// @param total how much there is
  /// @param details figures
  void show(String label, long done, long total, String details) {
    long now = System.nanoTime();
    boolean due = now - last >= (terminal ? TERMINAL_EVERY_NANOS : PLAIN_EVERY_NANOS);
    if (!due && done != total && last != 0) {
      return;
    }
    last = now;
    if (terminal) {
      int filled = (int) (BAR * done / Math.max(1, total));
      System.err.printf(
          Locale.ROOT,
          "\r\u001b[K%s %s%s %d/%d %s",
          label,
          "━".repeat(filled),
          "╌".repeat(BAR - filled),
          done,
          total,
          details);
      open = true;
      if (done == total) {
        end();
      }
    } else {
      System.err.printf(Locale.ROOT, "%s %d/%d %s%n", label, done, total, details);
    }
  }

  /// Prints a line that stays.
  void say(String line) {
    end();
    System.err.println(line);
  }

  private void end() {
    if (open) {
      System.err.println();
      open = false;
    }
  }

  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? "%d:%02d min".formatted(whole / 60, whole % 60)
            : "%d:%02d h".formatted(whole / 3600, whole % 3600 / 60);
  }

  static String bytes(long bytes) {
    return bytes < 10L << 20
        ? "%d kB".formatted(bytes >> 10)
        : bytes < 10L << 30
            ? "%d MB".formatted(bytes >> 20)
            : "%.1f GB".formatted(bytes / (double) (1L << 30));
  }
}
