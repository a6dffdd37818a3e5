package dev.gatun.runtime.internal.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/// Reads the tables of parameters in a compiled program, an ELF file: a section `.nv.info.NAME` for
/// each kernel, whose attributes 0x17 hold a parameter each.
final class Cubin {
  private static final int PARAMETER = 0x1704; // format 4 with a size, attribute 0x17

  private Cubin() {}

  /// Returns offset and size of each parameter of each kernel, in their order.
  static Map<String, int[][]> parameters(byte[] file) {
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    long sections = elf.getLong(0x28);
    int size = elf.getShort(0x3A);
    int count = elf.getShort(0x3C);
    int names = (int) elf.getLong((int) sections + elf.getShort(0x3E) * size + 0x18);
    Map<String, int[][]> all = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      int header = (int) sections + i * size;
      String name = string(file, names + elf.getInt(header));
      if (name.startsWith(".nv.info.")) {
        int from = (int) elf.getLong(header + 0x18);
        int to = from + (int) elf.getLong(header + 0x20);
        all.put(name.substring(".nv.info.".length()), table(elf, from, to));
      }
    }
    return all;
  }

  private static int[][] table(ByteBuffer elf, int from, int to) {
    Map<Integer, int[]> parameters = new TreeMap<>();
    for (int at = from; at < to; ) {
      int format = elf.get(at);
      int attribute = elf.get(at + 1);
      int length = format == 4 ? elf.getShort(at + 2) : 0;
      if ((attribute << 8 | format) == PARAMETER) {
        int ordinal = elf.getShort(at + 4 + 4);
        int offset = elf.getShort(at + 4 + 6);
        parameters.put(ordinal, new int[] {offset, elf.getInt(at + 4 + 8) >>> 18});
      }
      at += 4 + length;
    }
    return parameters.values().toArray(int[][]::new);
  }

  private static String string(byte[] file, int at) {
    int end = at;
    while (file[end] != 0) {
      end++;
    }
    return new String(file, at, end - at, StandardCharsets.US_ASCII);
  }
}
