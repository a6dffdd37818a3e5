package dev.gatun.bindings.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// `LoadLibraryExW` and its kin, on Windows. Not run on the machines this was written on.
@SuppressWarnings("restricted")
final class WindowsLoader implements SystemLoader {
  // Makes the loader look for a library's dependencies in the library's own folder.
  private static final int LOAD_WITH_ALTERED_SEARCH_PATH = 0x8;
  private static final Linker.Option CAPTURE = Linker.Option.captureCallState("GetLastError");
  private static final VarHandle LAST_ERROR =
      Linker.Option.captureStateLayout()
          .varHandle(MemoryLayout.PathElement.groupElement("GetLastError"));

  private final MethodHandle loadLibrary;
  private final MethodHandle getModuleHandle;
  private final MethodHandle getProcAddress;
  private final MethodHandle putenv;

  WindowsLoader() {
    Linker linker = Linker.nativeLinker();
    SymbolLookup kernel = SymbolLookup.libraryLookup("kernel32.dll", Arena.global());
    SymbolLookup runtime = SymbolLookup.libraryLookup("ucrtbase.dll", Arena.global());
    loadLibrary =
        linker.downcallHandle(
            kernel.findOrThrow("LoadLibraryExW"),
            FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, JAVA_INT),
            CAPTURE);
    getModuleHandle =
        linker.downcallHandle(
            kernel.findOrThrow("GetModuleHandleW"), FunctionDescriptor.of(ADDRESS, ADDRESS));
    getProcAddress =
        linker.downcallHandle(
            kernel.findOrThrow("GetProcAddress"), FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
    putenv =
        linker.downcallHandle(
            runtime.findOrThrow("_putenv_s"), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  }

  @Override
  public MemorySegment open(Path library, boolean visible) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(library.toString(), StandardCharsets.UTF_16LE);
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      MemorySegment handle =
          SystemLoader.call(() ->
              (MemorySegment)
                  loadLibrary.invokeExact(
                      state, path, MemorySegment.NULL, LOAD_WITH_ALTERED_SEARCH_PATH));
      if (handle.address() == 0) {
        throw new IOException(library + ": " + reason((int) LAST_ERROR.get(state, 0L)));
      }
      return handle;
    }
  }

  @Override
  public SymbolLookup symbols(List<MemorySegment> libraries) {
    List<MemorySegment> searched = new ArrayList<>(libraries.reversed());
    // GetProcAddress does not look into dependencies, and OpenMP's runtime is one.
    Stream.of("libiomp5md.dll", "vcomp140.dll")
        .map(this::module)
        .filter(module -> module.address() != 0)
        .forEach(searched::add);
    return name -> searched.stream().flatMap(library -> symbol(library, name).stream()).findFirst();
  }

  private MemorySegment module(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name, StandardCharsets.UTF_16LE);
      return SystemLoader.call(() -> (MemorySegment) getModuleHandle.invokeExact(text));
    }
  }

  private Optional<MemorySegment> symbol(MemorySegment library, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      MemorySegment address =
          SystemLoader.call(() -> (MemorySegment) getProcAddress.invokeExact(library, text));
      return address.address() == 0 ? Optional.empty() : Optional.of(address);
    }
  }

  @Override
  public void setVariable(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom(name);
      MemorySegment text = arena.allocateFrom(value);
      SystemLoader.call(() -> (int) putenv.invokeExact(key, text));
    }
  }

  private static String reason(int code) {
    return switch (code) {
      case 5 -> "access is denied (error 5)";
      case 126 ->
          "it or a DLL that it needs was not found (error 126); libtorch needs the Microsoft"
              + " Visual C++ 2015-2022 runtime";
      case 127 -> "a DLL that it needs lacks a function, so versions are mixed (error 127)";
      case 193 -> "it is no 64-bit DLL, or damaged (error 193)";
      default -> "LoadLibraryExW failed with error " + code;
    };
  }
}
