package dev.gatun.runtime;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.gatun.runtime.internal.Deleter;
import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.DeviceMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Tensors that this process's other libraries read and write where they lie, and theirs, by
/// [DLPack](https://dmlc.github.io/dlpack/latest/): NumPy, PyTorch, JAX, CuPy, cuVS, TVM and others
/// have it.
///
/// What goes from one library to the other is the address of a C struct with the place of the
/// elements, their type, sizes and strides, and a function that the consumer calls when it needs
/// them no more. Sizes and types are checked, and whether a GPU knows the elements as its own;
/// whether a struct of the host tells the truth nobody can check. Source: `dlpack.h` 1.3.
public final class DlPack {
  private static final int CPU = 1; // DLDeviceType
  private static final int CUDA = 2;
  private static final int CUDA_HOST = 3;

  private static final int INT = 0; // DLDataTypeCode
  private static final int UINT = 1;
  private static final int FLOAT = 2;
  private static final int BFLOAT = 4;
  private static final int BOOL = 6;

  private static final int MAJOR = 1;
  private static final int MINOR = 3;
  private static final long READ_ONLY = 1; // DLPACK_FLAG_BITMASK_READ_ONLY

  /// More dimensions than this no kernel takes.
  private static final int MOST_DIMENSIONS = 56;

  private static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG_UNALIGNED;

  private static final StructLayout TENSOR =
      MemoryLayout.structLayout(
          ADDRESS.withName("data"),
          JAVA_INT.withName("device_type"),
          JAVA_INT.withName("device_id"),
          JAVA_INT.withName("ndim"),
          JAVA_BYTE.withName("code"),
          JAVA_BYTE.withName("bits"),
          JAVA_SHORT.withName("lanes"),
          ADDRESS.withName("shape"),
          ADDRESS.withName("strides"),
          JAVA_LONG.withName("byte_offset"));

  private static final StructLayout MANAGED =
      MemoryLayout.structLayout(
          TENSOR.withName("tensor"), ADDRESS.withName("manager_ctx"), ADDRESS.withName("deleter"));

  private static final StructLayout VERSIONED =
      MemoryLayout.structLayout(
          JAVA_INT.withName("major"),
          JAVA_INT.withName("minor"),
          ADDRESS.withName("manager_ctx"),
          ADDRESS.withName("deleter"),
          JAVA_LONG.withName("flags"),
          TENSOR.withName("tensor"));

  private static final long DATA = offset(TENSOR, "data");
  private static final long DEVICE_TYPE = offset(TENSOR, "device_type");
  private static final long DEVICE_ID = offset(TENSOR, "device_id");
  private static final long RANK = offset(TENSOR, "ndim");
  private static final long CODE = offset(TENSOR, "code");
  private static final long BITS = offset(TENSOR, "bits");
  private static final long LANES = offset(TENSOR, "lanes");
  private static final long SHAPE = offset(TENSOR, "shape");
  private static final long STRIDES = offset(TENSOR, "strides");
  private static final long BYTE_OFFSET = offset(TENSOR, "byte_offset");

  private static final long VERSION_MAJOR = offset(VERSIONED, "major");
  private static final long VERSION_MINOR = offset(VERSIONED, "minor");
  private static final long FLAGS = offset(VERSIONED, "flags");

  private static final MemorySegment DELETE = Deleter.of(DlPack::deleted);

  private static final Map<Long, Export> EXPORTS = new ConcurrentHashMap<>();

  private DlPack() {}

  /// The two structs of DLPack.
  public enum Struct {
    /// `DLManagedTensor`; Python's capsule of it is named `dltensor`.
    MANAGED(DlPack.MANAGED),
    /// `DLManagedTensorVersioned`, which also says whether the elements may be written; Python's
    /// capsule of it is named `dltensor_versioned`.
    VERSIONED(DlPack.VERSIONED);

    private final long bytes;
    private final long tensor;
    private final long deleter;

    Struct(StructLayout layout) {
      this.bytes = layout.byteSize();
      this.tensor = offset(layout, "tensor");
      this.deleter = offset(layout, "deleter");
    }
  }

  /// What a consumer holds of ours: the arena of the struct, and a handle, which keeps the
  /// elements.
  private record Export(Arena arena, MemorySegment handle, Storage storage) {}

  private static long offset(StructLayout layout, String field) {
    return layout.byteOffset(PathElement.groupElement(field));
  }

