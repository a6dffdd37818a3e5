package dev.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gatun.bindings.cublas.Cublas;
import dev.gatun.bindings.cublas.CublasLt;
import dev.gatun.bindings.cuda.Cuda;
import dev.gatun.bindings.load.LibTorch;
import dev.gatun.bindings.nccl.Nccl;
import dev.gatun.bindings.nvrtc.Nvrtc;
import dev.gatun.bindings.torch.Torch;
import dev.gatun.bindings.torch.TorchCuda;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every function that a generated class binds is in its library. The functions are taken from the
/// generated class itself, which has a method NAME$handle for each.
class SymbolLinkTest {
  private static final String SUFFIX = "$handle";

  @Test
  void torchLinksAllButWhatALaterVersionBrings() throws IOException {
    LibTorch.load();
    long abi = Torch.aoti_torch_abi_version();
    Map<String, String> optional =
        GeneratedFiles.lines(GeneratedFiles.RESOURCES.resolve("optional-symbols.txt")).stream()
            .map(line -> line.split(" "))
            .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
    TreeSet<String> later = new TreeSet<>();
    optional.forEach((name, version) -> {
      if (Long.compareUnsigned(abi, firstAbi(version)) < 0) {
        later.add(name);
      }
    });

    assertThat(functions(Torch.class).toList()).containsAll(optional.keySet());
    assertThat(missing(Torch.class).keySet())
        .as("functions of Torch that this libtorch lacks, beside optional-symbols.txt")
        .isEqualTo(later);
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        TorchCuda.class,
        Cuda.class,
        Cublas.class,
        CublasLt.class,
        Nvrtc.class,
        Nccl.class
      })
  void cudaLibraryLinksWhereItIsInstalled(Class<?> bindings) {
    try {
      Class.forName(bindings.getName(), true, bindings.getClassLoader());
    } catch (ClassNotFoundException e) {
      fail(e);
    } catch (LinkageError e) {
      abort(bindings.getSimpleName() + ": " + rootOf(e).getMessage());
    }

    assertThat(missing(bindings)).isEmpty();
  }

  private static long firstAbi(String version) {
    String[] parts = version.split("\\.");
    return Long.parseLong(parts[0]) << 56 | Long.parseLong(parts[1]) << 48;
  }

  private static Stream<String> functions(Class<?> bindings) {
    return Stream.of(bindings.getDeclaredMethods())
        .map(Method::getName)
        .filter(name -> name.endsWith(SUFFIX))
        .map(name -> name.substring(0, name.length() - SUFFIX.length()));
  }

  /// Returns the functions that do not link, with the reason.
  private static Map<String, String> missing(Class<?> bindings) {
    assertThat(functions(bindings)).isNotEmpty();
    Map<String, String> missing = new TreeMap<>();
    functions(bindings)
        .forEach(name -> {
          try {
            bindings.getMethod(name + SUFFIX).invoke(null);
          } catch (InvocationTargetException e) {
            missing.put(name, rootOf(e).toString());
          } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
          }
        });
    return missing;
  }

  private static Throwable rootOf(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() instanceof Throwable cause) {
      root = cause;
    }
    return root;
  }
}
