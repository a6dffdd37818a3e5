package dev.gatun.runtime;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/// Replaces a file in one step: after a crash at any instant the old or the new content is there,
/// whole. Thread-safe; of two writers of one file the last to finish wins.
public final class AtomicFile {
  private static final boolean WINDOWS =
      System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

  private AtomicFile() {}

  /// What to write.
  @FunctionalInterface
  public interface Content {
    /// Writes the whole content.
    ///
    /// @param channel an empty file, opened for writing
    /// @throws IOException if the content cannot be produced or written
    void writeTo(FileChannel channel) throws IOException;
  }

  /// Writes a text in UTF-8, as [#write(Path, Content)] does.
  ///
  /// @param target the file to create or replace; its folder must exist
  /// @param text what to write
  /// @throws IOException if writing failed; `target` is then as it was
  public static void write(Path target, String text) throws IOException {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
    write(
        target,
        channel -> {
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        });
  }

  /// Writes to a new file in the folder of `target`, forces it to the disk, and renames it over
  /// `target`. A mapping of the old file stays valid and unchanged.
  ///
  /// @param target the file to create or replace; its folder must exist
  /// @param content what to write
  /// @throws IOException if writing failed; `target` is then as it was
  public static void write(Path target, Content content) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    Path name = absolute.getFileName();
    if (folder == null || name == null) {
      throw new IOException(target + ": is not a file name");
    }
    String unique = Long.toHexString(ThreadLocalRandom.current().nextLong());
    Path temporary = folder.resolve("." + name + "." + unique + ".tmp");
    boolean renamed = false;
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
      renamed = true;
    } finally {
      if (!renamed) {
        Files.deleteIfExists(temporary);
      }
    }
    // Windows opens no folder for reading, and needs no force for a rename to last.
    if (!WINDOWS) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