  /// Shares a tensor with a consumer, which may write to it, too.
  ///
  /// The elements live, also behind the end of the tensor's scope, until the consumer has called
  /// the struct's `deleter`; until then they count as an open tensor ([NativeMemory]). A GPU's are
  /// ready when this returns: it waits for what the calling thread asked for. The tape sees nothing
  /// of what the consumer writes.
  ///
  /// @param tensor any tensor, of any strides, that does not lie in borrowed memory
  /// @param struct the struct that the consumer takes
  /// @return the struct, in native memory until the consumer's call
  /// @throws IllegalStateException if the tensor lies in borrowed memory, whose end the consumer
  ///   would not see; or is read-only, which only [Struct#VERSIONED] can say
  public static MemorySegment to(Tensor tensor, Struct struct) {
    Storage storage = tensor.storage();
    if (storage.source != null) {
      throw new IllegalStateException(
          "dlpack: the tensor " + tensor + " lies in borrowed memory; copy it first");
    }
    if (storage.readOnly && struct != Struct.VERSIONED) {
      throw new IllegalStateException(
          "dlpack: the tensor "
              + tensor
              + " is read-only, which only the versioned struct says; copy it first");
    }
    tensor.acquire();
    try {
      boolean onGpu = Gpu.isReal(tensor.device());
      if (onGpu) {
        CudaThread.current().synchronize(tensor.device().index());
      }
      Arena arena = Arena.ofShared(); // closed by the consumer's call
      MemorySegment block = described(arena, tensor, struct, onGpu ? CUDA : CPU);
      MemorySegment handle = Shim.newHandle(tensor.scope, tensor.handle());
      EXPORTS.put(block.address(), new Export(arena, handle, storage.acquire()));
      NativeMemory.addTensor();
      return at(block.address(), struct.bytes); // the consumer's from here on, not the arena's
    } finally {
      tensor.release();
    }
  }

  private static MemorySegment described(
      Arena arena, Tensor tensor, Struct struct, int deviceType) {
    long[] shape = tensor.shape();
    long[] strides = tensor.strides();
    long size = struct.bytes;
    MemorySegment block = arena.allocate(size + 16L * shape.length, 8);
    MemorySegment sizes = block.asSlice(size);
    MemorySegment.copy(shape, 0, sizes, SIZE, 0, shape.length);
    MemorySegment.copy(strides, 0, sizes, SIZE, 8L * shape.length, shape.length);
    block.set(ADDRESS, struct.deleter, DELETE);
    if (struct == Struct.VERSIONED) {
      block.set(JAVA_INT, VERSION_MAJOR, MAJOR);
      block.set(JAVA_INT, VERSION_MINOR, MINOR);
      block.set(JAVA_LONG, FLAGS, tensor.isReadOnly() ? READ_ONLY : 0);
    }
    MemorySegment inner = block.asSlice(struct.tensor, TENSOR.byteSize());
    DType dtype = tensor.dtype();
    inner.set(ADDRESS, DATA, MemorySegment.ofAddress(tensor.dataAddress()));
    inner.set(JAVA_INT, DEVICE_TYPE, deviceType);
    inner.set(JAVA_INT, DEVICE_ID, tensor.device().index());
    inner.set(JAVA_INT, RANK, shape.length);
    inner.set(JAVA_BYTE, CODE, (byte) code(dtype));
    inner.set(JAVA_BYTE, BITS, (byte) (8 * dtype.bytes()));
    inner.set(JAVA_SHORT, LANES, (short) 1);
    inner.set(ADDRESS, SHAPE, sizes);
    inner.set(ADDRESS, STRIDES, sizes.asSlice(8L * shape.length));
    return block;
  }

  /// Takes over a tensor of a producer. Its `deleter` is called when no tensor over the elements is
  /// open any more, for a GPU after what the closing thread asked for.
  ///
  /// A producer that filled the elements on a GPU must have waited for it.
  ///
  /// @param scope owner of the tensor, of the device where the elements lie
  /// @param managed the struct, which is used up; where this throws it still is the caller's
  /// @param struct what it is
  /// @return the tensor, of the struct's strides, over the producer's memory; read-only where the
  ///   struct says so
  /// @throws IllegalArgumentException if the struct does not hold what DLPack says
  /// @throws IllegalStateException if the scope has ended
  /// @throws DeviceException if the elements lie on another device than the scope's
  /// @throws DTypeException if Gatun has no such type
  /// @throws ShapeException if a size or a stride is negative, or there are too many
  public static Tensor from(Scope scope, MemorySegment managed, Struct struct) {
    if (!managed.isNative() || managed.address() == 0 || !managed.scope().isAlive()) {
      throw new IllegalArgumentException(
          "dlpack: found %s, expected a %s in native memory".formatted(managed, struct));
    }
    MemorySegment block = at(managed.address(), struct.bytes);
    boolean readOnly = false;
    if (struct == Struct.VERSIONED) {
      int major = block.get(JAVA_INT, VERSION_MAJOR);
      if (major != MAJOR) {
        throw new IllegalArgumentException(
            "dlpack: found version %d, expected %d".formatted(major, MAJOR));
      }
      readOnly = (block.get(JAVA_LONG, FLAGS) & READ_ONLY) != 0;
    }
    MemorySegment inner = block.asSlice(struct.tensor, TENSOR.byteSize());
    checkDevice(inner, scope.device());
    DType dtype = dtype(inner);
    long[] shape = sizes(inner, SHAPE);
    long elements = Shapes.elements("dlpack", shape);
    boolean isDense = elements == 0 || inner.get(ADDRESS, STRIDES).address() == 0;
    long[] strides = isDense ? Shapes.strides(shape) : sizes(inner, STRIDES);
    long bytes = elements == 0 ? 0 : span(shape, strides, dtype);
    MemorySegment start = inner.get(ADDRESS, DATA);
    long address = start.address() + inner.get(JAVA_LONG, BYTE_OFFSET);
    if (bytes > 0 && (start.address() == 0 || address % dtype.bytes() != 0)) {
      throw new IllegalArgumentException(
          "dlpack: found elements at 0x%x, expected an address for %s".formatted(address, dtype));
    }
    boolean onGpu = Gpu.isReal(scope.device());
    if (onGpu && bytes > 0) {
      DeviceMemory.check(address, bytes, scope.device().index());
    }
    MemorySegment deleter = block.get(ADDRESS, struct.deleter);
    return scope.lent(
        MemorySegment.ofAddress(address),
        dtype,
        shape,
        strides,
        readOnly,
        () -> {
          if (onGpu) {
            CudaThread.current().synchronize(scope.device().index());
          }
          if (deleter.address() != 0) { // without one the elements are there for good
            Deleter.call(deleter, block);
          }
        });
  }

