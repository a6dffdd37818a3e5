package dev.gatun.runtime;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Owner of native tensors, as [Arena] is of segments: what is made in a scope ends with it.
///
/// Every operation that makes a tensor takes the scope that shall own the result first; a result
/// never inherits the lifetime of an operand. After [#close] a tensor of the scope, or a segment
/// over it, throws [IllegalStateException] when used.
///
/// | kind | opened by | used from | cost to close |
/// |---|---|---|---|
/// | confined | [#open], [#child] | the opening thread | tens of nanoseconds |
/// | shared | [#openShared] | any thread, one at a time for writing | tens of microseconds |
///
/// Open confined scopes nested, in try-with-resources; keep what must live longer with [#keep].
///
/// A scope allocates on one [Device]; its children do, too. The same code runs on a GPU in a scope
/// of that device, over weights that lie there.
public sealed class Scope implements AutoCloseable permits Tape {
  private static final int SCRATCH_BYTES = 1024;

  /// Shared scopes are used from many threads: each such thread keeps one small block for
  /// arguments.
  private static final ThreadLocal<MemorySegment> THREAD_SCRATCH =
      ThreadLocal.withInitial(() -> Arena.global().allocate(SCRATCH_BYTES, 8));

  private final Arena arena;
  private final Device device;
  private final boolean shared;
  private final @Nullable Tape tape;
  private @Nullable MemorySegment scratch;
  private @Nullable Tensor[] tensors = new Tensor[8];
  private int count;
  private boolean ended;
  private int inFlight;

  Scope(Device device, boolean shared, @Nullable Tape tape, @Nullable Scope parent) {
    if (parent == null) {
      Shim.prepareThread();
      Shim.prepareDevice(device);
    }
    this.device = device;
    this.shared = shared;
    this.arena = shared ? Arena.ofShared() : Arena.ofConfined();
    this.tape = tape;
    this.scratch = parent == null || parent.shared ? null : parent.scratch();
  }

  /// Opens a scope confined to this thread.
  ///
  /// @return the scope
  @MustBeClosed
  public static Scope open() {
    return open(Device.CPU);
  }

  /// Opens a scope confined to this thread that allocates on a device.
  ///
  /// @param device where what it allocates lies
  /// @return the scope
  /// @throws DeviceException if there is no such device
  @MustBeClosed
  public static Scope open(Device device) {
    return new Scope(device, false, null, null);
  }

  /// Opens a scope whose tensors may be used from any thread; for weights and adapters.
  ///
  /// @return the scope
  @MustBeClosed
  public static Scope openShared() {
    return openShared(Device.CPU);
  }

  /// Opens a scope whose tensors may be used from any thread and that allocates on a device.
  ///
  /// @param device where what it allocates lies
  /// @return the scope
  /// @throws DeviceException if there is no such device
  @MustBeClosed
  public static Scope openShared(Device device) {
    return new Scope(device, true, null, null);
  }

  /// Opens a confined scope for the temporaries of a block. It records on the same [Tape], if any.
  ///
  /// @return the scope
  @MustBeClosed
  public Scope child() {
    return new Scope(device, false, tape(), this);
  }

  /// Opens a confined scope that records nothing, whatever this one does: for evaluation inside a
  /// tape.
  ///
  /// @return the scope
  @MustBeClosed
  public Scope untaped() {
    return new Scope(device, false, null, this);
  }

  /// {@return where what the scope allocates lies}
  ///
  /// The result of an operation lies where its operands are; only copies go from one device to
  /// another ([dev.gatun.runtime.op.Layout#copy]).
  public Device device() {
    return device;
  }

  /// {@return the tape that this scope records on, or null}
  public @Nullable Tape tape() {
    return tape;
  }

  /// {@return a tensor over the same memory, with the same gradient history, that this scope owns}
  ///
  /// The argument stays as it was: its own scope ends it.
  ///
  /// @param tensor a tensor of any scope
  public Tensor keep(Tensor tensor) {
    MemorySegment handle = Shim.newHandle(this, tensor.handle());
    return adopt(handle, tensor.storage().acquire(), null, null, null).like(tensor);
  }

