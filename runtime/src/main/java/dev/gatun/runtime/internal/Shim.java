package dev.gatun.runtime.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.load.CLibrary;
import dev.gatun.bindings.load.CpuFeatures;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.torch.Torch;
import dev.gatun.bindings.torch.TorchCuda;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.NativeException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.cuda.Driver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// libtorch's kernels called directly, past the dispatcher.
///
/// Handles go in borrowed and come out new, owned by the caller. Arguments are not checked here:
/// callers check shapes and types first, since a wrong one can end the process.
public final class Shim {
  private static final int OUT = 0; // offsets in the scratch block
  private static final int SIZES = 64;
  private static final int STRIDES = SIZES + 64 * 7;

  private static final boolean HAS_TEXT;
  private static final boolean HAS_OPTIONALS;

  private static final MemorySegment NO_ACTIVATION = Arena.global().allocateFrom("none");
  private static final boolean HAS_ONEDNN_LINEAR;
  private static final boolean BF16_GEMM;
  private static final boolean F16_GEMM;
  private static final boolean BLAS_BEATS_ONEDNN;

  static {
    CpuFeatures cpu = CpuFeatures.detect();
    BF16_GEMM = cpu.has("avx512bw", "avx512vl", "avx512dq");
    F16_GEMM = cpu.has("avx512_fp16");
    BLAS_BEATS_ONEDNN = cpu.has("avx2") && !cpu.has("avx512f");
    LibTorch torch = LibTorch.load();
    HAS_ONEDNN_LINEAR = torch.has("aoti_torch_cpu__linear_pointwise");
    HAS_TEXT = torch.has("torch_exception_get_what_without_backtrace");
    HAS_OPTIONALS = torch.has("torch_new_stable_ivalue");
  }

  private Shim() {}

  /// Returns whether this processor has the instructions that oneDNN's products of a narrow type
  /// ask for. Where that is not known the answer is no: f32 copies are always right.
  public static boolean hasHalfGemm(DType dtype) {
    return dtype == DType.BF16 ? BF16_GEMM : F16_GEMM;
  }

  /// Returns whether on this processor BLAS is the faster way to an f32 product whose second matrix
  /// lies row by row. On AVX2 oneDNN reads such a matrix badly: 1.2 to 2 times BLAS's time on Zen
  /// 3.
  public static boolean blasBeatsOneDnn() {
    return BLAS_BEATS_ONEDNN;
  }

  /// Returns how many threads libtorch's operations use when called from this one.
  public static int threads(Scope scope) {
    MemorySegment scratch = scope.scratch();
    check(Torch.torch_get_num_threads(scratch), "get_num_threads");
    return scratch.get(JAVA_INT, 0);
  }

  /// Turns libtorch's own gradient recording off on this thread, which saves work in each call.
  public static void prepareThread() {
    Torch.aoti_torch_grad_mode_set_enabled(false);
  }

  /// Makes a device ready for this process.
  public static void prepareDevice(Device device) {
    if (device.isCuda()) {
      Gpu.require(device);
    }
  }

