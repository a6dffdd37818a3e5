package dev.gatun.runtime;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.gatun.runtime.DlPack.Struct;
import dev.gatun.runtime.internal.Deleter;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The struct's fields are written and read here by their offsets in `dlpack.h`, once more.
@ExtendWith(LeakCheck.class)
class DlPackTest {
  /// Where `DLTensor` begins in a struct, and where its deleter is.
  private static long tensorAt(Struct struct) {
    return struct == Struct.MANAGED ? 0 : 32;
  }

  private static long deleterAt(Struct struct) {
    return struct == Struct.MANAGED ? 56 : 16;
  }

  /// Another library: elements, a struct over them, and a count of the calls that end it.
  private static final class Producer implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Struct struct;
    private final MemorySegment elements = arena.allocate(256, 64);
    private final MemorySegment managed;
    private final MemorySegment tensor;
    private long expected;
    private volatile int deletions;

    Producer(Struct struct, long... shape) {
      this.struct = struct;
      managed = arena.allocate(80, 8);
      expected = managed.address();
      tensor = managed.asSlice(tensorAt(struct), 48);
      for (int i = 0; i < 64; i++) {
        elements.setAtIndex(JAVA_FLOAT, i, i);
      }
      tensor.set(ADDRESS, 0, elements);
      tensor.set(JAVA_INT, 8, 1);
      tensor.set(JAVA_INT, 16, shape.length);
      tensor.set(JAVA_BYTE, 20, (byte) 2);
      tensor.set(JAVA_BYTE, 21, (byte) 32);
      tensor.set(JAVA_SHORT, 22, (short) 1);
      tensor.set(ADDRESS, 24, arena.allocateFrom(JAVA_LONG, shape));
      if (struct == Struct.VERSIONED) {
        managed.set(JAVA_INT, 0, 1);
        managed.set(JAVA_INT, 4, 1);
      }
      managed.set(ADDRESS, deleterAt(struct), Deleter.of(this::deleted));
    }

    private void deleted(MemorySegment self) {
      deletions = deletions + (self.address() == expected ? 1 : 1000);
    }

    Producer strides(long... strides) {
      tensor.set(ADDRESS, 32, arena.allocateFrom(JAVA_LONG, strides));
      return this;
    }