  /// Ends one tensor of this scope now, before the scope does.
  ///
  /// @param tensor an open tensor of this scope
  /// @throws IllegalArgumentException if another scope owns it
  /// @throws IllegalStateException if it was freed before, or the scope has ended
  /// @throws WrongThreadException if the scope is confined to another thread
  public void free(Tensor tensor) {
    if (tensor.scope != this) {
      throw new IllegalArgumentException("free: the tensor belongs to another scope");
    }
    if (shared) {
      synchronized (arena) {
        Shim.delete(released(tensor));
      }
    } else {
      Shim.delete(released(tensor));
    }
    NativeMemory.removeTensor();
    tensor.storage().release();
  }

  private MemorySegment released(Tensor tensor) {
    tensor.checkThread();
    MemorySegment handle = tensor.end();
    int slot = tensor.slot;
    Tensor last = tensors[--count];
    tensors[count] = null;
    if (slot != count && last != null) {
      tensors[slot] = last;
      last.slot = slot;
    }
    return handle;
  }

  /// Takes ownership of a libtorch handle (`AtenTensorHandle`) with a storage of its own.
  ///
  /// For operations written outside this package; `handle` must not be used or deleted by the
  /// caller afterwards.
  ///
  /// @param handle a handle that the caller owns
  /// @return the tensor, owned by this scope
  /// @throws MemoryBudgetException if the storage exceeds the byte budget; the handle is deleted
  ///   then
  public Tensor adopt(MemorySegment handle) {
    return adopt(handle, withinBudget(handle, Shim.storageBytes(this, handle)), null, null, null);
  }

  /// Takes ownership of a handle as [#adopt(MemorySegment)] does, of a tensor without gaps whose
  /// type and shape the caller knows: libtorch need not be asked.
  ///
  /// @param handle a handle that the caller owns
  /// @param dtype its element type
  /// @param shape its sizes; the array becomes the tensor's own
  /// @return the tensor, owned by this scope
  public Tensor adopt(MemorySegment handle, DType dtype, long... shape) {
    long bytes = dtype.bytes();
    for (long size : shape) {
      bytes *= size;
    }
    return adopt(handle, withinBudget(handle, bytes), dtype, shape, null);
  }

  /// Takes ownership of a handle as [#adopt(MemorySegment)] does, of a tensor that may be, or view,
  /// one of an operation's operands: it then counts with the operand's memory, and ends with that
  /// where the memory is borrowed.
  ///
  /// @param handle a handle that the caller owns
  /// @param operands tensors that the handle's memory may be of
  /// @return the tensor, owned by this scope
  /// @throws MemoryBudgetException as [#adopt(MemorySegment)]
  public Tensor adoptResult(MemorySegment handle, Tensor... operands) {
    long address = Shim.dataPointer(this, handle);
    for (Tensor operand : operands) {
      MemorySegment other = operand.handle();
      long offset = Shim.storageOffset(this, other) * operand.dtype().bytes();
      long ahead = address - (operand.dataAddress() - offset);
      if (ahead >= 0 && ahead < Shim.storageBytes(this, other)) {
        return adopt(handle, operand.storage().acquire(), null, null, null);
      }
    }
    return adopt(handle);
  }

  private Storage withinBudget(MemorySegment handle, long bytes) {
    Device place = Shim.device(this, handle);
    try {
      NativeMemory.checkBudget(place, bytes);
    } catch (MemoryBudgetException e) {
      Shim.delete(handle);
      throw e;
    }
    return Storage.own(place, bytes);
  }

  /// Takes ownership of a handle that views the memory of another tensor.
  ///
  /// @param handle a handle that the caller owns
  /// @param of the tensor whose memory it views
  /// @return the tensor, owned by this scope
  public Tensor adoptView(MemorySegment handle, Tensor of) {
    return adopt(handle, of.storage().acquire(), of.dtype(), null, null);
  }

