package dev.gatun.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.safetensors.SafetensorsDirectory;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What it costs to get at the weights in a safetensors file: 100 tensors, f32 `(160, 1000)`, 64 MB
/// in all. The file is sparse, so nothing waits for a disk.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class SafetensorsBench extends NativeBench {
  private static final int TENSORS = 100;
  private static final long ROWS = 160;
  private static final long COLUMNS = 1000;
  private static final String LAST = "layer." + (TENSORS - 1) + ".weight";

  private Path directory;
  private Path path;
  private Scope scope;
  private SafetensorsFile file;

  /// Writes the file and opens it.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() throws IOException {
    directory = Files.createTempDirectory("gatun-bench");
    path = directory.resolve("model.safetensors");
    byte[] header = header().getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.writeLong(Long.reverseBytes(header.length));
      sparse.write(header);
      sparse.setLength(sparse.getFilePointer() + TENSORS * ROWS * COLUMNS * Float.BYTES);
    }
    scope = Scope.open();
    file = SafetensorsFile.open(path, scope.arena());
  }

  private static String header() {
    long bytes = ROWS * COLUMNS * Float.BYTES;
    return IntStream.range(0, TENSORS)
        .mapToObj(i ->
            "\"layer.%d.weight\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}"
                .formatted(i, ROWS, COLUMNS, i * bytes, (i + 1) * bytes))
        .collect(Collectors.joining(",", "{", "}"));
  }

  /// Closes the file and deletes it.
  @TearDown
  public void close() throws IOException {
    scope.close();
    Files.delete(path);
    Files.delete(directory);
  }

  /// Maps the file, reads a byte of each end and unmaps it, for scale.
  @Benchmark
  public int map() throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return bytes.get(JAVA_BYTE, 0) + bytes.get(JAVA_BYTE, bytes.byteSize() - 1);
    }
  }

  /// Opens the file with all checks of its header, views the last tensor, reads one of its elements
  /// and closes everything.
  @Benchmark
  public float openFile() throws IOException {
    try (Scope own = Scope.open()) {
      return element(own, SafetensorsFile.open(path, own.arena()).tensor(LAST));
    }
  }

  /// Does so by the model directory, in a scope for use from any thread, as models are opened.
  @Benchmark
  public float openDirectory() throws IOException {
    try (Scope own = Scope.openShared()) {
      SafetensorsDirectory opened = SafetensorsDirectory.open(directory, own.arena());
      return element(own, Objects.requireNonNull(opened.tensors().get(LAST)));
    }
  }

  /// Views a tensor of the open file and frees the view.
  @Benchmark
  public void view() throws IOException {
    TensorEntry entry = file.tensor(LAST);
    scope.free(scope.borrow(entry.data(), entry.dtype(), entry.sizes()));
  }

  private static float element(Scope scope, TensorEntry entry) {
    return scope.borrow(entry.data(), entry.dtype(), entry.sizes()).segment().get(JAVA_FLOAT, 0);
  }
}
