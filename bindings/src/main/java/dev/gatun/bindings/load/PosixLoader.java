package dev.gatun.bindings.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// `dlopen` and its kin, on Linux and macOS.
@SuppressWarnings("restricted")
final class PosixLoader implements SystemLoader {
  private static final int RTLD_NOW = 2;

  private final MethodHandle dlopen;
  private final MethodHandle dlsym;
  private final MethodHandle dlerror;
  private final MethodHandle setenv;
  private final int local;
  private final int global;

  PosixLoader(boolean mac) {
    dlopen = link("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    dlsym = link("dlsym", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
    dlerror = link("dlerror", FunctionDescriptor.of(ADDRESS));
    setenv = link("setenv", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
    local = mac ? 0x4 : 0;
    global = mac ? 0x8 : 0x100;
  }

  private static MethodHandle link(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }

  @Override
  public MemorySegment open(Path library, boolean visible) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(library.toString());
      int mode = RTLD_NOW | (visible ? global : local);
      MemorySegment handle =
          SystemLoader.call(() -> (MemorySegment) dlopen.invokeExact(path, mode));
      if (handle.address() == 0) {
        MemorySegment text = SystemLoader.call(() -> (MemorySegment) dlerror.invokeExact());
        throw new IOException(
            text.address() == 0 ? library + ": dlopen failed" : cString(text).strip());
      }
      return handle;
    }
  }

  @Override
  public SymbolLookup symbols(List<MemorySegment> libraries) {
    // dlsym on a library searches all that it depends on as well.
    return name ->
        libraries.reversed().stream()
            .flatMap(library -> symbol(library, name).stream())
            .findFirst();
  }

  private Optional<MemorySegment> symbol(MemorySegment library, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      MemorySegment address =
          SystemLoader.call(() -> (MemorySegment) dlsym.invokeExact(library, text));
      return address.address() == 0 ? Optional.empty() : Optional.of(address);
    }
  }

  @Override
  public void setVariable(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom(name);
      MemorySegment text = arena.allocateFrom(value);
      SystemLoader.call(() -> (int) setenv.invokeExact(key, text, 1));
    }
  }

  private static String cString(MemorySegment text) {
    return text.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