  /// Takes ownership of a handle that views the memory of another tensor in a way that the caller
  /// knows.
  ///
  /// @param handle a handle that the caller owns
  /// @param of the tensor whose memory it views, of the same element type
  /// @param shape its sizes; the array becomes the tensor's own
  /// @param strides its strides, in elements; the array becomes the tensor's own
  /// @return the tensor, owned by this scope
  public Tensor adoptView(MemorySegment handle, Tensor of, long[] shape, long[] strides) {
    return adopt(handle, of.storage().acquire(), of.dtype(), shape, strides);
  }

  /// Takes ownership of a handle that views a part of the memory of another tensor, row-major and
  /// as elements of another type.
  ///
  /// @param handle a handle that the caller owns
  /// @param of the tensor whose memory it views
  /// @param dtype its element type
  /// @param shape its sizes; the array becomes the tensor's own
  /// @return the tensor, owned by this scope
  public Tensor adoptView(MemorySegment handle, Tensor of, DType dtype, long[] shape) {
    return adopt(handle, of.storage().acquire(), dtype, shape, null).rowMajor();
  }

  private Tensor adopt(
      MemorySegment handle,
      Storage storage,
      @Nullable DType dtype,
      long @Nullable [] shape,
      long @Nullable [] strides) {
    Tensor tensor;
    if (shared) {
      synchronized (arena) {
        tensor = registered(handle, storage);
      }
    } else {
      tensor = registered(handle, storage);
    }
    tensor.describe(dtype, shape, strides);
    NativeMemory.addTensor();
    return tensor;
  }

  @SuppressWarnings("restricted")
  private Tensor registered(MemorySegment handle, Storage storage) {
    if (ended) {
      Shim.delete(handle);
      storage.release();
      throw new IllegalStateException("Already closed");
    }
    Tensor tensor = new Tensor(this, handle.reinterpret(arena, null), storage);
    if (count == tensors.length) {
      tensors = Arrays.copyOf(tensors, count * 2);
    }
    tensor.slot = count;
    tensors[count++] = tensor;
    return tensor;
  }

  /// Views the caller's memory as a tensor, without a copy.
  ///
  /// The segment's arena must outlive this scope: it is checked at each use, and use after its end
  /// is an [IllegalStateException]. A tensor over a read-only segment is read-only: in-place
  /// operations refuse it. A file truncated under a mapping kills any JVM.
  ///
  /// In a scope of a GPU the segment stands for memory of that GPU, from whichever library: Java
  /// cannot read it, only its address, its size and its lifetime count.
  ///
  /// ```java
  /// scope.borrow(MemorySegment.ofAddress(pointer).reinterpret(bytes, arena, null), DType.F32, 2, 3)
  /// ```
  ///
  /// What others asked the GPU to write there must be done before, and what this process asks of it
  /// before the memory is freed.
  ///
  /// @param segment native memory of at least the bytes that the shape takes
  /// @param dtype element type
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  /// @throws IllegalArgumentException if the segment is on the heap or too small
  /// @throws DeviceException if this scope is of a GPU that does not know the address as its own
  public Tensor borrow(MemorySegment segment, DType dtype, long... shape) {
    long bytes = Math.multiplyExact(Shapes.elements("borrow", shape), (long) dtype.bytes());
    if (!segment.isNative()) {
      throw new IllegalArgumentException("borrow: found a heap segment, expected native memory");
    }
    if (segment.byteSize() < bytes) {
      throw new IllegalArgumentException(
          "borrow: found a segment of %d bytes, expected at least %d for %s %s"
              .formatted(segment.byteSize(), bytes, dtype, Shapes.text(shape)));
    }
    if (Gpu.isReal(device) && bytes > 0) {
      DeviceMemory.check(segment.address(), bytes, device.index());
    }
    MemorySegment handle =
        Shim.fromBlob(this, segment, dtype, device, shape, Shapes.strides(shape));
    return adopt(handle, Storage.borrowed(device, bytes, segment), dtype, shape.clone(), null);
  }

