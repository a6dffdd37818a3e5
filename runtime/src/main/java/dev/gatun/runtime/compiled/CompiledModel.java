package dev.gatun.runtime.compiled;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.DeviceException;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.Shapes;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.internal.ModelContainer;
import dev.gatun.runtime.internal.Shim;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// A model that PyTorch has compiled ahead of time (AOTInductor), run without Python.
///
/// ```python
/// program = torch.export.export(model, (ids,), dynamic_shapes=({0: torch.export.Dim("rows")},))
/// torch._inductor.aoti_compile_and_package(program, package_path="model.pt2")
/// ```
///
/// ```java
/// try (Scope weights = Scope.open()) {
///   CompiledModel model = CompiledModel.open(weights, Path.of("model.pt2"));
///   model.limit(0, 0, vocabulary - 1);
///   try (Scope call = Scope.open()) {
///     Tensor logits = model.run(call, call.of(ids, 2, 64)).getFirst();
///   }
/// }
/// ```
///
/// A package is machine code for one system, processor and release of libtorch: run only packages
/// that you trust. Python's compiler uses all instructions of the machine that it runs on, and
/// keeps its number of threads; `TORCHINDUCTOR_CPP_MARCH=x86-64-v3` and the setting
/// `cpp.dynamic_threads` make packages for others.
///
/// It belongs to the scope that it was opened in: it ends with that scope, and may be used from the
/// threads that the scope may. Calls on one model run one after the other. Its weights, a copy of
/// those in the library, are freed with it; the library stays mapped until the process ends, once
/// however often it is opened.
///
/// Inputs are checked by the compiled code itself, for which Gatun sets
/// `AOTI_RUNTIME_CHECK_INPUTS`. An index out of range, such as a token id beyond the vocabulary, is
/// found too late: in a loop of several threads it ends the process, in Python as well. A model
/// with such loops asks for [#limit] on its inputs of integers; one that was compiled with the
/// setting `cpp.threads=1` has none.
public final class CompiledModel {
  private static final String FOLDER = "model-" + UUID.randomUUID();

  private final Scope scope;
  private final ModelContainer container;
  private final boolean diesOfIndices;
  private final Map<String, Tensor> weights = new HashMap<>();
  private final Map<Integer, Limit> limits = new ConcurrentHashMap<>();

  /// The integers that an input may hold.
  private record Limit(long least, long most) {}

  private CompiledModel(Scope scope, ModelContainer container, boolean diesOfIndices) {
    this.scope = scope;
    this.container = container;
    this.diesOfIndices = diesOfIndices;
  }

  /// Opens the model of a package, which `aoti_compile_and_package` names `model`.
  ///
  /// @param scope owner of the model, on the host
  /// @param file the `.pt2` package
  /// @return the model
  /// @throws IOException as [#open(Scope, Path, String)]
  public static CompiledModel open(Scope scope, Path file) throws IOException {
    return open(scope, file, "model");
  }

  /// Opens one model of a package. Its library is unpacked into a private folder of
  /// [Backend#cacheFolder], linked with the libtorch of this process, and deleted.
  ///
  /// @param scope owner of the model, on the host
  /// @param file the `.pt2` package
  /// @param name the model's name in it
  /// @return the model
  /// @throws MalformedFileException if the file is no package, or the model is for another device,
  ///   system, processor or release of libtorch, has its weights outside its library, or calls
  ///   operators that C cannot
  /// @throws IOException if the file cannot be read or unpacked
  /// @throws dev.gatun.runtime.TorchException if the model cannot be made
  public static CompiledModel open(Scope scope, Path file, String name) throws IOException {
    if (scope.device().isCuda()) {
      throw new DeviceException("open: found a scope of " + scope.device() + ", expected the host");
    }
    try (ModelPackage opened = ModelPackage.open(file, name)) {
      opened.check();
      return new CompiledModel(scope, linked(scope, opened), opened.diesOfIndices());
    }
  }

