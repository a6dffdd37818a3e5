package dev.gatun.runtime.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.CudaException;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.NativeException;
import dev.gatun.runtime.OutOfDeviceMemoryException;
import dev.gatun.runtime.TorchException;
import dev.gatun.runtime.internal.cuda.Driver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a failed call is taken for, with libtorch's text and without.
@ExtendWith(LeakCheck.class)
class TorchFailureTest {
  private static final long GIBIBYTE = 1L << 30;

  private static NativeException of(@Nullable String text, long asked) {
    return TorchFailure.of(
        "empty", 1, text, asked, () -> new Driver.Memory(3 * GIBIBYTE, 80 * GIBIBYTE));
  }

  @ParameterizedTest
  @CsvSource({
    "2.50 GiB,2684354560",
    "20.00 MiB,20971520",
    "512 bytes,512",
    "1.00 TiB,1099511627776"
  })
  void theTextTellsWhatWasAskedFor(String amount, long bytes) {
    String text =
        "CUDA out of memory. Tried to allocate " + amount + ". GPU 0 has a total capacity of ...";
    assertThat(of(text, TorchFailure.UNKNOWN))
        .isInstanceOfSatisfying(
            OutOfDeviceMemoryException.class,
            e -> {
              assertThat(e.asked()).isEqualTo(bytes);
              assertThat(e.free()).isEqualTo(3 * GIBIBYTE);
              assertThat(e.total()).isEqualTo(80 * GIBIBYTE);
            });
    assertThat(of("CUDA error: out of memory", TorchFailure.UNKNOWN))
        .isInstanceOf(OutOfDeviceMemoryException.class)
        .hasMessage(
            "empty: out of device memory: asked for an unknown number of bytes, 3221225472 of"
                + " 85899345920 are free (code 1)");
  }

  @Test
  void withoutTextAnAllocationThatDoesNotFitWasOutOfMemory() {
    assertThat(of(null, 3 * GIBIBYTE)).isInstanceOf(OutOfDeviceMemoryException.class);
    assertThat(of(null, 2 * GIBIBYTE)).isInstanceOf(TorchException.class);
    assertThat(of(null, TorchFailure.UNKNOWN))
        .isInstanceOf(TorchException.class)
        .hasMessage("empty: failed; this libtorch writes the reason to standard error (code 1)");
  }

  @Test
  void otherTextsAreLibtorchsOwn() {
    String text = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.";
    assertThat(of(text, 1 << 30)).isInstanceOf(TorchException.class).hasMessageContaining(text);
  }

  @Test
  void anEarlierFaultIsTold() {
    NativeException failure =
        TorchFailure.of(
            "add",
            1,
            null,
            8,
            () -> {
              throw new CudaException("cuMemGetInfo", 700, "CUDA_ERROR_ILLEGAL_ADDRESS: planted");
            });
    assertThat(failure)
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("cuMemGetInfo: CUDA_ERROR_ILLEGAL_ADDRESS");
  }
}
