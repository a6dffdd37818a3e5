package dev.gatun.runtime.internal.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.bindings.load.CudaLibrary;
import dev.gatun.bindings.nvrtc.Nvrtc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A driver and a compiler of Java upcall stubs under the generated bindings, for a machine without
/// a device: device memory is host memory between guards and a kernel is a function of the host.
/// The default stream does everything at once; one that was created does nothing before it must, so
/// that what is changed or freed too early shows.
///
/// Methods bear the names of the C functions that they stand for.
@SuppressWarnings({"unused", "restricted"})
public final class FakeCuda {
  private static final int GUARD = 64;
  private static final byte GUARD_BYTE = 0x5B;
  private static final byte[] ELF = {0x7F, 'E', 'L', 'F'};
  static final long TOTAL = 1L << 30;

  private static @Nullable FakeCuda installed;

  private final Path folder;
  private final Map<Long, Block> blocks = new HashMap<>();
  private final Map<Long, Object> handles = new HashMap<>();
  private final Map<Long, Arena> pinned = new HashMap<>();
  private final Map<String, HostKernels> programs = new HashMap<>();
  private long next = 0x1000;
  private long used;
  private long context;

  /// What calls did, and what they shall do.
  int compilations;

  int launches;
  int plantedLaunch;
  int plantedCompile;
  int liveEvents;
  int liveStreams;
  int copies;
  @Nullable Throwable failure;

  private record Block(Arena arena, MemorySegment memory) {}

  private record Function(HostKernels kernels, String name) {}

  private record Program(String source, List<String> defines) {}

  private static final class Event {
    private long recorded = -1;
    private @Nullable Stream stream;
    private long position;
  }

  private record Copy(long target, MemorySegment source) {}

  private static final class Stream {
    private final Deque<Copy> waiting = new ArrayDeque<>();
    private long done;

    void runTo(long position) {
      while (done < position) {
        Copy copy = waiting.removeFirst();
        memory(copy.target, copy.source.byteSize()).copyFrom(copy.source);
        done++;
      }
    }

    long end() {
      return done + waiting.size();
    }
  }

  private FakeCuda(Path folder) {
    this.folder = folder;
  }

  /// Returns whether this JVM is to run with it.
  public static boolean isWanted() {
    return Boolean.getBoolean("gatun.cuda.fake");
  }

