package dev.gatun.models.data;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.MalformedFileException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Reads a file of UTF-8 text line by line, and knows their numbers. Not thread-safe.
///
/// A line ends with `\n` or `\r\n`; a byte order mark is passed over.
public final class TextLines implements AutoCloseable {
  private final Path file;
  private final InputStream in;
  private int number;
  private boolean atEnd;

  /// Opens a file.
  ///
  /// @param file the file
  /// @throws NoSuchFileException if there is none
  /// @throws IOException if it cannot be read
  @MustBeClosed
  public TextLines(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString(), null, "no such data file");
    }
    this.file = file;
    this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
  }

  /// Returns the next line, without its end.
  ///
  /// @return a line, or null behind the last
  /// @throws MalformedFileException if it is not UTF-8
  /// @throws IOException if it cannot be read
  public @Nullable String next() throws IOException {
    if (atEnd) {
      return null;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int b = in.read();
    while (b >= 0 && b != '\n') {
      bytes.write(b);
      b = in.read();
    }
    atEnd = b < 0;
    if (atEnd && bytes.size() == 0) {
      return null;
    }
    number++;
    String line;
    try {
      ByteBuffer buffer = ByteBuffer.wrap(bytes.toByteArray());
      line = StandardCharsets.UTF_8.newDecoder().decode(buffer).toString();
    } catch (CharacterCodingException e) {
      throw new MalformedFileException(file, place(), "bytes that are not UTF-8", "UTF-8 text");
    }
    int from = number == 1 && line.startsWith("\ufeff") ? 1 : 0;
    int to = line.endsWith("\r") ? line.length() - 1 : line.length();
    return line.substring(from, Math.max(from, to));
  }

  /// {@return the number of the last line, from 1, as messages name it}
  public String place() {
    return "line " + number;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
