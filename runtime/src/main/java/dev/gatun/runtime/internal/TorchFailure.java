package dev.gatun.runtime.internal;

import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.NativeException;
import dev.gatun.runtime.OutOfDeviceMemoryException;
import dev.gatun.runtime.TorchException;
import dev.gatun.runtime.internal.cuda.Driver;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Tells what a call of libtorch failed for.
final class TorchFailure {
  /// What is asked for is not known.
  static final long UNKNOWN = -1;

  private static final Pattern ASKED =
      Pattern.compile("Tried to allocate ([0-9.]+) (bytes|KiB|MiB|GiB|TiB)");

  /// libtorch asks the driver for up to 20 MiB where less is wanted, and the driver keeps some.
  private static final long SLACK = 32L << 20;

  private TorchFailure() {}

  /// Returns the exception for a failed call.
  ///
  /// libtorch's text says when a GPU's memory is out. Before 2.13 there is no text: then the memory
  /// is taken to be out where the call allocates more than the driver has left, for libtorch gives
  /// all that it keeps in reserve back before it fails.
  ///
  /// @param text libtorch's, or null where it gives none
  /// @param asked bytes that the call allocates on a GPU at least, or [#UNKNOWN]
  /// @param memory asks the driver
  static NativeException of(
      String function,
      int code,
      @Nullable String text,
      long asked,
      Supplier<Driver.Memory> memory) {
    if (text != null) {
      return text.startsWith("CUDA") && text.contains("out of memory")
          ? out(function, code, asked == UNKNOWN ? asked(text) : asked, memory.get())
          : new TorchException(function, code, text);
    }
    String standIn = "failed; this libtorch writes the reason to standard error";
    if (asked == UNKNOWN) {
      return new TorchException(function, code, standIn);
    }
    try {
      Driver.Memory left = memory.get();
      return asked + SLACK > left.free()
          ? out(function, code, asked, left)
          : new TorchException(function, code, standIn);
    } catch (CudaException e) { // an earlier fault of a kernel: every call fails from then on
      return new TorchException(function, code, standIn + "; " + e.getMessage());
    }
  }

  private static NativeException out(String function, int code, long asked, Driver.Memory left) {
    return new OutOfDeviceMemoryException(function, code, asked, left.free(), left.total());
  }

  private static long asked(String text) {
    Matcher found = ASKED.matcher(text);
    if (!found.find()) {
      return UNKNOWN;
    }
    int power =
        switch (found.group(2).toLowerCase(Locale.ROOT)) {
          case "bytes" -> 0;
          case "kib" -> 10;
          case "mib" -> 20;
          case "gib" -> 30;
          default -> 40;
        };
    return (long) (Double.parseDouble(found.group(1)) * (1L << power));
  }
}