  /// Puts it in the place of the driver and of NVRTC, for the life of the JVM.
  public static synchronized FakeCuda install() {
    if (installed == null) {
      try {
        FakeCuda fake = new FakeCuda(Files.createTempDirectory("host-kernels"));
        CudaLibrary.DRIVER.replace(fake.symbols(Cuda.class));
        CudaLibrary.NVRTC.replace(fake.symbols(Nvrtc.class));
        KernelCompiler.keepIn(fake.folder.resolve("cache"));
        installed = fake;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return installed;
  }

  private SymbolLookup symbols(Class<?> bindings) {
    return name -> {
      try {
        // A holder class asks for its symbol when its descriptor is already there.
        var descriptor = (FunctionDescriptor) bindings.getMethod(name + "$descriptor").invoke(null);
        MethodType type = descriptor.toMethodType();
        MethodHandle body = MethodHandles.lookup().findVirtual(FakeCuda.class, name, type);
        MethodHandle safe =
            type.returnType() == int.class ? caught(body.bindTo(this)) : body.bindTo(this);
        return Optional.of(Linker.nativeLinker().upcallStub(safe, descriptor, Arena.global()));
      } catch (NoSuchMethodException e) {
        return Optional.empty();
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    };
  }

  /// An exception that left an upcall would end the JVM.
  private MethodHandle caught(MethodHandle body) throws ReflectiveOperationException {
    MethodHandle handler =
        MethodHandles.lookup()
            .findVirtual(
                FakeCuda.class, "unknown", MethodType.methodType(int.class, Throwable.class))
            .bindTo(this);
    return MethodHandles.catchException(
        body,
        Throwable.class,
        MethodHandles.dropArguments(handler, 1, body.type().parameterList()));
  }

  private int unknown(Throwable thrown) {
    failure = thrown;
    return 999;
  }

  private long handle(Object of) {
    next += 16;
    handles.put(next, of);
    return next;
  }

  private <T> T at(MemorySegment handle, Class<T> type) {
    Object found = handles.get(handle.address());
    if (!type.isInstance(found)) {
      throw new AssertionError("handle: found " + found + ", expected " + type.getSimpleName());
    }
    return type.cast(found);
  }

  long liveBytes() {
    return used;
  }

  int cuInit(int flags) {
    return 0;
  }

  int cuDriverGetVersion(MemorySegment version) {
    version.set(JAVA_INT, 0, 13000);
    return 0;
  }

  int cuGetErrorName(int error, MemorySegment text) {
    return name(error, text, "FAKE_ERROR_" + error);
  }

  int cuGetErrorString(int error, MemorySegment text) {
    return name(error, text, "planted");
  }

  private static int name(int error, MemorySegment text, String value) {
    text.set(ADDRESS, 0, Arena.global().allocateFrom(value));
    return 0;
  }

  int cuDeviceGetCount(MemorySegment count) {
    count.set(JAVA_INT, 0, 1);
    return 0;
  }

  int cuDeviceGet(MemorySegment device, int ordinal) {
    device.set(JAVA_INT, 0, ordinal);
    return 0;
  }

  int cuDeviceGetName(MemorySegment name, int length, int device) {
    name.setString(0, "Fake");
    return 0;
  }

  int cuDeviceTotalMem_v2(MemorySegment bytes, int device) {
    bytes.set(JAVA_LONG, 0, TOTAL);
    return 0;
  }

  int cuDeviceGetAttribute(MemorySegment value, int attribute, int device) {
    boolean major = attribute == Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR();
    boolean minor = attribute == Cuda.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR();
    value.set(JAVA_INT, 0, major ? 9 : minor ? 0 : 132);
    return 0;
  }

  int cuDevicePrimaryCtxRetain(MemorySegment out, int device) {
    out.set(JAVA_LONG, 0, 0xC0DE);
    return 0;
  }

  int cuCtxGetCurrent(MemorySegment out) {
    out.set(JAVA_LONG, 0, 0);
    return 0;
  }

  int cuCtxSetCurrent(MemorySegment context) {
    this.context = context.address();
    return 0;
  }

  int cuCtxGetDevice(MemorySegment device) {
    device.set(JAVA_INT, 0, 0);
    return 0;
  }

  int cuMemGetInfo_v2(MemorySegment free, MemorySegment total) {
    free.set(JAVA_LONG, 0, TOTAL - used);
    total.set(JAVA_LONG, 0, TOTAL);
    return 0;
  }

  int cuMemAlloc_v2(MemorySegment out, long bytes) {
    if (used + bytes > TOTAL) {
      return 2;
    }
    Arena arena = Arena.ofShared();
    MemorySegment memory = arena.allocate(bytes + 2 * GUARD, 256);
    memory.fill(GUARD_BYTE);
    long address = memory.address() + GUARD;
    blocks.put(address, new Block(arena, memory));
    used += bytes;
    out.set(JAVA_LONG, 0, address);
    return 0;
  }

  int cuMemFree_v2(long address) {
    Block block = blocks.remove(address);
    if (block == null) {
      return 1;
    }
    long bytes = block.memory.byteSize() - 2 * GUARD;
    used -= bytes;
    for (long i = 0; i < GUARD; i++) {
      if (block.memory.get(JAVA_BYTE, i) != GUARD_BYTE
          || block.memory.get(JAVA_BYTE, GUARD + bytes + i) != GUARD_BYTE) {
        throw new AssertionError("a kernel wrote outside a block of " + bytes + " bytes");
      }
    }
    block.arena.close();
    return 0;
  }

  int cuPointerGetAttribute(MemorySegment value, int attribute, long address) {
    boolean isDevice =
        blocks.entrySet().stream()
            .anyMatch(block ->
                address >= block.getKey()
                    && address < block.getKey() + block.getValue().memory.byteSize() - 2 * GUARD);
    boolean isPinned = pinned.containsKey(address);
    if (!isDevice && !isPinned) {
      return 1;
    }
    value.set(JAVA_INT, 0, attribute == 2 ? (isDevice ? 2 : 1) : 0);
    return 0;
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  int cuMemcpyHtoDAsync_v2(long target, MemorySegment source, long bytes, MemorySegment stream) {
    copies++;
    Copy copy = new Copy(target, source.reinterpret(bytes));
    if (stream.address() == 0) {
      memory(target, bytes).copyFrom(copy.source);
    } else {
      at(stream, Stream.class).waiting.add(copy);
    }
    return 0;
  }

  int cuMemcpyDtoHAsync_v2(MemorySegment target, long source, long bytes, MemorySegment stream) {
    target.reinterpret(bytes).copyFrom(memory(source, bytes));
    return 0;
  }

  int cuMemHostAlloc(MemorySegment out, long bytes, int flags) {
    Arena arena = Arena.ofShared();
    MemorySegment memory = arena.allocate(bytes, 4096);
    pinned.put(memory.address(), arena);
    out.set(ADDRESS, 0, memory);
    return 0;
  }

  int cuMemFreeHost(MemorySegment memory) {
    Arena arena = pinned.remove(memory.address());
    if (arena == null) {
      return 1;
    }
    for (Object each : handles.values()) {
      if (each instanceof Stream stream && !stream.waiting.isEmpty()) {
        throw new AssertionError("pinned memory is freed while copies wait");
      }
    }
    arena.close();
    return 0;
  }

  int livePinned() {
    return pinned.size();
  }

  int cuStreamCreateWithPriority(MemorySegment out, int flags, int priority) {
    liveStreams++;
    out.set(JAVA_LONG, 0, handle(new Stream()));
    return 0;
  }

  int cuStreamDestroy_v2(MemorySegment stream) {
    Stream of = at(stream, Stream.class);
    of.runTo(of.end());
    handles.remove(stream.address());
    liveStreams--;
    return 0;
  }

  int cuStreamSynchronize(MemorySegment stream) {
    if (stream.address() != 0) {
      Stream of = at(stream, Stream.class);
      of.runTo(of.end());
    }
    return 0;
  }

  int cuStreamWaitEvent(MemorySegment stream, MemorySegment event, int flags) {
    return cuEventSynchronize(event);
  }

  int cuEventCreate(MemorySegment out, int flags) {
    liveEvents++;
    out.set(JAVA_LONG, 0, handle(new Event()));
    return 0;
  }

  int cuEventRecord(MemorySegment event, MemorySegment stream) {
    Event of = at(event, Event.class);
    of.recorded = launches;
    of.stream = stream.address() == 0 ? null : at(stream, Stream.class);
    of.position = of.stream == null ? 0 : of.stream.end();
    return 0;
  }

  int cuEventQuery(MemorySegment event) {
    Event of = at(event, Event.class);
    return of.recorded < 0 || of.stream != null && of.stream.done < of.position ? 600 : 0;
  }

  int cuEventSynchronize(MemorySegment event) {
    Event of = at(event, Event.class);
    if (of.stream != null) {
      of.stream.runTo(of.position);
    }
    return 0;
  }

  int cuEventElapsedTime_v2(MemorySegment millis, MemorySegment start, MemorySegment end) {
    long launched = at(end, Event.class).recorded - at(start, Event.class).recorded;
    millis.set(JAVA_FLOAT, 0, launched);
    return 0;
  }

  int cuEventDestroy_v2(MemorySegment event) {
    at(event, Event.class);
    handles.remove(event.address());
    liveEvents--;
    return 0;
  }

  int cuModuleLoadDataEx(
      MemorySegment out,
      MemorySegment image,
      int count,
      MemorySegment options,
      MemorySegment values)
      throws IOException {
    String text = image.getString(ELF.length);
    HostKernels kernels = programs.get(text);
    if (kernels == null) {
      int line = text.indexOf('\n');
      String defines = text.substring(0, line);
      List<String> macros = defines.isEmpty() ? List.of() : List.of(defines.split(" "));
      kernels = HostKernels.compile(folder, text.substring(line + 1), macros);
      programs.put(text, kernels);
    }
    out.set(JAVA_LONG, 0, handle(kernels));
    return 0;
  }

  int cuModuleGetFunction(MemorySegment out, MemorySegment module, MemorySegment name) {
    HostKernels kernels = at(module, HostKernels.class);
    if (!kernels.has(name.getString(0))) {
      return 500;
    }
    out.set(JAVA_LONG, 0, handle(new Function(kernels, name.getString(0))));
    return 0;
  }

  int cuFuncGetParamInfo(
      MemorySegment function, long index, MemorySegment offset, MemorySegment size) {
    Function of = at(function, Function.class);
    return of.kernels.describe(of.name, (int) index, offset, size);
  }

  int cuLaunchKernel(
      MemorySegment function,
      int x,
      int y,
      int z,
      int threadsX,
      int threadsY,
      int threadsZ,
      int shared,
      MemorySegment stream,
      MemorySegment arguments,
      MemorySegment extra) {
    Function of = at(function, Function.class);
    if (plantedLaunch != 0) {
      return plantedLaunch;
    }
    if (threadsX % 32 != 0 || threadsX > 1024 || z * threadsY * threadsZ != 1) {
      return 1;
    }
    launches++;
    return of.kernels.run(of.name, arguments, x, y, threadsX) == 0 ? 0 : 719;
  }

  int nvrtcVersion(MemorySegment major, MemorySegment minor) {
    major.set(JAVA_INT, 0, 0);
    minor.set(JAVA_INT, 0, 0);
    return 0;
  }

  MemorySegment nvrtcGetErrorString(int code) {
    return Arena.global().allocateFrom("FAKE_NVRTC_ERROR_" + code);
  }

  int nvrtcCreateProgram(
      MemorySegment out,
      MemorySegment source,
      MemorySegment name,
      int count,
      MemorySegment headers,
      MemorySegment names) {
    out.set(JAVA_LONG, 0, handle(new Program(source.getString(0), new ArrayList<>())));
    return 0;
  }

  int nvrtcCompileProgram(MemorySegment program, int count, MemorySegment options) {
    compilations++;
    Program of = at(program, Program.class);
    for (int i = 0; i < count; i++) {
      String option = options.getAtIndex(ADDRESS, i).reinterpret(1 << 10).getString(0);
      if (option.startsWith("-D")) {
        of.defines.add(option.substring(2));
      }
    }
    return plantedCompile;
  }

  int nvrtcGetProgramLogSize(MemorySegment program, MemorySegment size) {
    size.set(JAVA_LONG, 0, 12);
    return 0;
  }

  int nvrtcGetProgramLog(MemorySegment program, MemorySegment log) {
    log.setString(0, "planted log");
    return 0;
  }

  private static byte[] image(Program program) {
    String text = String.join(" ", program.defines) + "\n" + program.source + "\0";
    byte[] bytes = text.getBytes(UTF_8);
    byte[] image = new byte[ELF.length + bytes.length];
    System.arraycopy(ELF, 0, image, 0, ELF.length);
    System.arraycopy(bytes, 0, image, ELF.length, bytes.length);
    return image;
  }

  int nvrtcGetCUBINSize(MemorySegment program, MemorySegment size) {
    size.set(JAVA_LONG, 0, image(at(program, Program.class)).length);
    return 0;
  }

  int nvrtcGetCUBIN(MemorySegment program, MemorySegment cubin) {
    byte[] image = image(at(program, Program.class));
    MemorySegment.copy(image, 0, cubin, JAVA_BYTE, 0, image.length);
    return 0;
  }

  int nvrtcDestroyProgram(MemorySegment program) {
    handles.remove(program.get(JAVA_LONG, 0));
    return 0;
  }
}
