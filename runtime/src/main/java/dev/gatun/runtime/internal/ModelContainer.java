package dev.gatun.runtime.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.load.ModelLibrary;
import dev.gatun.runtime.TorchException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToIntFunction;

/// A compiled model in its library, which ends with an arena.
public final class ModelContainer {
  private final ModelLibrary library;
  private final MemorySegment container;
  private final Arena arena;
  private final int inputs;
  private final int outputs;
  private final Map<String, MemorySegment> weights;

  /// Opens a model's library against the libtorch of this process and makes a container of one
  /// model on the CPU.
  ///
  /// @param file the library; it may be deleted afterwards, except on Windows
  /// @param arena owner of the container: it lives as long, and may be used from the same threads
  /// @throws IOException if the library cannot be linked, or lacks a function or weights
  /// @throws TorchException if the model cannot be made
  @SuppressWarnings("restricted")
  public ModelContainer(Path file, Arena arena) throws IOException {
    this.library = new ModelLibrary(file);
    this.arena = arena;
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ADDRESS);
      check("Create", library.create(out, call.allocateFrom("cpu")));
      this.container =
          out.get(ADDRESS, 0).reinterpret(arena, ended -> check("Delete", library.delete(ended)));
    }
    this.inputs = count("GetNumInputs", out -> library.inputs(container, out));
    this.outputs = count("GetNumOutputs", out -> library.outputs(container, out));
    this.weights = listWeights();
    int all = count("GetNumConstants", out -> library.weights(container, out));
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
    check("Run", library.run(container, in, inputs, out, outputs));
  }

  private int count(String name, ToIntFunction<MemorySegment> function) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(JAVA_LONG);
      check(name, function.applyAsInt(out));
      return Math.toIntExact(out.get(JAVA_LONG, 0));
    }
  }

  /// Reads the entries, a name and a handle each.
  @SuppressWarnings("restricted")
  private Map<String, MemorySegment> listWeights() {
    Map<String, MemorySegment> found = new LinkedHashMap<>();
    try (Arena call = Arena.ofConfined()) {
      MemorySegment list = call.allocate(ADDRESS);
      MemorySegment length = call.allocate(JAVA_LONG);
      check("Entries", library.entries(container, list, length));
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

  private void check(String function, int code) {
    if (code != 0) {
      throw new TorchException("AOTInductorModelContainer" + function, code, text());
    }
  }

  /// What the library says of its last failure on this thread; of one in libtorch only which
  /// function it called.
  @SuppressWarnings("restricted")
  private String text() {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ADDRESS);
      if (library.lastError(out) != 0) {
        return "no text";
      }
      String text = out.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
      String line = text.lines().findFirst().orElse("no text");
      String reason = line.contains("API call failed") ? Shim.text() : null;
      return reason == null ? line : line + ": " + reason;
    }
  }
}
