package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.internal.cuda.CudaKernel;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// One kernel for each type of its elements, or for each pair of types.
final class TypedKernel {
  private static final int TYPES = 16; // codes of types lie below

  private final CudaProgram program;
  private final String name;
  private final @Nullable String second;
  private final @Nullable CudaKernel[] kernels = new @Nullable CudaKernel[TYPES * TYPES];

  /// A kernel of a file that wants the macro `ELEMENT`.
  TypedKernel(CudaProgram program, String name) {
    this(program, name, null);
  }

  /// A kernel of a file that wants another macro of a type, too.
  TypedKernel(CudaProgram program, String name, @Nullable String second) {
    this.program = program;
    this.name = name;
    this.second = second;
  }

  /// Returns the kernel of a type.
  CudaKernel of(DType element) {
    return of(element, element);
  }

  /// Returns the kernel of two types.
  CudaKernel of(DType element, DType other) {
    int at = element.code() * TYPES + other.code();
    CudaKernel kernel = kernels[at];
    if (kernel == null) {
      String first = "ELEMENT=" + type(element);
      kernel =
          second == null
              ? program.kernel(name, first)
              : program.kernel(name, first, second + "=" + type(other));
      kernels[at] = kernel; // two threads may make it twice, which loads it once all the same
    }
    return kernel;
  }

  private String type(DType dtype) {
    return switch (dtype) {
      case F32, BF16, F16 -> dtype.safetensorsName().toLowerCase(Locale.ROOT);
      default ->
          throw new DTypeException(name + ": found " + dtype + ", expected f32, bf16 or f16");
    };
  }
}
