package dev.gatun.runtime.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(LeakCheck.class)
class SafetensorsRoundTripTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyDtypeComesBack(DType dtype) throws IOException {
    byte[] bytes = new byte[2 * 3 * dtype.bytes()];
    new Random(1).nextBytes(bytes);
    if (dtype == DType.BOOL) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] &= 1;
      }
    }
    Path file = folder.resolve("x.safetensors");
    TensorEntry written = entry("w", dtype, List.of(2L, 3L), bytes);

    SafetensorsWriter.write(file, List.of(written), SafetensorsWriter.PYTORCH);

    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile read = SafetensorsFile.open(file, arena);
      TensorEntry tensor = read.tensor("w");
      assertThat(tensor.dtype()).isEqualTo(dtype);
      assertThat(tensor.sizes()).containsExactly(2, 3);
      assertThat(tensor.elements()).isEqualTo(6);
      assertThat(tensor.isAligned()).isTrue();
      assertThat(tensor.data().isReadOnly()).isTrue();
      assertThat(tensor.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes);
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt"));
    }
  }

  @Test
  void emptyTensorsScalarsAndNoTensorsAreValid() throws IOException {
    Path file = folder.resolve("x.safetensors");
    List<TensorEntry> tensors =
        List.of(
            entry("scalar", DType.F32, List.of(), new byte[4]),
            entry("empty", DType.F32, List.of(0L, 3L), new byte[0]),
            entry("empty too", DType.F32, List.of(5L, 0L), new byte[0]));
    SafetensorsWriter.write(file, tensors, Map.of());
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile read = SafetensorsFile.open(file, arena);
      assertThat(read.tensor("scalar").elements()).isEqualTo(1);
      assertThat(read.tensor("empty").shape()).containsExactly(0L, 3L);
      assertThat(read.metadata()).isEmpty();
    }
    SafetensorsWriter.write(file, List.of(), Map.of());
    try (Arena arena = Arena.ofConfined()) {
      assertThat(SafetensorsFile.open(file, arena).tensors()).isEmpty();
    }
  }

  @Test
  void rewritesTheReferenceFileByteForByte() throws IOException {
    byte[] reference;
    try (InputStream in =
        Objects.requireNonNull(
            SafetensorsRoundTripTest.class.getResourceAsStream(
                "/safetensors/reference.safetensors"))) {
      reference = in.readAllBytes();
    }
    Path file = folder.resolve("reference.safetensors");
    Path copy = folder.resolve("copy.safetensors");
    Files.write(file, reference);
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile read = SafetensorsFile.open(file, arena);
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt"));
      assertThat(read.tensor("matrix").data().toArray(ValueLayout.JAVA_FLOAT))
          .containsExactly(0f, 0.25f, 0.5f, 0.75f, 1f, 1.25f);
      assertThat(read.tensor("f64").data().toArray(ValueLayout.JAVA_DOUBLE))
          .containsExactly(0, 1, 2);
      assertThat(read.tensors()).containsKeys("control\n\t\u0001\u007f", "\ud83d\ude00");

      for (int seed = 0; seed < 5; seed++) {
        List<TensorEntry> shuffled = new ArrayList<>(read.tensors().values());
        Collections.shuffle(shuffled, new Random(seed));
        SafetensorsWriter.write(copy, shuffled, read.metadata());
        assertThat(Files.readAllBytes(copy)).isEqualTo(reference);
      }
    }
  }

  @Test
  void mapsMoreThanFourGibibytes() throws IOException {
    long big = 5L << 30;
    String header =
        "{\"big\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},".formatted(big, big)
            + "\"last\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[%d,%d]}}"
                .formatted(big, big + 4);
    Path file = folder.resolve("sparse.safetensors");
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(lengthPrefix(header.length()));
      out.write(header.getBytes(StandardCharsets.UTF_8));
      out.setLength(8 + header.length() + big + 4);
      out.seek(out.length() - 4);
      out.write(7);
    }
    try (Arena arena = Arena.ofShared()) {
      SafetensorsFile read = SafetensorsFile.open(file, arena);
      assertThat(read.tensor("big").elements()).isEqualTo(big);
      assertThat(read.tensor("big").data().get(ValueLayout.JAVA_BYTE, big - 1)).isZero();
      assertThat(read.tensor("last").data().get(ValueLayout.JAVA_INT_UNALIGNED, 0)).isEqualTo(7);
    }
  }

  @Test
  void aMisalignedTensorIsReadableAndCopiesAligned() throws IOException {
    Path file = folder.resolve("odd.safetensors");
    String header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    while (header.length() % 4 == 0) {
      header += " ";
    }
    ByteBuffer bytes = ByteBuffer.allocate(12 + header.length()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8)).putFloat(2.5f);
    Files.write(file, bytes.array());
    try (Arena arena = Arena.ofConfined()) {
      TensorEntry tensor = SafetensorsFile.open(file, arena).tensor("w");
      assertThat(tensor.isAligned()).isFalse();
      MemorySegment copy = tensor.aligned(arena);
      assertThat(copy.address() % 4).isZero();
      assertThat(copy.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(2.5f);
    }
  }

  @Test
  void closingTheArenaEndsTheViews() throws IOException {
    Path file = folder.resolve("x.safetensors");
    SafetensorsWriter.write(
        file, List.of(entry("w", DType.U8, List.of(1L), new byte[1])), Map.of());
    TensorEntry tensor;
    try (Arena arena = Arena.ofConfined()) {
      tensor = SafetensorsFile.open(file, arena).tensor("w");
    }
    assertThatThrownBy(() -> tensor.data().get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void readersSeeOneVersionWhileTheFileIsRewritten() throws Exception {
    Path file = folder.resolve("x.safetensors");
    byte[] content = new byte[64 << 10];
    SafetensorsWriter.write(
        file, List.of(entry("w", DType.U8, List.of((long) content.length), content)), Map.of());
    AtomicBoolean done = new AtomicBoolean();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    Thread reader =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!done.get()) {
                  assertOneVersion(file);
                }
              } catch (Throwable e) {
                failures.add(e);
              }
            });
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment first = SafetensorsFile.open(file, arena).tensor("w").data();
      for (int version = 1; version <= 50; version++) {
        Arrays.fill(content, (byte) version);
        SafetensorsWriter.write(
            file, List.of(entry("w", DType.U8, List.of((long) content.length), content)), Map.of());
      }
      assertThat(first.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    } finally {
      done.set(true);
      reader.join();
    }
    assertThat(failures).isEmpty();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  private static void assertOneVersion(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      byte[] read =
          SafetensorsFile.open(file, arena).tensor("w").data().toArray(ValueLayout.JAVA_BYTE);
      assertThat(read).containsOnly(read[0]);
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = folder.resolve("x.safetensors");
    TensorEntry good = entry("w", DType.U8, List.of(1L), new byte[1]);
    SafetensorsWriter.write(file, List.of(good), Map.of());
    byte[] before = Files.readAllBytes(file);
    TensorEntry bad =
        new TensorEntry(
            "w", DType.F32, List.of(1L), MemorySegment.ofArray(new float[1]).asReadOnly());
    assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(bad), Map.of()))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void refusesNamesThatCannotBeWritten() {
    Path file = folder.resolve("x.safetensors");
    for (List<String> names :
        List.of(List.of("a", "a"), List.of("__metadata__"), List.of("\ud800"))) {
      List<TensorEntry> tensors =
          names.stream().map(name -> entry(name, DType.U8, List.of(1L), new byte[1])).toList();
      assertThatThrownBy(() -> SafetensorsWriter.write(file, tensors, Map.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("name");
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void findsTheFirstValueThatIsNotFinite() {
    float[] values = {1f, Float.MAX_VALUE, Float.NEGATIVE_INFINITY, Float.NaN};
    ByteBuffer f32 = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer f64 = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer f16 = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer bf16 = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      f32.putFloat(value);
      f64.putDouble(value);
      f16.putShort(Float.floatToFloat16(value == Float.MAX_VALUE ? 65504f : value));
      bf16.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    Map.of(DType.F32, f32, DType.F64, f64, DType.F16, f16, DType.BF16, bf16)
        .forEach((dtype, bytes) ->
            assertThat(entry("w", dtype, List.of(4L), content(bytes)).firstNonFinite())
                .hasValue(2));
    assertThat(entry("w", DType.I8, List.of(1L), new byte[] {-1}).firstNonFinite()).isEmpty();
  }

  /// The last element of tensors that are read in several blocks.
  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "F16", "BF16"})
  void findsAValueThatIsNotFiniteAtTheEnd(DType dtype) {
    byte[] content = new byte[10_001 * dtype.bytes()];
    assertThat(entry("w", dtype, List.of(10_001L), content).firstNonFinite()).isEmpty();
    content[content.length - 1] = (byte) 0xff; // the sign and the upper bits of the exponent
    content[content.length - 2] = (byte) 0xf0;
    assertThat(entry("w", dtype, List.of(10_001L), content).firstNonFinite()).hasValue(10_000);
  }

  private static byte[] content(ByteBuffer bytes) {
    byte[] content = new byte[bytes.capacity()];
    bytes.get(0, content);
    return content;
  }

  static TensorEntry entry(String name, DType dtype, List<Long> shape, byte[] data) {
    return new TensorEntry(name, dtype, shape, MemorySegment.ofArray(data));
  }

  static byte[] lengthPrefix(long length) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
  }
}
