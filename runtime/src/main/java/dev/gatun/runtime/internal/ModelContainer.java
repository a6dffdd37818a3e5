package dev.gatun.runtime.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.load.LibTorch;
import dev.gatun.runtime.TorchException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// The C functions in the library of one compiled model, as libtorch's
/// `torch/csrc/inductor/aoti_runtime/interface.h` declares them.
///
/// Bound by hand: what jextract makes links one library for the whole process, but each compiled
/// model brings these functions anew, under the same names. All return 0 or a code, and leave the
/// text in the library.
public final class ModelContainer {
  private static final String PREFIX = "AOTInductorModelContainer";

  private static final MethodHandle CREATE = handle(ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle DELETE = handle(ADDRESS);
  private static final MethodHandle COUNT = handle(ADDRESS, ADDRESS);
  private static final MethodHandle ENTRIES = handle(ADDRESS, ADDRESS, ADDRESS, JAVA_BOOLEAN);
  private static final MethodHandle RUN =
      handle(ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle LAST_ERROR = handle(ADDRESS);

  private final MemorySegment run;
  private final MemorySegment lastError;
  private final MemorySegment container;
  private final Arena arena;
  private final int inputs;
  private final int outputs;
  private final Map<String, MemorySegment> weights;

  /// Opens a model's library against the libtorch of this process and makes a container of one
  /// model on the CPU.
  ///
  /// @param library the library; the file may be deleted afterwards, except on Windows
  /// @param arena owner of the container: it lives as long, and may be used from the same threads
  /// @throws IOException if the library cannot be linked, or lacks a function or weights
  /// @throws TorchException if the model cannot be made
  @SuppressWarnings("restricted")
  public ModelContainer(Path library, Arena arena) throws IOException {
    SymbolLookup symbols = LibTorch.load().open(library);
    MemorySegment create = function(symbols, PREFIX + "CreateWithDevice");
    MemorySegment delete = function(symbols, PREFIX + "Delete");
    MemorySegment inputCount = function(symbols, PREFIX + "GetNumInputs");
    MemorySegment outputCount = function(symbols, PREFIX + "GetNumOutputs");
    MemorySegment weightCount = function(symbols, PREFIX + "GetNumConstants");
    MemorySegment entries = function(symbols, PREFIX + "ExtractConstantsMapEntries");
    this.run = function(symbols, PREFIX + "RunSingleThreaded");
    this.lastError = function(symbols, "AOTInductorGetLastError");
    this.arena = arena;
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ADDRESS);
      MemorySegment device = call.allocateFrom("cpu");
      check("Create", () -> (int) CREATE.invokeExact(create, out, 1L, device, MemorySegment.NULL));
      this.container =
          out.get(ADDRESS, 0)
              .reinterpret(
                  arena, ended -> check("Delete", () -> (int) DELETE.invokeExact(delete, ended)));
    }
    this.inputs = count("GetNumInputs", inputCount);
    this.outputs = count("GetNumOutputs", outputCount);
    this.weights = weights(entries);
    int all = count("GetNumConstants", weightCount);
    if (weights.size() != all) {
      throw new IOException(
          "%d of %d weights, expected all: they are in other files or folded when it first runs"
              .formatted(weights.size(), all));
    }
  }

  /// Returns how many tensors it takes.
  public int inputs() {
    return inputs;
  }

  /// Returns how many tensors it gives.
  public int outputs() {
    return outputs;
  }

  /// Returns the handles of its weights and buffers by the names that they have in the Python
  /// module. They are the container's own and live as long.
  public Map<String, MemorySegment> weights() {
    return weights;
  }

  /// Runs the model.
  ///
  /// @param in handles of as many tensors as it takes; those that it has taken over are NULL
  ///   afterwards, also where it fails
  /// @param out room for as many as it gives, zeroed; afterwards handles that the caller owns, the
  ///   same one for outputs that are the same, NULL for one that is Python's `None`
  public void run(MemorySegment in, MemorySegment out) {
    check(
        "Run",
        () ->
            (int)
                RUN.invokeExact(
                    run,
                    container,
                    in,
                    (long) inputs,
                    out,
                    (long) outputs,
                    MemorySegment.NULL,
                    MemorySegment.NULL));
  }

  private int count(String name, MemorySegment function) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(JAVA_LONG);
      check(name, () -> (int) COUNT.invokeExact(function, container, out));
      return Math.toIntExact(out.get(JAVA_LONG, 0));
    }
  }

  /// Reads the entries, a name and a handle each.
  @SuppressWarnings("restricted")
  private Map<String, MemorySegment> weights(MemorySegment function) {
    Map<String, MemorySegment> found = new LinkedHashMap<>();
    try (Arena call = Arena.ofConfined()) {
      MemorySegment list = call.allocate(ADDRESS);
      MemorySegment length = call.allocate(JAVA_LONG);
      check("Entries", () -> (int) ENTRIES.invokeExact(function, container, list, length, false));
      long count = length.get(JAVA_LONG, 0);
      MemorySegment entries = list.get(ADDRESS, 0).reinterpret(count * 2 * ADDRESS.byteSize());
      for (long i = 0; i < count; i++) {
        MemorySegment name = entries.getAtIndex(ADDRESS, 2 * i).reinterpret(Long.MAX_VALUE);
        MemorySegment handle = entries.getAtIndex(ADDRESS, 2 * i + 1).reinterpret(arena, null);
        found.put(name.getString(0), handle);
      }
    }
    return found;
  }

  private void check(String function, Call call) {
    int code = invoke(call);
    if (code != 0) {
      throw new TorchException(PREFIX + function, code, text());
    }
  }

  /// What the library says of its last failure on this thread; of one in libtorch only which
  /// function it called.
  @SuppressWarnings("restricted")
  private String text() {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ADDRESS);
      if (invoke(() -> (int) LAST_ERROR.invokeExact(lastError, out)) != 0) {
        return "no text";
      }
      String text = out.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
      String line = text.lines().findFirst().orElse("no text");
      String reason = line.contains("API call failed") ? Shim.text() : null;
      return reason == null ? line : line + ": " + reason;
    }
  }

  private static int invoke(Call call) {
    try {
      return call.invoke();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall threw a checked exception", e);
    }
  }

  private static MemorySegment function(SymbolLookup symbols, String name) throws IOException {
    return symbols
        .find(name)
        .orElseThrow(() -> new IOException("a library without " + name + ": an older torch's"));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(MemoryLayout... arguments) {
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_INT, arguments));
  }

  /// The body of one downcall, whose handle declares `Throwable`.
  @FunctionalInterface
  private interface Call {
    int invoke() throws Throwable;
  }
}
