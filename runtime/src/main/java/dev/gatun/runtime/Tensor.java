package dev.gatun.runtime;

import dev.gatun.runtime.internal.Shim;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A dense array in native memory, of the host or of a GPU, owned by a [Scope].
///
/// Operations on it are static functions in `dev.gatun.runtime.op`. Accessors allocate nothing
/// native. Use after the scope's end throws [IllegalStateException]. Not thread-safe for writing;
/// reading a tensor of a shared scope from several threads is safe.
public final class Tensor {
  final Scope scope;
  int slot;

  private final Storage storage;
  private final long address;
  private @Nullable MemorySegment handle;
  private long @Nullable [] shape;
  private long @Nullable [] strides;
  private @Nullable DType dtype;
  private @Nullable Boolean rowMajor;
  private long data;

  Tape.@Nullable Node node;
  int output;

  Tensor(Scope scope, MemorySegment handle, Storage storage) {
    this.scope = scope;
    this.handle = handle;
    this.address = handle.address();
    this.storage = storage;
  }

  Storage storage() {
    return storage;
  }

  /// Takes over what is known of the tensor; the rest is asked for when it is needed.
  void describe(@Nullable DType type, long @Nullable [] sizes, long @Nullable [] steps) {
    dtype = type;
    shape = sizes;
    strides = steps;
  }

  /// Notes that the elements lie row-major without gaps.
  Tensor rowMajor() {
    rowMajor = true;
    return this;
  }

  /// Takes over the gradient history of another tensor and what is known of it.
  Tensor like(Tensor other) {
    describe(other.dtype, other.shape, other.strides);
    rowMajor = other.rowMajor;
    data = other.data;
    node = other.node;
    output = other.output;
    return this;
  }

  Tensor detached() {
    node = null;
    return this;
  }

  /// Refuses the use from a thread that the scope is not open to. Native calls see to it
  /// themselves.
  ///
  /// @throws WrongThreadException if the scope is confined to another thread
  /// @throws IllegalStateException if the tensor was freed or its scope has ended
  void checkThread() {
    if (!live().isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException("the tensor's scope is confined to another thread");
    }
  }

  /// Ends this object's use and returns the raw handle, which nothing protects any more; the caller
  /// releases the storage, too.
  MemorySegment end() {
    live();
    handle = null;
    node = null;
    return MemorySegment.ofAddress(address);
  }

  /// {@return the libtorch handle (`AtenTensorHandle`), valid while the scope is open}
  ///
  /// @throws IllegalStateException if the scope has ended, the tensor was freed, or the borrowed
  ///   memory under it has ended
  public MemorySegment handle() {
    MemorySegment live = live();
    MemorySegment source = storage.source;
    if (source != null && !source.scope().isAlive()) {
      throw new IllegalStateException("Already closed: the arena of the borrowed memory has ended");
    }
    return live;
  }

  private MemorySegment live() {
    MemorySegment live = handle;
    if (live == null) {
      throw new IllegalStateException(
          "Already closed: the tensor was freed or its scope has ended");
    }
    return live;
  }

  /// {@return the address of the libtorch handle, for arguments that travel inside a block of
  /// memory}
  ///
  /// @throws IllegalStateException as [#handle]
  public long handleAddress() {
    MemorySegment live = handle();
    if (!live.scope().isAlive()) {
      throw new IllegalStateException("Already closed: the tensor's scope has ended");
    }
    return address;
  }

  /// Keeps the tensor's scope from being closed until [#release], for a native call that finds the
  /// handle inside a block of memory, where nothing else protects it.
  ///
  /// @throws WrongThreadException if the scope is confined to another thread
  /// @throws IllegalStateException as [#handle]
  public void acquire() {
    handle();
    checkThread();
    scope.acquire();
  }

  /// Undoes one [#acquire].
  public void release() {
    scope.release();
  }

  /// {@return the handle for an operation that writes to this tensor, and counts the write}
  ///
  /// @param op name for the error
  /// @throws IllegalStateException if the memory is read-only, or as [#handle]
  public MemorySegment handleForWriting(String op) {
    if (storage.readOnly) {
      throw new IllegalStateException(op + ": the tensor " + this + " is read-only; copy it first");
    }
    MemorySegment live = handle();
    storage.written();
    return live;
  }

  /// {@return how often the memory under this tensor was written to by operations; views count with
  /// it}
  ///
  /// Equal numbers mean equal elements, for what is worked out from them once and kept.
  public int version() {
    return storage.version();
  }

  /// {@return whether the memory under this tensor may not be written}
  public boolean isReadOnly() {
    return storage.readOnly;
  }

  long[] sizes() {
    MemorySegment live = live();
    long[] known = shape;
    if (known == null) {
      known = Shim.sizes(scope, live);
      shape = known;
    }
    return known;
  }

  /// {@return the sizes} The array is a copy.
  public long[] shape() {
    return sizes().clone();
  }

  /// {@return the number of dimensions}
  public int rank() {
    return sizes().length;
  }

  /// {@return the size of one dimension, negative ones counted from the back}
  ///
  /// @param dim a dimension, negative from the back
  /// @throws ShapeException if there is no such dimension
  public long size(int dim) {
    long[] sizes = sizes();
    return sizes[Shapes.dim("size", sizes, dim)];
  }

