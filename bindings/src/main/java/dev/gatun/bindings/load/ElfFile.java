package dev.gatun.bindings.load;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// Finds out whether a Linux library is whole. `dlopen` maps a file that was cut short without a
/// word, and the process then dies of SIGBUS.
final class ElfFile {
  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;

  private ElfFile() {}

  /// Checks the file's headers against its length.
  ///
  /// @throws IOException naming the file, its length and what its headers ask for
  static void check(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long length = channel.size();
      ByteBuffer header = length < HEADER ? ByteBuffer.allocate(4) : read(channel, 0, HEADER);
      if (header.getInt(0) != 0x464C457F || header.get(4) != 2) {
        throw new IOException(file + " is no 64-bit ELF library (" + length + " bytes)");
      }
      long sections = header.getLong(40);
      long end = sections + (long) header.getShort(58) * header.getShort(60);
      long programs = header.getLong(32);
      int count = header.getShort(56);
      if (length >= programs + (long) count * PROGRAM_HEADER) {
        ByteBuffer table = read(channel, programs, count * PROGRAM_HEADER);
        for (int i = 0; i < count; i++) {
          int at = i * PROGRAM_HEADER;
          end = Math.max(end, table.getLong(at + 8) + table.getLong(at + 32));
        }
      }
      if (length < end) {
        throw new IOException(
            file + " is cut short: it has " + length + " bytes, its headers ask for " + end);
      }
    }
  }

  private static ByteBuffer read(FileChannel channel, long from, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw new EOFException("end of file at " + (from + buffer.position()));
      }
    }
    return buffer.flip();
  }
}
