package dev.gatun.runtime.safetensors;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// A safetensors file, mapped and checked from end to end: header, names, types, shapes, and that
/// the tensors cover the data exactly once.
///
/// Immutable; its memory may be read by the threads that the arena allows. A file that is cut short
/// while it is mapped ends the JVM, so replace files by renaming ([dev.gatun.runtime.AtomicFile]).
///
/// @param path the file
/// @param tensors by name, in the order of their data
/// @param metadata the `__metadata__` strings, sorted by key
public record SafetensorsFile(
    Path path, Map<String, TensorEntry> tensors, Map<String, String> metadata) {
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// Takes unmodifiable views of the maps.
  public SafetensorsFile {
    tensors = Collections.unmodifiableMap(tensors);
    metadata = Collections.unmodifiableMap(metadata);
  }

  /// Maps a file read-only and checks it. Costs no memory but the header's; the bytes of `BOOL`
  /// tensors alone are read, to see that each is 0 or 1.
  ///
  /// @param path the file
  /// @param arena owner of the mapping
  /// @return the tensors as views of the mapping
  /// @throws MalformedFileException if the file breaks a rule of the format, or holds a tensor of
  ///   an unsupported dtype
  /// @throws IOException if the file cannot be read
  public static SafetensorsFile open(Path path, Arena arena) throws IOException {
    if (Files.isDirectory(path)) {
      throw new MalformedFileException(path, "file", "a folder", "a safetensors file");
    }
    MemorySegment file;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < Long.BYTES) {
        throw new MalformedFileException(path, "file", size + " bytes", "at least 8 bytes");
      }
      file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
    }
    long headerBytes = file.get(U64, 0);
    if (Long.compareUnsigned(headerBytes, SafetensorsHeader.MAX_BYTES) > 0) {
      throw new MalformedFileException(
          path,
          "header length",
          Long.toUnsignedString(headerBytes) + " bytes",
          "at most " + SafetensorsHeader.MAX_BYTES + " bytes");
    }
    long dataStart = Long.BYTES + headerBytes;
    long dataBytes = file.byteSize() - dataStart;
    if (dataBytes < 0) {
      throw new MalformedFileException(
          path,
          "header length",
          headerBytes + " bytes",
          "at most the " + (file.byteSize() - Long.BYTES) + " bytes that follow");
    }
    SafetensorsHeader header =
        SafetensorsHeader.parse(path, file.asSlice(Long.BYTES, headerBytes), dataBytes);
    Map<String, TensorEntry> tensors = LinkedHashMap.newLinkedHashMap(header.extents().size());
    for (SafetensorsHeader.Extent extent : header.extents()) {
      MemorySegment data = file.asSlice(dataStart + extent.begin(), extent.end() - extent.begin());
      if (extent.dtype() == DType.BOOL) {
        checkBooleans(path, extent.name(), data);
      }
      tensors.put(
          extent.name(), new TensorEntry(extent.name(), extent.dtype(), extent.shape(), data));
    }
    return new SafetensorsFile(path, tensors, header.metadata());
  }

  /// Returns a tensor that must be there.
  ///
  /// @param name its key
  /// @return the tensor
  /// @throws MalformedFileException if the file has none of this name
  public TensorEntry tensor(String name) throws MalformedFileException {
    TensorEntry tensor = tensors.get(name);
    if (tensor == null) {
      throw new MalformedFileException(
          path, "tensor '" + name + "'", "none of this name", "a tensor");
    }
    return tensor;
  }

  private static void checkBooleans(Path path, String name, MemorySegment data)
      throws MalformedFileException {
    long size = data.byteSize();
    long i = 0;
    while (i + Long.BYTES <= size && (data.get(U64, i) & 0xfefe_fefe_fefe_fefeL) == 0) {
      i += Long.BYTES;
    }
    for (; i < size; i++) {
      byte value = data.get(ValueLayout.JAVA_BYTE, i);
      if ((value & 0xfe) != 0) {
        throw new MalformedFileException(
            path, "tensor '" + name + "' element " + i, "byte 0x%02x".formatted(value), "0 or 1");
      }
    }
  }
}
