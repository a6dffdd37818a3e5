package dev.gatun.bindings.load;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The C functions in the library of one compiled model, as libtorch's
/// `torch/csrc/inductor/aoti_runtime/interface.h` declares them.
///
/// Bound by hand: what jextract makes links one library for the whole process, but each compiled
/// model brings these functions anew, under the same names. All return 0 or a code, and leave the
/// text in the library. Immutable and thread-safe.
@SuppressWarnings("restricted")
public final class ModelLibrary {
  private static final String PREFIX = "AOTInductorModelContainer";

  private static final MethodHandle CREATE = handle(ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle ONE = handle(ADDRESS);
  private static final MethodHandle TWO = handle(ADDRESS, ADDRESS);
  private static final MethodHandle ENTRIES = handle(ADDRESS, ADDRESS, ADDRESS, JAVA_BOOLEAN);
  private static final MethodHandle RUN =
      handle(ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);

  private final MemorySegment create;
  private final MemorySegment delete;
  private final MemorySegment inputs;
  private final MemorySegment outputs;
  private final MemorySegment weights;
  private final MemorySegment entries;
  private final MemorySegment run;
  private final MemorySegment lastError;

  /// Opens a library against the libtorch of this process.
  ///
  /// @param library an absolute path
  /// @throws IOException if it cannot be linked, or lacks a function
  public ModelLibrary(Path library) throws IOException {
    SymbolLookup symbols = LibTorch.load().open(library);
    create = function(symbols, PREFIX + "CreateWithDevice");
    delete = function(symbols, PREFIX + "Delete");
    inputs = function(symbols, PREFIX + "GetNumInputs");
    outputs = function(symbols, PREFIX + "GetNumOutputs");
    weights = function(symbols, PREFIX + "GetNumConstants");
    entries = function(symbols, PREFIX + "ExtractConstantsMapEntries");
    run = function(symbols, PREFIX + "RunSingleThreaded");
    lastError = function(symbols, "AOTInductorGetLastError");
  }

  /// Makes a container of one model.
  ///
  /// @param out room for its address
  /// @param device `cpu`
  /// @return 0 or a code
  public int create(MemorySegment out, MemorySegment device) {
    return SystemLoader.call(
        () -> (int) CREATE.invokeExact(create, out, 1L, device, MemorySegment.NULL));
  }

  /// Deletes a container.
  ///
  /// @param container its address
  /// @return 0 or a code
  public int delete(MemorySegment container) {
    return SystemLoader.call(() -> (int) ONE.invokeExact(delete, container));
  }

  /// Counts the inputs.
  ///
  /// @param container its address
  /// @param out room for a `size_t`
  /// @return 0 or a code
  public int inputs(MemorySegment container, MemorySegment out) {
    return SystemLoader.call(() -> (int) TWO.invokeExact(inputs, container, out));
  }

  /// Counts the outputs.
  ///
  /// @param container its address
  /// @param out room for a `size_t`
  /// @return 0 or a code
  public int outputs(MemorySegment container, MemorySegment out) {
    return SystemLoader.call(() -> (int) TWO.invokeExact(outputs, container, out));
  }

  /// Counts the weights and buffers, folded ones included.
  ///
  /// @param container its address
  /// @param out room for a `size_t`
  /// @return 0 or a code
  public int weights(MemorySegment container, MemorySegment out) {
    return SystemLoader.call(() -> (int) TWO.invokeExact(weights, container, out));
  }

  /// Lists the weights and buffers that are there.
  ///
  /// @param container its address
  /// @param list room for the address of pairs of a name and a handle, which the container owns
  /// @param length room for a `size_t`
  /// @return 0 or a code
  public int entries(MemorySegment container, MemorySegment list, MemorySegment length) {
    return SystemLoader.call(
        () -> (int) ENTRIES.invokeExact(entries, container, list, length, false));
  }

  /// Runs the model.
  ///
  /// @param container its address
  /// @param in handles, which it takes over and sets to NULL
  /// @param inputs how many
  /// @param out room for handles
  /// @param outputs how many
  /// @return 0 or a code
  public int run(
      MemorySegment container, MemorySegment in, long inputs, MemorySegment out, long outputs) {
    return SystemLoader.call(() ->
        (int)
            RUN.invokeExact(
                run, container, in, inputs, out, outputs, MemorySegment.NULL, MemorySegment.NULL));
  }

  /// Tells what the last failure on this thread was.
  ///
  /// @param out room for the address of a text
  /// @return 0 or a code
  public int lastError(MemorySegment out) {
    return SystemLoader.call(() -> (int) ONE.invokeExact(lastError, out));
  }

  private static MemorySegment function(SymbolLookup symbols, String name) throws IOException {
    return symbols
        .find(name)
        .orElseThrow(() -> new IOException("a library without " + name + ": an older torch's"));
  }

  private static MethodHandle handle(MemoryLayout... arguments) {
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