  /// Opens a model's library, or the same one again: what was opened from the same place is taken
  /// for the same, and none can be closed.
  private static synchronized ModelContainer linked(Scope scope, ModelPackage opened)
      throws IOException {
    Path folder = Files.createDirectories(Backend.cacheFolder().resolve(FOLDER));
    try {
      Path library = opened.unpackLibrary(folder);
      try {
        return container(scope, opened.file(), library);
      } finally {
        Files.delete(library);
      }
    } finally {
      Files.delete(folder);
    }
  }

  private static ModelContainer container(Scope scope, Path file, Path library)
      throws MalformedFileException {
    try {
      return new ModelContainer(library, scope.arena());
    } catch (IOException e) {
      MalformedFileException malformed =
          new MalformedFileException(
              file,
              "library",
              String.valueOf(e.getMessage()).replace(library + ": ", ""),
              "one that runs with libtorch " + Backend.version());
      malformed.initCause(e);
      throw malformed;
    }
  }

  /// {@return how many tensors it takes}
  public int inputs() {
    return container.inputs();
  }

  /// Says which integers an input may hold; [#run] refuses others from now on.
  ///
  /// @param input number of the input, from 0
  /// @param least the smallest, for ids of tokens 0
  /// @param most the largest, for ids of tokens that of the vocabulary's last
  /// @throws IllegalArgumentException if there is no such input
  public void limit(int input, long least, long most) {
    if (input < 0 || input >= container.inputs()) {
      throw new IllegalArgumentException(
          "limit: found input %d, expected 0 to %d".formatted(input, container.inputs() - 1));
    }
    limits.put(input, new Limit(least, most));
  }

  /// {@return the names of its weights and buffers, as the Python module had them}
  ///
  /// The compiler puts some into the code, where they are out of reach and of which none is listed:
  /// those of 8 elements or less, and those whose elements are all the same, such as LoRA's B
  /// before training.
  public Set<String> weights() {
    return container.weights().keySet();
  }

  /// Returns a weight or buffer, in place: what is written to it, for instance through
  /// [Tensor#segment], counts from the next call on. It ends with the model.
  ///
  /// @param name one of [#weights]
  /// @return the weight, owned by the model's scope
  /// @throws IllegalArgumentException if there is none of this name, or it does not lie row by row
  public synchronized Tensor weight(String name) {
    return weights.computeIfAbsent(name, this::view);
  }

