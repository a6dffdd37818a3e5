package dev.gatun.runtime.safetensors;

import dev.gatun.runtime.AtomicFile;
import dev.gatun.runtime.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Writes safetensors files, byte for byte as the reference library does, only that several metadata
/// keys are sorted: the same tensors give the same file in whatever order they come. Thread-safe.
public final class SafetensorsWriter {
  /// The metadata that readers of PyTorch weights ask for.
  public static final Map<String, String> PYTORCH = Map.of("format", "pt");

  private static final int CHUNK = 8 << 20;

  private SafetensorsWriter() {}

  /// Writes the tensors and replaces the file in one step, see [AtomicFile]. The data goes from
  /// `tensors` to the file without a copy on the heap.
  ///
  /// @param path the file to create or replace; its folder must exist
  /// @param tensors distinct names; the data native or on a `byte[]`, unchanged during the call
  /// @param metadata written as `__metadata__` unless empty; usually [#PYTORCH]
  /// @throws IllegalArgumentException if a name comes twice, is `__metadata__` or no Unicode text
  /// @throws IOException if writing failed; the file is then as it was
  public static void write(
      Path path, Collection<TensorEntry> tensors, Map<String, String> metadata)
      throws IOException {
    List<Named> sorted = sort(tensors);
    ByteBuffer header = header(sorted, metadata);
    AtomicFile.write(
        path,
        channel -> {
          writeFully(channel, header);
          for (Named named : sorted) {
            writeFully(channel, named.tensor().data());
          }
        });
  }

  private record Named(TensorEntry tensor, byte[] utf8) {}

  private static List<Named> sort(Collection<TensorEntry> tensors) {
    Set<String> names = new HashSet<>();
    List<Named> sorted = new ArrayList<>(tensors.size());
    for (TensorEntry tensor : tensors) {
      String name = tensor.name();
      if (name.equals("__metadata__") || !names.add(name)) {
        throw new IllegalArgumentException(
            "tensor name '" + name + "': found it twice or reserved, expected distinct names");
      }
      sorted.add(new Named(tensor, utf8(name)));
    }
    sorted.sort(
        Comparator.comparingInt((Named n) -> rank(n.tensor().dtype()))
            .thenComparing(Named::utf8, Arrays::compareUnsigned));
    return sorted;
  }

  // The order of the reference writer: by falling size, and so by falling alignment.
  private static int rank(DType dtype) {
    return switch (dtype) {
      case I64 -> 0;
      case F64 -> 1;
      case F32 -> 2;
      case I32 -> 3;
      case BF16 -> 4;
      case F16 -> 5;
      case I16 -> 6;
      case I8 -> 7;
      case U8 -> 8;
      case BOOL -> 9;
    };
  }

  private static ByteBuffer header(List<Named> sorted, Map<String, String> metadata) {
    StringBuilder json = new StringBuilder("{");
    if (!metadata.isEmpty()) {
      json.append("\"__metadata__\":{");
      new TreeMap<>(metadata)
          .forEach(
              (key, value) -> {
                appendString(json, key).append(':');
                appendString(json, value).append(',');
              });
      json.setCharAt(json.length() - 1, '}');
      json.append(',');
    }
    long begin = 0;
    for (Named named : sorted) {
      TensorEntry tensor = named.tensor();
      long end = Math.addExact(begin, tensor.data().byteSize());
      appendString(json, tensor.name());
      json.append(":{\"dtype\":\"").append(tensor.dtype().safetensorsName());
      json.append("\",\"shape\":").append(tensor.shape().toString().replace(" ", ""));
      json.append(",\"data_offsets\":[").append(begin).append(',').append(end).append("]},");
      begin = end;
    }
    if (json.length() > 1) {
      json.setLength(json.length() - 1);
    }
    json.append('}');
    byte[] utf8 = utf8(json.toString());
    int padded = Math.ceilDiv(utf8.length, 8) * 8;
    if (padded > SafetensorsHeader.MAX_BYTES) {
      throw new IllegalArgumentException(
          "header: found %d bytes, expected at most %d"
              .formatted(padded, SafetensorsHeader.MAX_BYTES));
    }
    ByteBuffer header =
        ByteBuffer.allocate(Long.BYTES + padded)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(padded)
            .put(utf8);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }

  private static StringBuilder appendString(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\b' -> json.append("\\b");
        case '\f' -> json.append("\\f");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        default -> {
          if (c < ' ') {
            json.append(String.format("\\u%04x", (int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    return json.append('"');
  }

  private static byte[] utf8(String text) {
    try {
      ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      return Arrays.copyOf(bytes.array(), bytes.limit());
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "tensor name or metadata: found half a surrogate pair, expected Unicode text", e);
    }
  }

  private static void writeFully(FileChannel channel, MemorySegment data) throws IOException {
    for (long at = 0; at < data.byteSize(); at += CHUNK) {
      long size = Math.min(CHUNK, data.byteSize() - at);
      writeFully(channel, data.asSlice(at, size).asByteBuffer());
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