  /// Views memory of another library, which is told when no tensor is over it any more.
  Tensor lent(
      MemorySegment data,
      DType dtype,
      long[] shape,
      long[] strides,
      boolean readOnly,
      Runnable whenUnused) {
    acquire(); // else a scope that ends now would tell the library of what the caller still has
    try {
      MemorySegment handle = Shim.fromBlob(this, data, dtype, device, shape, strides);
      long bytes = Shapes.elements("dlpack", shape) * dtype.bytes();
      Storage storage = Storage.lent(device, bytes, readOnly, whenUnused);
      return adopt(handle, storage, dtype, shape, strides);
    } finally {
      release();
    }
  }

  /// Allocates a tensor whose elements are not set.
  ///
  /// @param dtype element type
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  /// @throws MemoryBudgetException if it would exceed the byte budget
  public Tensor empty(DType dtype, long... shape) {
    long bytes = Math.multiplyExact(Shapes.elements("empty", shape), (long) dtype.bytes());
    NativeMemory.checkBudget(device, bytes);
    MemorySegment handle = Shim.empty(this, dtype, device, shape);
    Storage storage = Storage.own(device, bytes);
    return adopt(handle, storage, dtype, shape.clone(), null).rowMajor();
  }

  /// Allocates a tensor of zeros.
  ///
  /// @param dtype element type
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor zeros(DType dtype, long... shape) {
    Tensor result = empty(dtype, shape);
    Shim.zero(result.handle());
    return result;
  }

  /// Allocates a tensor with every element set to a value.
  ///
  /// @param value the value
  /// @param dtype element type
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor full(double value, DType dtype, long... shape) {
    Tensor result = empty(dtype, shape);
    Shim.fill(result, value);
    return result;
  }

  /// Copies an array into a new f32 tensor.
  ///
  /// @param values the elements, row-major; as many as the shape has
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor of(float[] values, long... shape) {
    return filled(MemorySegment.ofArray(values), values.length, DType.F32, shape);
  }

  /// Copies an array into a new f64 tensor.
  ///
  /// @param values the elements, row-major; as many as the shape has
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor of(double[] values, long... shape) {
    return filled(MemorySegment.ofArray(values), values.length, DType.F64, shape);
  }

  /// Copies an array into a new i64 tensor.
  ///
  /// @param values the elements, row-major; as many as the shape has
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor of(long[] values, long... shape) {
    return filled(MemorySegment.ofArray(values), values.length, DType.I64, shape);
  }

  /// Copies an array into a new i32 tensor.
  ///
  /// @param values the elements, row-major; as many as the shape has
  /// @param shape sizes, row-major
  /// @return the tensor, owned by this scope
  public Tensor of(int[] values, long... shape) {
    return filled(MemorySegment.ofArray(values), values.length, DType.I32, shape);
  }

  private Tensor filled(MemorySegment values, int count, DType dtype, long... shape) {
    if (Shapes.elements("of", shape) != count) {
      throw new ShapeException(
          "of: found %d values, expected %d for shape %s"
              .formatted(count, Shapes.elements("of", shape), Shapes.text(shape)));
    }
    Tensor result = empty(dtype, shape);
    if (device.isCuda()) {
      Shim.upload(this, result.handle(), values, dtype, shape);
    } else {
      MemorySegment.copy(values, 0, result.segment(), 0, values.byteSize());
    }
    return result;
  }

  /// {@return whether an operation on these inputs must be recorded for a gradient}
  ///
  /// @param inputs the operation's inputs; null ones are ignored
  public boolean records(@Nullable Tensor... inputs) {
    Tape listening = tape();
    if (listening == null) {
      return false;
    }
    for (Tensor input : inputs) {
      if (input != null && listening.tracks(input)) {
        return true;
      }
    }
    return false;
  }

