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
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Writes safetensors files, byte for byte as the reference library does, only that several
/// metadata keys are sorted: the same tensors give the same file in whatever order they come.
/// Thread-safe.
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
  public static void write(Path path, Collection<TensorEntry> tensors, Map<String, String> metadata)
      throws IOException {
    List<TensorEntry> sorted = sort(tensors);
    ByteBuffer header = header(sorted, metadata);
    AtomicFile.write(
        path,
        channel -> {
          writeFully(channel, header);
          for (TensorEntry tensor : sorted) {
            writeFully(channel, tensor.data());
          }
        });
  }

  private static List<TensorEntry> sort(Collection<TensorEntry> tensors) {
    Set<String> names = new HashSet<>();
    for (TensorEntry tensor : tensors) {
      String name = tensor.name();
      if (name.equals("__metadata__") || !names.add(name)) {
        throw new IllegalArgumentException(
            "tensor name '" + name + "': found it twice or reserved, expected distinct names");
      }
    }
    // By code point, which is the order of UTF-8 but not of UTF-16.
    return tensors.stream()
        .sorted(
            Comparator.comparingInt((TensorEntry t) -> rank(t.dtype()))
                .thenComparing(t -> t.name().codePoints().toArray(), Arrays::compare))
        .toList();
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

  private static ByteBuffer header(List<TensorEntry> sorted, Map<String, String> metadata) {
    StringBuilder json = new StringBuilder("{");
    if (!metadata.isEmpty()) {
      json.append("\"__metadata__\":{");
      new TreeMap<>(metadata)
          .forEach((key, value) -> {
            appendString(json, key).append(':');
            appendString(json, value).append(',');
          });
      json.setCharAt(json.length() - 1, '}');
      json.append(',');
    }
    long begin = 0;
    for (TensorEntry tensor : sorted) {
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
    ByteBuffer utf8 = utf8(json);
    int padded = Math.ceilDiv(utf8.remaining(), 8) * 8;
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

  private static ByteBuffer utf8(CharSequence text) {
    try {
      return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
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
