package dev.gatun.cli;

import com.google.errorprone.annotations.MustBeClosed;
import java.io.Console;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/// A conversation with a person at a terminal: lines are edited, those before come back with the
/// arrow keys.
final class TerminalConsole implements ChatConsole {
  private static final String PROMPT = "> ";
  private static final String MORE = ". ";

  private final Terminal terminal;
  private final LineReader reader;
  private final boolean dims;
  private volatile Runnable interrupt = () -> {};

  private TerminalConsole(Terminal terminal) {
    this.terminal = terminal;
    this.dims = !terminal.getType().startsWith(Terminal.TYPE_DUMB);
    this.reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // a ! is a !
            .option(LineReader.Option.BRACKETED_PASTE, true)
            .build();
    terminal.handle(Terminal.Signal.INT, signal -> interrupt.run());
    if (!dims) { // a dumb terminal gets no signals from JLine
      Signals.register("INT", () -> interrupt.run());
    }
  }

  /// Returns whether standard input and output are a terminal.
  @SuppressWarnings("SystemConsoleNull") // it may be either, by the JDK and its settings
  static boolean isPossible() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  @MustBeClosed
  static TerminalConsole open() throws IOException {
    return new TerminalConsole(
        TerminalBuilder.builder().system(true).dumb(true).jni(false).nativeSignals(true).build());
  }

  @Override
  public @Nullable String read(boolean more) {
    while (true) {
      try {
        return reader.readLine(more ? MORE : PROMPT);
      } catch (UserInterruptException e) {
        note("Ctrl-D or /quit ends the conversation");
        more = false;
      } catch (EndOfFileException e) {
        return null;
      }
    }
  }

  @Override
  public void answer(String piece) {
    terminal.writer().print(piece);
    terminal.flush();
  }

  @Override
  public void endAnswer() {
    answer(System.lineSeparator());
  }

  @Override
  public void note(String line) {
    terminal.flush();
    System.err.println(dims ? "\u001b[2m" + line + "\u001b[0m" : line);
  }

  @Override
  public void onInterrupt(Runnable action) {
    interrupt = action;
  }

  @Override
  public void close() {
    try {
      terminal.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