  /// {@return whether a gradient with respect to this input is wanted}
  ///
  /// @param input an input of an operation, or null
  public boolean needs(@Nullable Tensor input) {
    Tape listening = tape();
    return listening != null && input != null && listening.tracks(input);
  }

  /// Records an operation on the tape: how to get from the gradient of its result to those of its
  /// inputs.
  ///
  /// Only call it where [#records] said yes. `saved` is what the gradient reads; the tape takes its
  /// own references, and gives them back to `gradient` in the same order.
  ///
  /// @param result the operation's result
  /// @param inputs its inputs; gradients come back in this order
  /// @param saved what the gradient reads
  /// @param gradient the derivative
  /// @return `result`
  @CanIgnoreReturnValue
  public Tensor record(
      Tensor result, @Nullable Tensor[] inputs, Tensor[] saved, Gradient gradient) {
    record(new Tensor[] {result}, inputs, saved, gradient);
    return result;
  }

  /// Records an operation with several results; see [#record(Tensor, Tensor[], Tensor[],
  /// Gradient)].
  ///
  /// @param results the operation's results
  /// @param inputs its inputs; gradients come back in this order
  /// @param saved what the gradient reads
  /// @param gradient the derivative
  public void record(
      Tensor[] results, @Nullable Tensor[] inputs, Tensor[] saved, Gradient gradient) {
    Tape listening = tape();
    if (listening == null) {
      throw new IllegalStateException("record: this scope records on no tape");
    }
    listening.add(results, inputs, saved, gradient);
  }

  /// {@return the arena that ends with this scope, for mapped files and other segments of the same
  /// lifetime}
  public Arena arena() {
    return arena;
  }

  /// {@return a block for the arguments of one native call, free to overwrite until the next call}
  public MemorySegment scratch() {
    if (shared) {
      return THREAD_SCRATCH.get();
    }
    MemorySegment block = scratch;
    if (block == null) {
      block = arena.allocate(SCRATCH_BYTES, 8);
      scratch = block;
    }
    return block;
  }

  /// {@return the number of open tensors that this scope owns}
  public int size() {
    return count;
  }

  @SuppressWarnings("restricted")
  MemorySegment view(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
  }

  /// Refuses to be closed until [#release]. Only its own thread could close a confined scope, and
  /// that is in the call.
  void acquire() {
    if (shared) {
      synchronized (arena) {
        checkOpen();
        inFlight++;
      }
    } else {
      checkOpen();
    }
  }

  private void checkOpen() {
    if (ended) {
      throw new IllegalStateException("Already closed");
    }
  }

  void release() {
    if (shared) {
      synchronized (arena) {
        inFlight--;
      }
    }
  }

  /// Ends the scope and every tensor in it. Closing twice does nothing.
  ///
  /// @throws IllegalStateException if a call with one of its tensors is in flight on another
  ///   thread: the scope stays open, to be closed again
  @Override
  public void close() {
    int open;
    if (shared) {
      synchronized (arena) {
        open = end();
      }
    } else {
      open = end();
    }
    RuntimeException failure = null;
    for (int i = 0; i < open; i++) { // without the lock: another library may be told
      try {
        Objects.requireNonNull(tensors[i]).storage().release();
      } catch (RuntimeException e) {
        failure = failure == null ? e : failure;
      }
    }
    Arrays.fill(tensors, 0, open, null);
    if (failure != null) {
      throw failure;
    }
  }

  /// Ends the tensors and returns how many there were; they still stand in the list.
  private int end() {
    if (ended) {
      return 0;
    }
    if (inFlight > 0) {
      throw new IllegalStateException("close: a call with a tensor of this scope is in flight");
    }
    arena.close();
    ended = true;
    int open = count;
    for (int i = 0; i < open; i++) {
      Shim.delete(Objects.requireNonNull(tensors[i]).end());
    }
    NativeMemory.removeTensors(open);
    count = 0;
    return open;
  }
}