  /// Returns where a tensor lies.
  public static Device device(Scope scope, MemorySegment tensor) {
    if (!Gpu.isInUse()) {
      return Device.CPU;
    }
    if (Gpu.SIMULATED) {
      return scope.device();
    }
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_device_type(tensor, scratch), "get_device_type");
    if (scratch.get(JAVA_INT, 0) == Device.CPU.kind().code()) {
      return Device.CPU;
    }
    check(Torch.aoti_torch_get_device_index(tensor, scratch), "get_device_index");
    int index = scratch.get(JAVA_INT, 0);
    return index == 0 ? Device.CUDA : new Device(Device.Kind.CUDA, index);
  }

  /// Throws libtorch's text if a call failed.
  public static void check(int code, String function) {
    if (code != 0) {
      throw TorchFailure.of(function, code, text(), TorchFailure.UNKNOWN, Driver::memory);
    }
  }

  /// As [#check], for a call that allocates about as much as one of its operands has.
  static void check(int code, String function, Tensor like) {
    if (code != 0) {
      throw failure(code, function, like.device(), like.elements() * like.dtype().bytes());
    }
  }

  private static NativeException failure(int code, String function, Device device, long bytes) {
    long asked = Gpu.isReal(device) ? bytes : TorchFailure.UNKNOWN;
    return TorchFailure.of(function, code, text(), asked, Driver::memory);
  }

  @SuppressWarnings("restricted")
  static @Nullable String text() {
    if (!HAS_TEXT) {
      return null;
    }
    MemorySegment text = Torch.torch_exception_get_what_without_backtrace();
    String line = text.reinterpret(Long.MAX_VALUE).getString(0);
    return line.lines().findFirst().orElse("no text");
  }

  private static MemorySegment out(MemorySegment scratch) {
    return scratch.get(ADDRESS, OUT);
  }

  private static MemorySegment put(MemorySegment scratch, int offset, long[] values) {
    if (values.length * 8L > scratch.byteSize() - offset || values.length > 56) {
      throw new IllegalArgumentException("found rank " + values.length + ", expected at most 56");
    }
    MemorySegment block = scratch.asSlice(offset);
    MemorySegment.copy(values, 0, block, JAVA_LONG, 0, values.length);
    return block;
  }

  /// Returns another handle of the same tensor.
  public static MemorySegment newHandle(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_new_tensor_handle(tensor, scratch), "new_tensor_handle");
    return out(scratch);
  }

  /// Deletes a handle.
  public static void delete(MemorySegment handle) {
    check(Torch.aoti_torch_delete_tensor_object(handle), "delete_tensor_object");
  }

  /// Returns whether a handle is of a defined tensor: operators return undefined ones for results
  /// that were masked out.
  static boolean isDefined(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_is_defined(tensor, scratch), "is_defined");
    return scratch.get(JAVA_BOOLEAN, 0);
  }

  /// Returns 8 bytes that libtorch deletes when it takes an optional argument. Before 2.13 there is
  /// no function for it, and its `delete` takes what `malloc` gave.
  @SuppressWarnings("restricted")
  static MemorySegment newOptional(Scope scope) {
    if (!HAS_OPTIONALS) {
      return CLibrary.malloc(8).reinterpret(8);
    }
    MemorySegment scratch = scope.scratch();
    check(Torch.torch_new_stable_ivalue(scratch), "new_stable_ivalue");
    return out(scratch).reinterpret(8);
  }

  /// Returns the bytes of the storage under a tensor.
  public static long storageBytes(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_storage_size(tensor, scratch), "get_storage_size");
    return scratch.get(JAVA_LONG, 0);
  }

  /// Returns a tensor's sizes.
  @SuppressWarnings("restricted")
  public static long[] sizes(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_dim(tensor, scratch), "get_dim");
    int rank = (int) scratch.get(JAVA_LONG, 0);
    check(Torch.aoti_torch_get_sizes(tensor, scratch), "get_sizes");
    return rank == 0 ? new long[0] : out(scratch).reinterpret(8L * rank).toArray(JAVA_LONG);
  }

  /// Returns a tensor's strides in elements.
  @SuppressWarnings("restricted")
  public static long[] strides(Scope scope, MemorySegment tensor, int rank) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_strides(tensor, scratch), "get_strides");
    return rank == 0 ? new long[0] : out(scratch).reinterpret(8L * rank).toArray(JAVA_LONG);
  }

  /// Returns a tensor's element type.
  public static DType dtype(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_dtype(tensor, scratch), "get_dtype");
    return DType.fromCode(scratch.get(JAVA_INT, 0));
  }

  /// Returns the address of a tensor's first element.
  public static long dataPointer(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_data_ptr(tensor, scratch), "get_data_ptr");
    return scratch.get(JAVA_LONG, 0);
  }

  /// Returns how far a tensor's first element lies behind the begin of its storage, in elements.
  public static long storageOffset(Scope scope, MemorySegment tensor) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_get_storage_offset(tensor, scratch), "get_storage_offset");
    return scratch.get(JAVA_LONG, 0);
  }

  /// Returns the only element of a tensor.
  public static double item(Scope scope, MemorySegment tensor, DType dtype) {
    MemorySegment scratch = scope.scratch();
    int code =
        switch (dtype) {
          case F32 -> Torch.aoti_torch_item_float32(tensor, scratch);
          case F64 -> Torch.aoti_torch_item_float64(tensor, scratch);
          case BF16 -> Torch.aoti_torch_item_bfloat16(tensor, scratch);
          case I64 -> Torch.aoti_torch_item_int64(tensor, scratch);
          case I32 -> Torch.aoti_torch_item_int32(tensor, scratch);
          default ->
              throw new DTypeException(
                  "item: found " + dtype + ", expected f32, f64, bf16, i64 or i32");
        };
    check(code, "item");
    return switch (dtype) {
      case F32 -> scratch.get(JAVA_FLOAT, 0);
      case F64 -> scratch.get(JAVA_DOUBLE, 0);
      case BF16 -> Float.intBitsToFloat(scratch.get(JAVA_INT, 0) << 16);
      case I64 -> (double) scratch.get(JAVA_LONG, 0);
      default -> scratch.get(JAVA_INT, 0);
    };
  }

  /// Views memory as a tensor.
  public static MemorySegment fromBlob(
      Scope scope, MemorySegment data, DType dtype, Device device, long[] shape, long[] strides) {
    MemorySegment scratch = scope.scratch();
    MemorySegment sizes = put(scratch, SIZES, shape);
    MemorySegment steps = put(scratch, STRIDES, strides);
    int kind = Gpu.code(device);
    scratch.set(JAVA_LONG, OUT, 0);
    check(
        Torch.aoti_torch_create_tensor_from_blob(
            data, shape.length, sizes, steps, 0, dtype.code(), kind, device.index(), scratch),
        "create_tensor_from_blob");
    return out(scratch);
  }

  /// Allocates a row-major tensor.
  public static MemorySegment empty(Scope scope, DType dtype, Device device, long[] shape) {
    MemorySegment scratch = scope.scratch();
    MemorySegment sizes = put(scratch, SIZES, shape);
    MemorySegment strides = put(scratch, STRIDES, Shapes.strides(shape));
    int code =
        Torch.aoti_torch_empty_strided(
            shape.length, sizes, strides, dtype.code(), Gpu.code(device), device.index(), scratch);
    if (code != 0) {
      throw failure(code, "empty_strided", device, Shapes.elements("empty", shape) * dtype.bytes());
    }
    return out(scratch);
  }

  /// Copies values of the heap to a tensor of a GPU, through pinned memory: the GPU takes them when
  /// it comes to it, and the caller goes on.
  public static void upload(
      Scope scope, MemorySegment target, MemorySegment values, DType dtype, long[] shape) {
    if (values.byteSize() == 0) {
      return;
    }
    MemorySegment pinned = emptyPinned(scope, dtype, shape);
    try {
      MemorySegment memory = MemorySegment.ofAddress(dataPointer(scope, pinned));
      MemorySegment.copy(values, 0, reinterpreted(memory, values.byteSize()), 0, values.byteSize());
      check(Torch.aoti_torch_copy_(target, pinned, 1), "copy_");
    } finally {
      delete(pinned); // libtorch keeps the block until the copy is over
    }
  }

  @SuppressWarnings("restricted")
  private static MemorySegment reinterpreted(MemorySegment memory, long bytes) {
    return memory.reinterpret(bytes);
  }

  private static MemorySegment emptyPinned(Scope scope, DType dtype, long[] shape) {
    if (Gpu.SIMULATED) {
      return empty(scope, dtype, Device.CPU, shape);
    }
    MemorySegment scratch = scope.scratch();
    MemorySegment sizes = put(scratch, SIZES, shape);
    MemorySegment strides = put(scratch, STRIDES, Shapes.strides(shape));
    check(
        Torch.aoti_torch_empty_strided_pinned(
            shape.length, sizes, strides, dtype.code(), Device.CPU.kind().code(), 0, scratch),
        "empty_strided_pinned");
    return out(scratch);
  }

  /// Views a tensor with other sizes and strides; the caller answers for their staying inside it.
  public static MemorySegment reinterpret(
      Scope scope, MemorySegment tensor, long[] shape, long[] strides, long offset) {
    MemorySegment scratch = scope.scratch();
    MemorySegment sizes = put(scratch, SIZES, shape);
    MemorySegment steps = put(scratch, STRIDES, strides);
    check(
        Torch.aoti_torch__reinterpret_tensor(tensor, shape.length, sizes, steps, offset, scratch),
        "_reinterpret_tensor");
    return out(scratch);
  }

  /// Views a part of a tensor of bytes as a row-major tensor of any type.
  ///
  /// @param from first byte, a multiple of the type's size
  public static MemorySegment viewBytes(
      Scope scope, Tensor bytes, long from, DType dtype, long[] shape) {
    long count = Shapes.elements("view", shape) * dtype.bytes();
    long[] one = {1};
    MemorySegment part = reinterpret(scope, bytes.handle(), new long[] {count}, one, from);
    MemorySegment scratch = scope.scratch();
    MemorySegment typed;
    try {
      check(
          Gpu.holds(bytes)
              ? TorchCuda.aoti_torch_cuda_view_dtype(part, dtype.code(), scratch)
              : Torch.aoti_torch_cpu_view_dtype(part, dtype.code(), scratch),
          "view");
      typed = out(scratch);
    } finally {
      delete(part);
    }
    try {
      return reinterpret(scope, typed, shape, Shapes.strides(shape), 0); // from where that begins
    } finally {
      delete(typed);
    }
  }

  /// Sets every element to zero.
  public static void zero(MemorySegment tensor) {
    check(Torch.aoti_torch_zero_(tensor), "zero_");
  }

  /// Sets every element to a value.
  public static void fill(Tensor tensor, double value) {
    MemorySegment handle = tensor.handle();
    check(
        Gpu.holds(tensor)
            ? TorchCuda.aoti_torch_cuda_fill__Scalar(handle, value)
            : Torch.aoti_torch_cpu_fill__Scalar(handle, value),
        "fill_");
  }

  /// Copies the elements of `source` into `target`, with a change of type where they differ.
  public static void copy(MemorySegment target, MemorySegment source) {
    check(Torch.aoti_torch_copy_(target, source, 0), "copy_");
  }

  /// Returns a + alpha b.
  public static MemorySegment add(Scope scope, Tensor a, Tensor b, double alpha) {
    MemorySegment scratch = scope.scratch();
    MemorySegment left = a.handle();
    MemorySegment right = b.handle();
    check(
        Gpu.holds(a)
            ? TorchCuda.aoti_torch_cuda_add_Tensor(left, right, alpha, scratch)
            : Torch.aoti_torch_cpu_add_Tensor(left, right, alpha, scratch),
        "add",
        a);
    return out(scratch);
  }

  /// Returns a - b.
  public static MemorySegment sub(Scope scope, Tensor a, Tensor b) {
    MemorySegment scratch = scope.scratch();
    check(Torch.aoti_torch_aten_subtract_Tensor(a.handle(), b.handle(), 1, scratch), "sub", a);
    return out(scratch);
  }

  /// Returns a * b.
  public static MemorySegment mul(Scope scope, Tensor a, Tensor b) {
    MemorySegment scratch = scope.scratch();
    MemorySegment left = a.handle();
    MemorySegment right = b.handle();
    check(
        Gpu.holds(a)
            ? TorchCuda.aoti_torch_cuda_mul_Tensor(left, right, scratch)
            : Torch.aoti_torch_cpu_mul_Tensor(left, right, scratch),
        "mul",
        a);
    return out(scratch);
  }

  /// Returns a times a constant.
  public static MemorySegment scale(Scope scope, Tensor a, double factor) {
    MemorySegment scratch = scope.scratch();
    MemorySegment handle = a.handle();
    check(
        Gpu.holds(a)
            ? TorchCuda.aoti_torch_cuda_mul_Scalar(handle, factor, scratch)
            : Torch.aoti_torch_cpu_mul_Scalar(handle, factor, scratch),
        "mul",
        a);
    return out(scratch);
  }

  /// Returns a to a constant power.
  public static MemorySegment pow(Scope scope, Tensor a, double exponent) {
    MemorySegment scratch = scope.scratch();
    MemorySegment handle = a.handle();
    check(
        Gpu.holds(a)
            ? TorchCuda.aoti_torch_cuda_pow_Tensor_Scalar(handle, exponent, scratch)
            : Torch.aoti_torch_cpu_pow_Tensor_Scalar(handle, exponent, scratch),
        "pow",
        a);
    return out(scratch);
  }

  /// Returns whether this libtorch has oneDNN's linear layer, see [#linear].
  public static boolean hasOneDnnLinear() {
    return HAS_ONEDNN_LINEAR;
  }

  /// Returns x wᵀ + bias by oneDNN: for f32 about twice as fast as MKL or OpenBLAS on AMD
  /// processors, and without OpenBLAS's own threads, which fight with OpenMP's.
  ///
  /// @param w `(O, I)`, any strides
  /// @param bias `(O)`, or null
  public static MemorySegment linear(
      Scope scope, MemorySegment x, MemorySegment w, @Nullable MemorySegment bias) {
    MemorySegment scratch = scope.scratch();
    MemorySegment optional = MemorySegment.NULL;
    if (bias != null) {
      optional = scratch.asSlice(SIZES, 8);
      optional.set(ADDRESS, 0, bias);
    }
    check(
        Torch.aoti_torch_cpu__linear_pointwise(
            x, w, optional, NO_ACTIVATION, MemorySegment.NULL, 0, MemorySegment.NULL, scratch),
        "linear");
    return out(scratch);
  }

  /// Writes a b into `result`.
  public static void mm(Tensor result, Tensor a, Tensor b) {
    MemorySegment target = result.handle();
    check(
        Gpu.holds(result)
            ? TorchCuda.aoti_torch_cuda_mm_out(target, a.handle(), b.handle())
            : Torch.aoti_torch_cpu_mm_out(target, a.handle(), b.handle()),
        "mm");
  }

  /// Writes beta c + alpha a b into `result`, which may be c.
  public static void addmm(Tensor result, Tensor c, Tensor a, Tensor b, double beta, double alpha) {
    if (Gpu.holds(result)) {
      check(
          TorchCuda.aoti_torch_cuda_addmm_out(
              result.handle(), c.handle(), a.handle(), b.handle(), beta, alpha),
          "addmm");
    } else {
      addmm(result.handle(), c.handle(), a.handle(), b.handle(), beta, alpha);
    }
  }

  /// Does the same for handles of the host's tensors that the caller keeps alive, on any thread.
  public static void addmm(
      MemorySegment result,
      MemorySegment c,
      MemorySegment a,
      MemorySegment b,
      double beta,
      double alpha) {
    check(Torch.aoti_torch_cpu_addmm_out(result, c, a, b, beta, alpha), "addmm");
  }

  /// Writes the batched product a b into `result`.
  public static void bmm(Tensor result, Tensor a, Tensor b) {
    MemorySegment target = result.handle();
    check(
        Gpu.holds(result)
            ? TorchCuda.aoti_torch_cuda_bmm_out(target, a.handle(), b.handle())
            : Torch.aoti_torch_cpu_bmm_out(target, a.handle(), b.handle()),
        "bmm");
  }

  /// Writes beta c + alpha a b, batched, into `result`, which may be c.
  public static void baddbmm(
      Tensor result, Tensor c, Tensor a, Tensor b, double beta, double alpha) {
    MemorySegment target = result.handle();
    check(
        Gpu.holds(result)
            ? TorchCuda.aoti_torch_cuda_baddbmm_out(
                target, c.handle(), a.handle(), b.handle(), beta, alpha)
            : Torch.aoti_torch_cpu_baddbmm_out(
                target, c.handle(), a.handle(), b.handle(), beta, alpha),
        "baddbmm");
  }
}