  /// Returns from how many bytes the elements are.
  private static long span(long[] shape, long[] strides, DType dtype) {
    long last = 0;
    try {
      for (int i = 0; i < shape.length; i++) {
        if (strides[i] < 0) {
          throw new ArithmeticException("negative");
        }
        last = Math.addExact(last, Math.multiplyExact(shape[i] - 1, strides[i]));
      }
      return Math.multiplyExact(Math.addExact(last, 1), (long) dtype.bytes());
    } catch (ArithmeticException e) {
      throw new ShapeException(
          "dlpack: found strides %s of %s, expected none below 0 and fewer bytes than 2^63"
              .formatted(Shapes.text(strides), Shapes.text(shape)));
    }
  }

  private static void checkDevice(MemorySegment tensor, Device device) {
    int type = tensor.get(JAVA_INT, DEVICE_TYPE);
    int index = tensor.get(JAVA_INT, DEVICE_ID);
    boolean isThere =
        Gpu.isReal(device)
            ? type == CUDA && index == device.index()
            : type == CPU || type == CUDA_HOST;
    if (!isThere) {
      String found =
          switch (type) {
            case CPU, CUDA_HOST -> "cpu";
            case CUDA -> "cuda:" + index;
            default -> "DLPack's device type " + type;
          };
      throw new DeviceException(
          "dlpack: found elements on %s, expected %s as the scope".formatted(found, device));
    }
  }

  private static int code(DType dtype) {
    return switch (dtype) {
      case F32, F64, F16 -> FLOAT;
      case BF16 -> BFLOAT;
      case I64, I32, I16, I8 -> INT;
      case U8 -> UINT;
      case BOOL -> BOOL;
    };
  }

  private static DType dtype(MemorySegment tensor) {
    int code = tensor.get(JAVA_BYTE, CODE);
    int bits = Byte.toUnsignedInt(tensor.get(JAVA_BYTE, BITS));
    int lanes = Short.toUnsignedInt(tensor.get(JAVA_SHORT, LANES));
    for (DType dtype : DType.values()) {
      if (lanes == 1 && code == code(dtype) && bits == 8 * dtype.bytes()) {
        return dtype;
      }
    }
    throw new DTypeException(
        "dlpack: found type code %d of %d bits and %d lanes, expected a type that Gatun has"
            .formatted(code, bits, lanes));
  }

  private static long[] sizes(MemorySegment tensor, long field) {
    int rank = tensor.get(JAVA_INT, RANK);
    MemorySegment sizes = tensor.get(ADDRESS, field);
    if (rank < 0 || rank > MOST_DIMENSIONS) {
      throw new ShapeException(
          "dlpack: found %d dimensions, expected 0 to %d".formatted(rank, MOST_DIMENSIONS));
    }
    if (rank > 0 && sizes.address() == 0) {
      throw new IllegalArgumentException("dlpack: found no sizes, expected " + rank);
    }
    return at(sizes.address(), 8L * rank).toArray(SIZE);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /// Called by consumers, on any thread; what left it would end the process. A second call for a
  /// struct does nothing, as long as another has not got its memory.
  private static void deleted(MemorySegment managed) {
    Export export = EXPORTS.remove(managed.address());
    if (export == null) {
      return;
    }
    NativeMemory.removeTensor();
    try {
      export.arena.close();
      Shim.delete(export.handle);
      export.storage.release();
    } catch (Throwable e) { // a native frame is the caller
      System.getLogger("dev.gatun.runtime").log(System.Logger.Level.ERROR, "dlpack: deleter", e);
    }
  }
}
