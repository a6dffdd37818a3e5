package dev.gatun.runtime.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.gatun.bindings.torch.Torch;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An ATen operator, called by name through libtorch's dispatcher.
///
/// A stack that does not fit the schema would crash the process, so every argument is checked
/// against the table of schemas here. All arguments are given, defaults included; `null` is an
/// absent optional.
///
/// | schema | Java |
/// |---|---|
/// | `Tensor`, `Tensor?` | [Tensor] |
/// | `Tensor[]`, `Tensor?[]` | `Tensor[]` |
/// | `int`, `int?` | [Long] or [Integer] |
/// | `int[]`, `int[]?` | `long[]` |
/// | `float`, `float?` | [Double] |
/// | `bool`, `bool[]` | [Boolean], `boolean[]` |
/// | `ScalarType?` | [DType] |
/// | `str` | [String] |
public final class Operator {
  private static final long VERSION = (2L << 56) | (10L << 48);

  private final Schema schema;
  private final MemorySegment name;
  private final MemorySegment overload;

  private Operator(String namespace, Schema schema) {
    this.schema = schema;
    int dot = schema.name().indexOf('.');
    String base = dot < 0 ? schema.name() : schema.name().substring(0, dot);
    this.name = Arena.global().allocateFrom(namespace + "::" + base);
    this.overload = Arena.global().allocateFrom(dot < 0 ? "" : schema.name().substring(dot + 1));
  }

  /// Returns an operator of the table.
  ///
  /// @param name operator and overload, for instance `mul.Tensor`
  public static Operator of(String name) {
    return new Operator("aten", Schema.of(name));
  }

  /// Returns an operator of another library than ATen, which libtorch's headers do not list.
  ///
  /// @param schema namespace, name and arguments, as the library registers them
  public static Operator registered(String schema) {
    int end = schema.indexOf("::");
    return new Operator(schema.substring(0, end), Schema.parse(schema.substring(end + 2)));
  }

  /// Calls an operator with one result and returns it.
  public Tensor call(Scope scope, @Nullable Object... arguments) {
    return scope.adopt(handles(scope, 1, arguments)[0]);
  }

  /// Calls an operator whose result only other operators can read: it has no address and no
  /// strides.
  public Tensor callOpaque(Scope scope, DType dtype, long[] shape, @Nullable Object... arguments) {
    return scope.adopt(handles(scope, 1, arguments)[0], dtype, shape);
  }

  /// Calls an operator that returns a view of its first argument.
  public Tensor view(Scope scope, Tensor of, @Nullable Object... rest) {
    @Nullable Object[] arguments = new Object[rest.length + 1];
    arguments[0] = of;
    System.arraycopy(rest, 0, arguments, 1, rest.length);
    return scope.adoptView(handles(scope, 1, arguments)[0], of);
  }

  /// Calls an operator with several results; those that it leaves undefined are null.
  public @Nullable Tensor[] callAll(Scope scope, @Nullable Object... arguments) {
    MemorySegment[] handles = handles(scope, schema.results(), arguments);
    @Nullable Tensor[] results = new Tensor[handles.length];
    int taken = 0;
    try {
      while (taken < handles.length) {
        int i = taken++;
        if (Shim.isDefined(scope, handles[i])) {
          results[i] = scope.adopt(handles[i]);
        } else {
          Shim.delete(handles[i]);
        }
      }
    } finally {
      while (taken < handles.length) {
        Shim.delete(handles[taken++]);
      }
    }
    return results;
  }

  /// Calls an operator for what it writes to its arguments; its results are given up.
  public void run(Scope scope, @Nullable Object... arguments) {
    for (MemorySegment handle : handles(scope, schema.results(), arguments)) {
      Shim.delete(handle);
    }
  }

  /// Calls an operator that writes to its arguments and has no results.
  public void runVoid(Scope scope, @Nullable Object... arguments) {
    handles(scope, 0, arguments);
  }

  private MemorySegment[] handles(Scope scope, int results, @Nullable Object... arguments) {
    List<String> types = schema.arguments();
    if (arguments.length != types.size()) {
      throw new IllegalArgumentException(
          "%s: found %d arguments, expected %d"
              .formatted(schema.name(), arguments.length, types.size()));
    }
    for (int i = 0; i < arguments.length; i++) {
      checkType(i, types.get(i), arguments[i]);
    }
    List<Tensor> held = new ArrayList<>();
    try {
      for (Object argument : arguments) {
        hold(argument, held);
      }
      return called(scope, results, arguments);
    } finally {
      held.forEach(Tensor::release);
    }
  }

