package dev.gatun.runtime.safetensors;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.Gpu;
import dev.gatun.runtime.internal.Shim;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.UploadRing;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Brings tensors of mapped files to a device: one allocation for all that keep their type, filled
/// through a ring of pinned memory while the file is read, and each tensor a view of it.
///
/// Tensors that change their type are copied as they are and converted there, 256 MiB at a time.
///
/// Open one for a few files, as the ring takes a while to pin, and close it: it holds threads and
/// 32 MiB of pinned memory. Confined to the thread that opened it.
public final class DeviceUpload implements AutoCloseable {
  private static final long ALIGNMENT = 256; // libtorch's own, enough for each of its kernels
  private static final long STAGED_BYTES = 256L << 20;

  private final Device device;
  private final @Nullable UploadRing ring; // none where the tensors lie in host memory
  private int deviceBefore;

  private DeviceUpload(Device device) {
    this.device = device;
    if (Gpu.isReal(device)) {
      CudaThread thread = CudaThread.current();
      deviceBefore = thread.device();
      thread.use(device.index());
      ring = ring();
    } else {
      ring = null;
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the upload
  private static UploadRing ring() {
    return UploadRing.open();
  }

  /// Opens the way to a device, of which a scope is open.
  ///
  /// @param device where the tensors shall lie
  /// @return the way there
  /// @throws dev.gatun.runtime.CudaException if there is no pinned memory
  @MustBeClosed
  public static DeviceUpload open(Device device) {
    return new DeviceUpload(device);
  }

  /// Where tensors lie in the allocation that they share.
  private record Block(List<TensorEntry> entries, long[] starts, long bytes) {
    static Block of(List<TensorEntry> entries) {
      long[] starts = new long[entries.size()];
      long bytes = 0;
      for (int i = 0; i < starts.length; i++) {
        starts[i] = bytes;
        bytes += Math.ceilDiv(entries.get(i).data().byteSize(), ALIGNMENT) * ALIGNMENT;
      }
      return new Block(entries, starts, bytes);
    }

    /// Writes a part of the allocation; what lies between tensors is left as it is.
    void fill(long from, MemorySegment slot) {
      long end = from + slot.byteSize();
      int found = Arrays.binarySearch(starts, from);
      for (int i = found < 0 ? -found - 2 : first(found);
          i < starts.length && starts[i] < end;
          i++) {
        MemorySegment data = entries.get(i).data();
        long begin = Math.max(from, starts[i]);
        long count = Math.min(end, starts[i] + data.byteSize()) - begin;
        if (count > 0) {
          MemorySegment.copy(data, begin - starts[i], slot, begin - from, count);
        }
      }
    }

    /// Tensors without elements begin where the next one does.
    private int first(int found) {
      int i = found;
      while (i > 0 && starts[i - 1] == starts[found]) {
        i--;
      }
      return i;
    }
  }

  /// Copies tensors to the device.
  ///
  /// @param scope owner of the results, of this device
  /// @param entries the tensors, whose data any thread may read
  /// @param types element type of each result
  /// @return the copies, in the order of the entries
  /// @throws IllegalArgumentException if the scope is of another device, or the lists differ in
  ///   length
  /// @throws dev.gatun.runtime.MemoryBudgetException if they would exceed the byte budget
  /// @throws dev.gatun.runtime.OutOfDeviceMemoryException if the device has not that much
  public List<Tensor> upload(Scope scope, List<TensorEntry> entries, List<DType> types) {
    if (!scope.device().equals(device)) {
      throw new IllegalArgumentException(
          "upload: found a scope of " + scope.device() + ", expected one of " + device);
    }
    if (types.size() != entries.size()) {
      throw new IllegalArgumentException(
          "upload: found %d types, expected %d".formatted(types.size(), entries.size()));
    }
    Tensor[] results = new Tensor[entries.size()];
    List<Integer> kept = new ArrayList<>();
    List<Integer> staged = new ArrayList<>();
    long stagedBytes = 0;
    for (int i = 0; i < results.length; i++) {
      if (entries.get(i).dtype() == types.get(i)) {
        kept.add(i);
        continue;
      }
      long bytes = entries.get(i).data().byteSize();
      if (!staged.isEmpty() && stagedBytes + bytes > STAGED_BYTES) {
        convert(scope, entries, types, staged, results);
        staged.clear();
        stagedBytes = 0;
      }
      staged.add(i);
      stagedBytes += bytes;
    }
    convert(scope, entries, types, staged, results);
    place(scope, entries, kept, results);
    return List.of(results);
  }

  private void convert(
      Scope scope,
      List<TensorEntry> entries,
      List<DType> types,
      List<Integer> which,
      Tensor[] results) {
    Tensor[] originals = new Tensor[results.length];
    try (Scope block = Scope.open(device)) {
      place(block, entries, which, originals);
      for (int i : which) {
        results[i] = scope.empty(types.get(i), entries.get(i).sizes());
        Shim.copy(results[i].handle(), originals[i].handle());
      }
    }
  }

  private void place(
      Scope scope, List<TensorEntry> entries, List<Integer> which, Tensor[] results) {
    if (which.isEmpty()) {
      return;
    }
    Block block = Block.of(which.stream().map(entries::get).toList());
    Tensor all = scope.empty(DType.U8, block.bytes());
    long address = Shim.dataPointer(scope, all.handle());
    if (ring == null) {
      block.fill(0, hostMemory(address, block.bytes()));
    } else {
      ring.copy(address, block.bytes(), block::fill);
    }
    for (int i = 0; i < which.size(); i++) {
      TensorEntry entry = block.entries().get(i);
      long[] shape = entry.sizes();
      results[which.get(i)] =
          scope.adoptView(
              Shim.viewBytes(scope, all, block.starts()[i], entry.dtype(), shape),
              all,
              entry.dtype(),
              shape);
    }
    scope.free(all); // the views keep the memory
  }

  @SuppressWarnings("restricted")
  private static MemorySegment hostMemory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /// Waits for the copies and gives threads and pinned memory back.
  @Override
  public void close() {
    if (ring != null) {
      ring.close();
      CudaThread.current().use(deviceBefore);
    }
  }
}