  @SuppressWarnings("restricted")
  private Tensor view(String name) {
    MemorySegment handle = container.weights().get(name);
    if (handle == null) {
      throw new IllegalArgumentException(
          "weight: found " + name + ", expected one of " + container.weights().keySet());
    }
    long[] shape = Shim.sizes(scope, handle);
    long[] strides = Shim.strides(scope, handle, shape.length);
    long[] byRows = Shapes.strides(shape);
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] != 1 && strides[i] != byRows[i]) {
        throw new IllegalArgumentException(
            "weight: found strides of another order in " + name + ", expected row by row");
      }
    }
    MemorySegment memory =
        MemorySegment.ofAddress(Shim.dataPointer(scope, handle))
            .reinterpret(Shim.storageBytes(scope, handle), scope.arena(), null);
    return scope.borrow(memory, Shim.dtype(scope, handle), shape);
  }

  /// Runs the model. What it gives has no gradient history.
  ///
  /// The model may write to its inputs, if the Python module does: they count as written. A result
  /// that is an input, or a view of one, shares its memory.
  ///
  /// @param results owner of the results
  /// @param inputs as many tensors as it takes, of the types and shapes it was compiled for, in the
  ///   order of the module's arguments; none empty, none read-only
  /// @return its outputs in the module's order, without those that are `None`
  /// @throws IllegalArgumentException if the number of inputs is another one, or one is empty, on a
  ///   GPU, or beyond its [#limit]
  /// @throws IllegalStateException if an input is read-only or closed, a gradient is wanted for it,
  ///   it has no limit and needs one, or the model's scope has ended
  /// @throws WrongThreadException if an input, or the model, belongs to a scope of another thread
  /// @throws dev.gatun.runtime.TorchException if the model refuses an input, or a kernel fails;
  ///   libtorch then writes the reason to standard error as well
  public List<Tensor> run(Scope results, Tensor... inputs) {
    check(results, inputs);
    List<Tensor> held = new ArrayList<>(inputs.length);
    try (Arena call = Arena.ofConfined()) {
      MemorySegment in = call.allocate(ADDRESS, inputs.length);
      MemorySegment out = call.allocate(ADDRESS, container.outputs());
      try {
        for (Tensor input : inputs) {
          input.acquire();
          held.add(input);
        }
        for (int i = 0; i < inputs.length; i++) {
          MemorySegment handle = inputs[i].handleForWriting("run");
          in.setAtIndex(ADDRESS, i, Shim.newHandle(results, handle));
        }
        synchronized (this) {
          container.run(in, out);
        }
        return adopted(results, out, inputs);
      } finally {
        for (int i = 0; i < inputs.length; i++) {
          Shim.delete(in.getAtIndex(ADDRESS, i)); // NULL where the model has taken it
        }
        held.forEach(Tensor::release);
      }
    }
  }

  private void check(Scope results, Tensor... inputs) {
    if (inputs.length != container.inputs()) {
      throw new IllegalArgumentException(
          "run: found %d inputs, expected %d".formatted(inputs.length, container.inputs()));
    }
    for (int i = 0; i < inputs.length; i++) {
      Tensor input = inputs[i];
      if (!input.device().equals(Device.CPU)) {
        throw new DeviceException(
            "run: input %d: found %s on %s, expected the host".formatted(i, input, input.device()));
      }
      if (input.elements() == 0) {
        throw new ShapeException(
            "run: input %d: found %s, expected an element at least".formatted(i, input));
      }
      if (!input.dtype().isFloating() && input.dtype() != DType.BOOL) {
        checkIndices(i, input);
      }
    }
    if (results.records(inputs)) {
      throw new IllegalStateException(
          "run: found an input that a gradient is wanted for, expected none: a compiled model has"
              + " no gradient; call it in a scope of Scope.untaped()");
    }
  }

  private void checkIndices(int number, Tensor input) {
    Limit limit = limits.get(number);
    if (limit == null && diesOfIndices) {
      throw new IllegalStateException(
          "run: input %d: found %s without a limit, expected one by CompiledModel.limit: an index out"
                  .formatted(number, input)
              + " of range would end the process");
    }
    if (limit == null) {
      return;
    }
    MemorySegment values = input.segment();
    for (long i = 0; i < input.elements(); i++) {
      long value = integer(values, input.dtype(), i);
      if (value < limit.least || value > limit.most) {
        throw new IllegalArgumentException(
            "run: input %d: found %d in it, expected %d to %d"
                .formatted(number, value, limit.least, limit.most));
      }
    }
  }

  private static long integer(MemorySegment values, DType dtype, long index) {
    return switch (dtype) {
      case I64 -> values.getAtIndex(JAVA_LONG_UNALIGNED, index);
      case I32 -> values.getAtIndex(JAVA_INT_UNALIGNED, index);
      case I16 -> values.getAtIndex(JAVA_SHORT_UNALIGNED, index);
      case U8 -> Byte.toUnsignedLong(values.get(JAVA_BYTE, index));
      default -> values.get(JAVA_BYTE, index);
    };
  }

  /// Takes ownership of the results. The same handle stands for each output that is the same.
  private static List<Tensor> adopted(Scope results, MemorySegment out, Tensor... inputs) {
    long[] handles = out.toArray(JAVA_LONG);
    Map<Long, Tensor> known = new HashMap<>();
    List<Tensor> tensors = new ArrayList<>(handles.length);
    Set<Long> taken = new HashSet<>();
    try {
      for (long handle : handles) {
        Tensor same = known.get(handle);
        if (same != null) {
          tensors.add(results.keep(same));
        } else if (handle != 0) {
          taken.add(handle);
          Tensor tensor = results.adoptResult(MemorySegment.ofAddress(handle), inputs);
          known.put(handle, tensor);
          tensors.add(tensor);
        }
      }
    } finally {
      for (long handle : handles) {
        if (taken.add(handle)) {
          Shim.delete(MemorySegment.ofAddress(handle));
        }
      }
    }
    return tensors;
  }
}