  private MemorySegment[] called(Scope scope, int results, @Nullable Object... arguments) {
    long[] values = new long[Math.max(arguments.length, Math.max(1, results))];
    for (int i = 0; i < arguments.length; i++) {
      values[i] = value(scope, schema.arguments().get(i), arguments[i]);
    }
    MemorySegment stack = scope.scratch();
    MemorySegment.copy(values, 0, stack, JAVA_LONG, 0, values.length);
    int code = Torch.torch_call_dispatcher(name, overload, stack, VERSION);
    if (code != 0) {
      fail(code, arguments);
    }
    MemorySegment[] handles = new MemorySegment[results];
    for (int i = 0; i < results; i++) {
      handles[i] = stack.get(ADDRESS, 8L * i);
    }
    return handles;
  }

  private void fail(int code, @Nullable Object... arguments) {
    for (Object argument : arguments) {
      if (argument instanceof Tensor tensor) {
        Shim.check(code, schema.name(), tensor);
      }
    }
    Shim.check(code, schema.name());
  }

  private void checkType(int index, String type, @Nullable Object argument) {
    boolean fits =
        argument == null
            ? type.endsWith("?")
            : switch (type.endsWith("?") ? type.substring(0, type.length() - 1) : type) {
              case "Tensor" -> argument instanceof Tensor;
              case "Tensor[]", "Tensor?[]" -> argument instanceof Tensor[];
              case "int" -> argument instanceof Long || argument instanceof Integer;
              case "int[]" -> argument instanceof long[];
              case "float" -> argument instanceof Double;
              case "bool" -> argument instanceof Boolean;
              case "bool[]" -> argument instanceof boolean[];
              case "ScalarType" -> argument instanceof DType;
              case "str" -> argument instanceof String;
              default -> false;
            };
    if (!fits) {
      throw new IllegalArgumentException(
          "%s: argument %d: found %s, expected %s"
              .formatted(
                  schema.name(),
                  index,
                  argument == null ? "null" : argument.getClass().getSimpleName(),
                  type));
    }
  }

  /// Keeps tensors alive for the call. Refuses ended ones and those of other threads before the
  /// first handle is made, which a failure halfway would lose.
  private static void hold(@Nullable Object argument, List<Tensor> held) {
    if (argument instanceof Tensor tensor) {
      tensor.acquire();
      held.add(tensor);
    } else if (argument instanceof Tensor[] tensors) {
      for (Tensor tensor : tensors) {
        hold(tensor, held);
      }
    }
  }

  private static long value(Scope scope, String type, @Nullable Object argument) {
    if (argument == null) {
      return 0;
    }
    long plain =
        switch (argument) {
          case Tensor tensor -> Shim.newHandle(scope, tensor.handle()).address();
          case Tensor[] tensors -> {
            long[] handles = new long[tensors.length];
            for (int i = 0; i < tensors.length; i++) {
              long handle = Shim.newHandle(scope, tensors[i].handle()).address();
              handles[i] = type.startsWith("Tensor?") ? boxed(scope, handle) : handle;
            }
            yield list(scope, handles);
          }
          case Long number -> number;
          case Integer number -> number.longValue();
          case Double number -> Double.doubleToRawLongBits(number);
          case Boolean flag -> flag ? 1 : 0;
          case long[] numbers -> list(scope, numbers);
          case boolean[] flags -> {
            long[] numbers = new long[flags.length];
            for (int i = 0; i < flags.length; i++) {
              numbers[i] = flags[i] ? 1 : 0;
            }
            yield list(scope, numbers);
          }
          case DType dtype -> dtype.code();
          case String text -> string(scope, text);
          default -> throw new AssertionError(argument.getClass());
        };
    return type.endsWith("?") ? boxed(scope, plain) : plain;
  }

  private static long list(Scope scope, long[] elements) {
    MemorySegment scratch = scope.scratch();
    Shim.check(Torch.torch_new_list_reserve_size(elements.length, scratch), "new_list");
    MemorySegment list = scratch.get(ADDRESS, 0);
    for (long element : elements) {
      Shim.check(Torch.torch_list_push_back(list, element), "list_push_back");
    }
    return list.address();
  }

  private static long string(Scope scope, String text) {
    MemorySegment scratch = scope.scratch();
    scratch.setString(8, text);
    Shim.check(
        Torch.torch_new_string_handle(scratch.asSlice(8), text.length(), scratch), "new_string");
    return scratch.get(JAVA_LONG, 0);
  }

  /// Puts an optional's value where libtorch can delete it.
  private static long boxed(Scope scope, long value) {
    MemorySegment box = Shim.newOptional(scope);
    box.set(JAVA_LONG, 0, value);
    return box.address();
  }
}
