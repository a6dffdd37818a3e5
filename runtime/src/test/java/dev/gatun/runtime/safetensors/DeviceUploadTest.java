package dev.gatun.runtime.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.MemoryBudgetException;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.TestDevice;
import dev.gatun.runtime.op.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Tensors of files on a device, by the stream to a GPU or plainly, are those of the files.
@Tag("gpu")
@ExtendWith(LeakCheck.class)
class DeviceUploadTest {
  private static final long MEBIBYTE = 1L << 20;

  /// Tensors of all types and odd sizes, one larger than a slot of the ring, at odd addresses.
  private static List<TensorEntry> entries(Arena arena) {
    Random random = new Random(5);
    List<TensorEntry> entries = new ArrayList<>();
    List<List<Long>> shapes =
        List.of(
            List.of(),
            List.of(0L),
            List.of(3L, 5L),
            List.of(1L),
            List.of(257L, 2L),
            List.of(2L, 0L),
            List.of(3 * MEBIBYTE + 1),
            List.of(64L, 64L));
    for (DType dtype : List.of(DType.F32, DType.BF16, DType.F64, DType.U8, DType.I64, DType.BF16)) {
      for (List<Long> shape : shapes) {
        long count = shape.stream().reduce(1L, (a, b) -> a * b);
        long bytes = count * dtype.bytes();
        byte[] values = new byte[(int) bytes];
        random.nextBytes(values);
        if (dtype.isFloating()) { // no NaN, whose bits a conversion may change
          for (int i = dtype.bytes() - 1; i < bytes; i += dtype.bytes()) {
            values[i] &= (byte) 0xBF;
          }
        }
        MemorySegment data = arena.allocate(bytes + 1, 1).asSlice(1);
        MemorySegment.copy(values, 0, data, ValueLayout.JAVA_BYTE, 0, values.length);
        entries.add(new TensorEntry("t" + entries.size(), dtype, shape, data.asReadOnly()));
      }
    }
    return entries;
  }

  private static byte[] bytes(Scope host, Tensor tensor) {
    Tensor copy = host.empty(tensor.dtype(), tensor.shape());
    Layout.copyInPlace(copy, tensor);
    return copy.segment().toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void tensorsOfTheirOwnTypeAreBitEqualAndShareOneAllocation() {
    try (Arena arena = Arena.ofShared();
        Scope scope = TestDevice.openShared();
        Scope host = Scope.open()) {
      List<TensorEntry> entries = entries(arena);
      List<DType> types = entries.stream().map(TensorEntry::dtype).toList();
      long before = NativeMemory.liveBytes(TestDevice.DEVICE);
      List<Tensor> tensors;
      try (DeviceUpload upload = DeviceUpload.open(TestDevice.DEVICE)) {
        tensors = upload.upload(scope, entries, types);
      }
      long bytes = entries.stream().mapToLong(e -> (e.data().byteSize() + 255) / 256 * 256).sum();
      assertThat(NativeMemory.liveBytes(TestDevice.DEVICE) - before).isEqualTo(bytes);
      assertThat(scope.size()).isEqualTo(entries.size());
      for (int i = 0; i < entries.size(); i++) {
        Tensor tensor = tensors.get(i);
        assertThat(tensor.dtype()).isEqualTo(types.get(i));
        assertThat(tensor.shape()).isEqualTo(entries.get(i).sizes());
        assertThat(tensor.isContiguous()).isTrue();
        assertThat(bytes(host, tensor))
            .as(entries.get(i).toString())
            .isEqualTo(entries.get(i).data().toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Test
  void oneTensorKeepsTheMemoryOfAll() {
    try (Arena arena = Arena.ofShared();
        Scope kept = TestDevice.open();
        Scope host = Scope.open()) {
      List<TensorEntry> entries = entries(arena);
      Tensor one;
      try (Scope scope = TestDevice.openShared();
          DeviceUpload upload = DeviceUpload.open(TestDevice.DEVICE)) {
        List<Tensor> all =
            upload.upload(scope, entries, entries.stream().map(TensorEntry::dtype).toList());
        one = kept.keep(all.getLast());
      }
      kept.zeros(DType.F32, 8 * MEBIBYTE);
      assertThat(bytes(host, one))
          .isEqualTo(entries.getLast().data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void otherTypesAreConvertedThere() {
    try (Arena arena = Arena.ofShared();
        Scope scope = TestDevice.openShared();
        Scope host = Scope.open()) {
      List<TensorEntry> entries = entries(arena);
      List<DType> types =
          entries.stream().map(e -> e.dtype() == DType.F32 ? DType.BF16 : DType.F32).toList();
      List<Tensor> tensors;
      try (DeviceUpload upload = DeviceUpload.open(TestDevice.DEVICE)) {
        tensors = upload.upload(scope, entries, types);
      }
      for (int i = 0; i < entries.size(); i++) {
        TensorEntry entry = entries.get(i);
        Tensor expected =
            Layout.to(
                host,
                host.borrow(entry.aligned(arena), entry.dtype(), entry.sizes()),
                types.get(i));
        assertThat(bytes(host, tensors.get(i)))
            .as(entry.toString())
            .isEqualTo(bytes(host, expected));
      }
    }
  }

  @Test
  void aBudgetIsKeptAndTheUploadGoesOn() {
    try (Arena arena = Arena.ofShared();
        Scope scope = TestDevice.openShared();
        DeviceUpload upload = DeviceUpload.open(TestDevice.DEVICE)) {
      List<TensorEntry> entries = entries(arena);
      List<DType> types = entries.stream().map(TensorEntry::dtype).toList();
      NativeMemory.setBudget(
          TestDevice.DEVICE, NativeMemory.liveBytes(TestDevice.DEVICE) + MEBIBYTE);
      try {
        assertThatExceptionOfType(MemoryBudgetException.class)
            .isThrownBy(() -> upload.upload(scope, entries, types));
      } finally {
        NativeMemory.setBudget(TestDevice.DEVICE, Long.MAX_VALUE);
      }
      assertThat(scope.size()).isZero();
      assertThat(upload.upload(scope, entries, types)).hasSameSizeAs(entries);
    }
  }

  @Test
  void listsOfDifferentLengthAreRefused() {
    try (Scope scope = TestDevice.openShared();
        DeviceUpload upload = DeviceUpload.open(TestDevice.DEVICE)) {
      assertThat(upload.upload(scope, List.of(), List.of())).isEmpty();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> upload.upload(scope, List.of(), List.of(DType.F32)))
          .withMessage("upload: found 1 types, expected 0");
    }
  }
}