    Tensor into(Scope scope) {
      return DlPack.from(scope, managed, struct);
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /// What a consumer does with one of our structs in the end.
  private static void delete(MemorySegment managed, Struct struct) {
    Deleter.call(managed.get(ADDRESS, deleterAt(struct)), managed);
  }

  @ParameterizedTest
  @EnumSource
  void aProducersElementsAreReadAndWrittenWhereTheyLie(Struct struct) {
    try (Producer producer = new Producer(struct, 2, 3)) {
      try (Scope scope = Scope.open()) {
        long bytes = NativeMemory.liveBytes();
        Tensor tensor = producer.into(scope);
        assertThat(NativeMemory.liveBytes()).isEqualTo(bytes);
        assertThat(tensor.toFloats()).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(tensor.shape()).containsExactly(2, 3);
        assertThat(tensor.dtype()).isEqualTo(DType.F32);
        assertThat(tensor.dataAddress()).isEqualTo(producer.elements.address());
        Layout.copyInPlace(tensor, scope.full(7, DType.F32, 2, 3));
        assertThat(producer.elements.getAtIndex(JAVA_FLOAT, 5)).isEqualTo(7);
        assertThat(producer.elements.getAtIndex(JAVA_FLOAT, 6)).isEqualTo(6);
        assertThat(producer.deletions).isZero();
      }
      assertThat(producer.deletions).isEqualTo(1);
    }
  }

  @Test
  void stridesAndAnOffsetCount() {
    try (Producer producer = new Producer(Struct.VERSIONED, 3, 2).strides(1, 10);
        Scope scope = Scope.open()) {
      producer.tensor.set(JAVA_LONG, 40, 8);
      Tensor tensor = producer.into(scope);
      assertThat(tensor.strides()).containsExactly(1, 10);
      assertThat(Layout.copy(scope, tensor).toFloats()).containsExactly(2, 12, 3, 13, 4, 14);
    }
  }

  /// Views, other scopes' handles and the tape all keep the producer's memory.
  @Test
  void theProducerIsToldWhenTheLastTensorHasGone() {
    try (Producer producer = new Producer(Struct.MANAGED, 4);
        Scope outer = Scope.open()) {
      Tensor kept;
      try (Scope scope = Scope.open()) {
        Tensor tensor = producer.into(scope);
        Tensor view = Layout.narrow(scope, tensor, 0, 2, 2);
        scope.free(tensor);
        kept = outer.keep(view);
      }
      assertThat(producer.deletions).isZero();
      assertThat(Layout.copy(outer, kept).toFloats()).containsExactly(2, 3);
      outer.free(kept);
      assertThat(producer.deletions).isEqualTo(1);
    }
  }

  @Test
  void whatAProducerForbidsToWriteIsNotWritten() {
    try (Producer producer = new Producer(Struct.VERSIONED, 4);
        Scope scope = Scope.open()) {
      producer.managed.set(JAVA_LONG, 24, 1);
      Tensor tensor = producer.into(scope);
      assertThat(tensor.isReadOnly()).isTrue();
      assertThat(tensor.segment().isReadOnly()).isTrue();
      assertThatIllegalStateException()
          .isThrownBy(() -> Layout.copyInPlace(tensor, tensor))
          .withMessageContaining("read-only");
      assertThat(Elementwise.add(scope, tensor, tensor).toFloats()).containsExactly(0, 2, 4, 6);
      assertThatIllegalStateException()
          .isThrownBy(() -> DlPack.to(tensor, Struct.MANAGED))
          .withMessageContaining("is read-only, which only the versioned struct says");
      MemorySegment again = DlPack.to(tensor, Struct.VERSIONED);
      assertThat(again.get(JAVA_LONG, 24)).isEqualTo(1);
      scope.free(tensor);
      assertThat(producer.deletions).isZero();
      delete(again, Struct.VERSIONED);
      assertThat(producer.deletions).isEqualTo(1);
    }
  }

  @Test
  void aStructThatDoesNotFitIsRefusedAndStaysTheCallers() {
    try (Producer producer = new Producer(Struct.VERSIONED, 2, 3);
        Scope scope = Scope.open()) {
      MemorySegment tensor = producer.tensor;
      tensor.set(JAVA_SHORT, 22, (short) 2);
      assertThatExceptionOfType(DTypeException.class)
          .isThrownBy(() -> producer.into(scope))
          .withMessageContaining("type code 2 of 32 bits and 2 lanes");
      tensor.set(JAVA_SHORT, 22, (short) 1);
      tensor.set(JAVA_BYTE, 20, (byte) 5); // complex
      assertThatExceptionOfType(DTypeException.class).isThrownBy(() -> producer.into(scope));
      tensor.set(JAVA_BYTE, 20, (byte) 2);
      tensor.set(JAVA_INT, 8, 10); // ROCm
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> producer.into(scope))
          .withMessageContaining("DLPack's device type 10");
      tensor.set(JAVA_INT, 8, 2);
      tensor.set(JAVA_INT, 12, 5);
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> producer.into(scope))
          .withMessage("dlpack: found elements on cuda:5, expected cpu as the scope");
      tensor.set(JAVA_INT, 8, 1);
      tensor.set(JAVA_INT, 16, -1);
      assertThatExceptionOfType(ShapeException.class)
          .isThrownBy(() -> producer.into(scope))
          .withMessageContaining("found -1 dimensions");
      tensor.set(JAVA_INT, 16, 57);
      assertThatExceptionOfType(ShapeException.class).isThrownBy(() -> producer.into(scope));
      tensor.set(JAVA_INT, 16, 2);
      tensor.set(JAVA_LONG, 40, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> producer.into(scope))
          .withMessageContaining("expected an address for F32");
      tensor.set(JAVA_LONG, 40, 0);
      for (long[] strides : new long[][] {{3, -1}, {1L << 62, 1}, {Long.MAX_VALUE, 1}}) {
        producer.strides(strides);
        assertThatExceptionOfType(ShapeException.class)
            .isThrownBy(() -> producer.into(scope))
            .withMessageContaining("strides " + Shapes.text(strides) + " of (2, 3)");
      }
      tensor.set(ADDRESS, 32, MemorySegment.NULL);
      producer.managed.set(JAVA_INT, 0, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> producer.into(scope))
          .withMessage("dlpack: found version 2, expected 1");
      producer.managed.set(JAVA_INT, 0, 1);
      tensor.set(ADDRESS, 0, MemorySegment.NULL);
      assertThatIllegalArgumentException().isThrownBy(() -> producer.into(scope));
      tensor.set(ADDRESS, 0, producer.elements);
      tensor.set(ADDRESS, 24, MemorySegment.NULL);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> producer.into(scope))
          .withMessageContaining("found no sizes, expected 2");
      Arena ended = Arena.ofConfined();
      MemorySegment gone = ended.allocate(80, 8);
      ended.close();
      MemorySegment heap = MemorySegment.ofArray(new long[12]).asSlice(8);
      for (MemorySegment wrong : List.of(MemorySegment.NULL, heap, gone)) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> DlPack.from(scope, wrong, Struct.MANAGED))
            .withMessageContaining("expected a MANAGED in native memory");
      }
      assertThat(scope.size()).isZero();
      assertThat(producer.deletions).isZero();
    }
  }

  @Test
  void aProducerWithoutElementsOrADeleterIsTaken() {
    try (Producer producer = new Producer(Struct.MANAGED, 0, 3);
        Scope scope = Scope.open()) {
      producer.tensor.set(ADDRESS, 0, MemorySegment.NULL);
      producer.managed.set(ADDRESS, 56, MemorySegment.NULL);
      assertThat(producer.into(scope).shape()).containsExactly(0, 3);
      producer.tensor.set(JAVA_INT, 16, 0);
      producer.tensor.set(ADDRESS, 24, MemorySegment.NULL);
      producer.tensor.set(ADDRESS, 0, producer.elements);
      assertThat(producer.into(scope).item()).isZero();
    }
  }

  @Test
  void anEndedScopeTakesNothing() {
    try (Producer producer = new Producer(Struct.MANAGED, 4)) {
      Scope confined = Scope.open();
      confined.scratch();
      Scope child = confined.child();
      child.close();
      assertThatIllegalStateException().isThrownBy(() -> producer.into(child));
      confined.close();
      assertThatIllegalStateException().isThrownBy(() -> producer.into(confined));
      Scope shared = Scope.openShared();
      shared.close();
      assertThatIllegalStateException().isThrownBy(() -> producer.into(shared));
      assertThat(producer.deletions).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTypeGoesThereAndBack(DType dtype) {
    try (Scope scope = TestDevice.open()) {
      Tensor tensor = Layout.transpose(scope, scope.full(1, dtype, 2, 3), 0, 1);
      for (Struct struct : Struct.values()) {
        MemorySegment managed = DlPack.to(tensor, struct);
        Tensor back = DlPack.from(scope, managed, struct);
        assertThat(back.dtype()).isEqualTo(dtype);
        assertThat(back.shape()).containsExactly(3, 2);
        assertThat(back.strides()).containsExactly(1, 3);
        assertThat(back.dataAddress()).isEqualTo(tensor.dataAddress());
        assertThat(back.isReadOnly()).isFalse();
      }
    }
  }

  /// What `dlpack.h` says of each type.
  @ParameterizedTest
  @CsvSource({
    "F32,2,32",
    "F64,2,64",
    "BF16,4,16",
    "F16,2,16",
    "I64,0,64",
    "I32,0,32",
    "I16,0,16",
    "I8,0,8",
    "U8,1,8",
    "BOOL,6,8"
  })
  void theStructSaysWhatTheTensorIs(DType dtype, int code, int bits) {
    try (Scope scope = Scope.open()) {
      Tensor all = scope.full(1, dtype, 2, 3);
      Tensor tensor = Layout.narrow(scope, Layout.transpose(scope, all, 0, 1), 0, 1, 2);
      for (Struct struct : Struct.values()) {
        MemorySegment managed = DlPack.to(tensor, struct);
        MemorySegment inner = managed.asSlice(tensorAt(struct), 48);
        assertThat(inner.get(ADDRESS, 0).address() + inner.get(JAVA_LONG, 40))
            .isEqualTo(all.dataAddress() + dtype.bytes());
        assertThat(inner.get(JAVA_INT, 8)).isEqualTo(1);
        assertThat(inner.get(JAVA_INT, 12)).isZero();
        assertThat(inner.get(JAVA_INT, 16)).isEqualTo(2);
        assertThat(inner.get(JAVA_BYTE, 20)).isEqualTo((byte) code);
        assertThat(inner.get(JAVA_BYTE, 21)).isEqualTo((byte) bits);
        assertThat(inner.get(JAVA_SHORT, 22)).isEqualTo((short) 1);
        assertThat(sizes(inner, 24)).containsExactly(2, 2);
        assertThat(sizes(inner, 32)).containsExactly(1, 3);
        if (struct == Struct.VERSIONED) {
          assertThat(managed.get(JAVA_INT, 0)).isEqualTo(1);
          assertThat(managed.get(JAVA_LONG, 24)).isZero();
        }
        delete(managed, struct);
      }
    }
  }

  @SuppressWarnings("restricted")
  private static long[] sizes(MemorySegment tensor, long field) {
    return tensor.get(ADDRESS, field).reinterpret(16).toArray(JAVA_LONG);
  }

  /// The producer's segment is of one thread, the last consumer lives on another.
  @Test
  void anImportIsEndedOnAnyThread() throws InterruptedException {
    try (Producer producer = new Producer(Struct.MANAGED, 4);
        Arena confined = Arena.ofConfined()) {
      MemorySegment again;
      try (Scope scope = Scope.open()) {
        MemorySegment copy = confined.allocate(64, 8).copyFrom(producer.managed.asSlice(0, 64));
        producer.expected = copy.address();
        again = DlPack.to(DlPack.from(scope, copy, Struct.MANAGED), Struct.MANAGED);
      }
      assertThat(producer.deletions).isZero();
      Thread consumer = new Thread(() -> delete(again, Struct.MANAGED));
      consumer.start();
      consumer.join();
      assertThat(producer.deletions).isEqualTo(1);
    }
  }

  /// A consumer, which knows nothing of scopes, has its elements as long as it wants.
  @Test
  @SuppressWarnings("restricted")
  void whatIsSharedOutlivesItsScope() {
    long tensors = NativeMemory.liveTensors();
    MemorySegment managed;
    try (Scope scope = Scope.open()) {
      managed = DlPack.to(scope.of(new float[] {1, 2, 3}, 3), Struct.MANAGED);
    }
    assertThat(NativeMemory.liveTensors()).isEqualTo(tensors + 1);
    MemorySegment elements = managed.get(ADDRESS, 0).reinterpret(12);
    assertThat(elements.toArray(JAVA_FLOAT)).containsExactly(1, 2, 3);
    assertThat(managed.get(JAVA_INT, 8)).isEqualTo(1);
    assertThat(managed.get(JAVA_INT, 16)).isEqualTo(1);
    assertThat(managed.get(ADDRESS, 24).reinterpret(8).get(JAVA_LONG, 0)).isEqualTo(3);
    MemorySegment deleter = managed.get(ADDRESS, 56);
    Deleter.call(deleter, managed);
    assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
    Deleter.call(deleter, managed); // a consumer's fault, which must not end the process
    assertThat(NativeMemory.liveTensors()).isEqualTo(tensors);
  }

  @Test
  void borrowedMemoryIsNotShared() {
    try (Arena arena = Arena.ofConfined();
        Scope scope = Scope.open()) {
      Tensor borrowed = scope.borrow(arena.allocate(16, 4), DType.F32, 4);
      Tensor view = Layout.narrow(scope, borrowed, 0, 1, 2);
      for (Tensor each : new Tensor[] {borrowed, view}) {
        assertThatIllegalStateException()
            .isThrownBy(() -> DlPack.to(each, Struct.VERSIONED))
            .withMessageContaining("lies in borrowed memory; copy it first");
      }
    }
  }
}
