package dev.gatun.bindings.load;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// Finds out whether a Linux library is whole and for this processor. `dlopen` maps a file that was
/// cut short without a word, and the process then dies of SIGBUS; of one for another processor it
/// says that there is no such file.
final class ElfFile {
  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int X86_64 = 62;
  private static final int AARCH64 = 183;

  private ElfFile() {}

  /// Checks the file's headers against its length and the processor.
  ///
  /// @throws IOException naming the file, its length and what its headers ask for
  static void check(Path file, String arch) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long length = channel.size();
      ByteBuffer header = length < HEADER ? ByteBuffer.allocate(4) : read(channel, 0, HEADER);
      if (header.getInt(0) != 0x464C457F || header.get(4) != 2) {
        throw new IOException(file + " is no 64-bit ELF library (" + length + " bytes)");
      }
      int machine = header.getShort(18);
      int expected = arch.equals("arm64") ? AARCH64 : arch.equals("x86_64") ? X86_64 : machine;
      if (machine != expected) {
        throw new IOException(
            "%s is for another processor: found ELF machine %d, expected %d (%s)"
                .formatted(file, machine, expected, arch));
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