  /// {@return the number of elements}
  public long elements() {
    long product = 1;
    for (long size : sizes()) {
      product *= size;
    }
    return product;
  }

  private long[] steps() {
    MemorySegment live = live();
    long[] known = strides;
    if (known == null) {
      known = Shim.strides(scope, live, rank());
      strides = known;
    }
    return known;
  }

  /// {@return the step of each dimension, in elements} The array is a copy.
  public long[] strides() {
    return steps().clone();
  }

  /// {@return whether the elements lie row-major without gaps; a tensor without elements does}
  public boolean isContiguous() {
    live();
    Boolean known = rowMajor;
    if (known == null) {
      known = liesRowMajor();
      rowMajor = known;
    }
    return known;
  }

  private boolean liesRowMajor() {
    if (elements() == 0) {
      return true;
    }
    long[] sizes = sizes();
    long[] strides = steps();
    long step = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      if (sizes[i] != 1 && strides[i] != step) {
        return false;
      }
      step *= sizes[i];
    }
    return true;
  }

  /// {@return the element type}
  public DType dtype() {
    MemorySegment live = live();
    DType known = dtype;
    if (known == null) {
      known = Shim.dtype(scope, live);
      dtype = known;
    }
    return known;
  }

  /// {@return where the memory lies}
  public Device device() {
    return storage.device;
  }

  /// {@return the address of the first element}, on its own device, which nothing protects: for
  /// code that keeps the tensor alive by [#acquire].
  ///
  /// @throws IllegalStateException as [#handle]
  public long dataAddress() {
    MemorySegment live = handle();
    if (data == 0) {
      data = Shim.dataPointer(scope, live);
    }
    return data;
  }

  /// {@return the tensor's own memory as a segment that ends with the scope, borrowed memory as a
  /// part of the segment that it was borrowed from, which ends with that one's arena; read-only
  /// where the tensor is}
  ///
  /// Writing through it is not seen by the tape.
  ///
  /// @throws IllegalStateException if the tensor is not contiguous, or lies on a GPU
  public MemorySegment segment() {
    if (device().isCuda()) {
      throw new IllegalStateException(
          "segment: found %s on %s, expected host memory; copy it to a scope of the host first"
              .formatted(this, device()));
    }
    long address = dataAddress();
    if (!isContiguous()) {
      throw new IllegalStateException("segment: " + this + " is not contiguous; copy it first");
    }
    long bytes = elements() * dtype().bytes();
    MemorySegment source = storage.source;
    if (source == null) {
      MemorySegment view = scope.view(address, bytes);
      return storage.readOnly ? view.asReadOnly() : view;
    }
    return bytes == 0 ? source.asSlice(0, 0) : source.asSlice(address - source.address(), bytes);
  }

  /// {@return the single element as a double}
  ///
  /// @throws ShapeException if there is not exactly one element
  public double item() {
    if (elements() != 1) {
      throw new ShapeException(
          "item: found shape " + Shapes.text(sizes()) + ", expected one element");
    }
    return Shim.item(scope, handle(), dtype());
  }

  /// {@return a copy of the elements, row-major}
  ///
  /// @throws DTypeException if this is not f32
  public float[] toFloats() {
    return onHost(DType.F32, s -> s.toArray(ValueLayout.JAVA_FLOAT));
  }

  /// {@return a copy of the elements, row-major}
  ///
  /// @throws DTypeException if this is not f64
  public double[] toDoubles() {
    return onHost(DType.F64, s -> s.toArray(ValueLayout.JAVA_DOUBLE));
  }

  /// {@return a copy of the elements, row-major}
  ///
  /// @throws DTypeException if this is not i64
  public long[] toLongs() {
    return onHost(DType.I64, s -> s.toArray(ValueLayout.JAVA_LONG));
  }

  /// {@return a copy of the elements, row-major}
  ///
  /// @throws DTypeException if this is not i32
  public int[] toInts() {
    return onHost(DType.I32, s -> s.toArray(ValueLayout.JAVA_INT));
  }

  private <T> T onHost(DType expected, Function<MemorySegment, T> reader) {
    if (dtype() != expected) {
      throw new DTypeException("to array: found " + dtype() + ", expected " + expected);
    }
    if (!device().isCuda()) {
      return reader.apply(segment());
    }
    try (Scope host = Scope.open()) {
      Tensor copy = host.empty(expected, sizes());
      Shim.copy(copy.handle(), handle());
      return reader.apply(copy.segment());
    }
  }

  /// {@return whether the shape is that of another tensor}
  ///
  /// @param other a tensor
  public boolean hasShapeOf(Tensor other) {
    return Arrays.equals(sizes(), other.sizes());
  }

  /// {@return whether the shape is this one}
  ///
  /// @param expected sizes to compare with
  public boolean hasShape(long... expected) {
    return Arrays.equals(sizes(), expected);
  }

  /// Returns type and shape, for instance `F32 (4, 8)`.
  @Override
  public String toString() {
    return handle == null ? "closed tensor" : dtype() + " " + Shapes.text(sizes());
  }
}
