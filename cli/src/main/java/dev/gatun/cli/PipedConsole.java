package dev.gatun.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// A conversation with a program: lines of UTF-8 in, answers out, notes on standard error.
final class PipedConsole implements ChatConsole {
  private final BufferedReader lines;
  private final boolean quiet;

  /// @param quiet whether answers are not written
  PipedConsole(InputStream in, boolean quiet) {
    this.lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    this.quiet = quiet;
  }

  @Override
  public @Nullable String read(boolean more) {
    try {
      return lines.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void answer(String piece) {
    if (!quiet) {
      System.out.print(piece);
      System.out.flush();
    }
  }

  @Override
  public void endAnswer() {
    answer(System.lineSeparator());
  }

  @Override
  public void note(String line) {
    System.err.println(line);
  }

  @Override
  public void onInterrupt(Runnable action) {} // an interrupt ends the program

  @Override
  public void close() {}
}
