package dev.gatun.runtime.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.Backward;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.KeyMask;
import dev.gatun.runtime.kernel.cuda.AttentionArguments.Rows;
import dev.gatun.runtime.kernel.cuda.CudaAttention.Blocks;
import dev.gatun.runtime.kernel.cuda.CudaAttention.Kernel;
import dev.gatun.runtime.kernel.cuda.CudaAttention.Masking;
import dev.gatun.runtime.kernel.cuda.CudaAttention.Shape;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.Philox;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the host says of the kernels of attention: no device needed.
@ExtendWith(LeakCheck.class)
class CudaAttentionTest {
  private static final int MOST_SHARED = 163 * 1024; // of a block on sm_80, the least we ask for

  private static String source() throws IOException {
    try (InputStream in = CudaAttention.class.getResourceAsStream("attention.cu")) {
      assertThat(in).isNotNull();
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  /// Names of the fields of a struct of the source, in its order.
  private static List<String> fields(String struct) throws IOException {
    Matcher body =
        Pattern.compile("struct " + struct + " \\{(.*?)\\n};", Pattern.DOTALL).matcher(source());
    assertThat(body.find()).isTrue();
    return Pattern.compile("(\\w+)[,;]")
        .matcher(body.group(1).replaceAll("//.*", ""))
        .results()
        .map(field -> field.group(1))
        .toList();
  }

  @Test
  void structIsWrittenInTheOrderOfTheSource() throws IOException {
    assertThat(fields("Arguments"))
        .containsExactly(
            "q",
            "k",
            "v",
            "o",
            "lse",
            "flow",
            "delta",
            "dq",
            "dk",
            "dv",
            "offsets",
            "masks",
            "bias",
            "qStrides",
            "kStrides",
            "vStrides",
            "oStrides",
            "flowStrides",
            "dqStrides",
            "dkStrides",
            "dvStrides",
            "tokens",
            "heads",
            "keyHeads",
            "biasLength",
            "scale",
            "unused");
    Backward backward = new Backward(rows(6), 7, rows(8), rows(9), rows(10));
    AttentionArguments arguments =
        new AttentionArguments(
            rows(1), rows(2), rows(3), rows(4), 5, backward, 11, new KeyMask(12, 13, 99), 0.125f);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment struct = arena.allocate(AttentionArguments.BYTES, 8);
      arguments.write(struct, new Shape(70, 3, 40, 8, 2));
      for (int i = 0; i < 13; i++) {
        assertThat(struct.getAtIndex(JAVA_LONG, i)).isEqualTo(i + 1);
      }
      int[] order = {1, 2, 3, 4, 6, 8, 9, 10};
      for (int i = 0; i < order.length; i++) {
        assertThat(struct.get(JAVA_INT, 104 + 8L * i)).isEqualTo(100 * order[i]);
        assertThat(struct.get(JAVA_INT, 108 + 8L * i)).isEqualTo(10 * order[i]);
      }
      int[] numbers = {70, 8, 2, 99};
      for (int i = 0; i < numbers.length; i++) {
        assertThat(struct.get(JAVA_INT, 168 + 4L * i)).isEqualTo(numbers[i]);
      }
      assertThat(struct.get(JAVA_FLOAT, 184)).isEqualTo(0.125f);
    }
  }

  private static Rows rows(int number) {
    return new Rows(number, 100 * number, 10 * number);
  }

  /// Draws as the kernel does: the key / 4 and the head go into the lowest bits of words 0 and 1.
  @Test
  void tableOfMasksHasTheBitsOfTheStream() {
    MaskStream stream =
        new MaskStream(0x8000_0001_F000_0003L, 4_194_303, 1023, MaskStream.Site.KEY, 255, 4095);
    int keys = 4 * 300;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(3L * AttentionArguments.MASK_BYTES, 8);
      AttentionArguments.writeMask(table, 2, stream, 1_048_575, 0.3);
      int[] entry = table.asSlice(64).toArray(JAVA_INT);
      for (int head : new int[] {0, 31}) {
        float[] expected = new float[keys];
        stream.line(1_048_575, head, Philox.threshold(0.3), 1, 0, expected, 0, keys);
        int[] words = new int[keys];
        for (int key = 0; key < keys; key += 4) {
          long seed = (entry[0] & 0xFFFFFFFFL) | (long) entry[1] << 32;
          int first = entry[2] | key >> 2;
          Philox.block(seed, first, entry[3] | head, entry[4], entry[5], words, key);
        }
        for (int key = 0; key < keys; key++) {
          boolean dropped = Integer.compareUnsigned(words[key], entry[6]) < 0;
          assertThat(dropped).as("key %d", key).isEqualTo(expected[key] == 0);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 128})
  void gridsCoverAllRows(int headSize) {
    CudaAttention attention = new CudaAttention(headSize, true, Masking.DRAWN, DType.BF16);
    Shape shape = new Shape(1100, 5, 1000, 12, 4);
    for (Kernel kernel : List.of(Kernel.FORWARD, Kernel.KEYS, Kernel.QUERIES)) {
      Blocks blocks = attention.blocks(kernel, shape);
      assertThat(blocks.x()).isEqualTo(kernel == Kernel.KEYS ? 4 : 12);
      assertThat(blocks.y()).isEqualTo(5);
      int rows = define(attention, kernel + "_WARPS") * define(attention, kernel + "_STRIPS") * 16;
      assertThat(blocks.z() * rows).isBetween(1000, 1000 + rows - 1);
      assertThat(attention.threads(kernel)).isEqualTo(32 * define(attention, kernel + "_WARPS"));
    }
    Blocks delta = attention.blocks(Kernel.DELTA, shape);
    long lanes = 1100L * 12 * headSize / 8;
    assertThat((long) delta.x() * attention.threads(Kernel.DELTA)).isBetween(lanes, lanes + 255);
  }

  private static int define(CudaAttention attention, String name) {
    return attention.defines().stream()
        .filter(define -> define.startsWith(name + "="))
        .mapToInt(define -> Integer.parseInt(define.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(Masking.class)
  void sharedMemoryFits(Masking masking) {
    for (int headSize : new int[] {64, 128}) {
      CudaAttention attention = new CudaAttention(headSize, false, masking, DType.F16);
      for (Kernel kernel : Kernel.values()) {
        assertThat(attention.sharedBytes(kernel)).isBetween(0, MOST_SHARED);
      }
    }
    assertThat(new CudaAttention(64, true, Masking.NONE, DType.BF16).sharedBytes(Kernel.FORWARD))
        .isEqualTo(128 * 128 + 2 * 2 * 64 * 128);
  }

  @Test
  void everyMacroAndFunctionOfTheSourceIsGiven() throws IOException {
    String source = source();
    CudaAttention attention = new CudaAttention(128, true, Masking.BIAS, DType.F16);
    assertThat(attention.defines()).contains("HEAD=128", "CAUSAL=1", "MASK=2", "HALF=1");
    for (String define : attention.defines()) {
      assertThat(source).containsPattern("\\b" + define.substring(0, define.indexOf('=')) + "\\b");
    }
    for (Kernel kernel : Kernel.values()) {
      assertThat(source).contains(" " + kernel.function() + "(Arguments a)");
    }
  }

  @Test
  void whatThereIsNoKernelForIsRefused() {
    assertThatThrownBy(() -> new CudaAttention(96, true, Masking.NONE, DType.BF16))
        .isInstanceOf(ShapeException.class)
        .hasMessage("attention: found heads of 96, expected 64 or 128");
    assertThatThrownBy(() -> new CudaAttention(64, true, Masking.NONE, DType.F32))
        .isInstanceOf(DTypeException.class)
        .hasMessage("attention: found F32, expected bf16 or f16");
    assertThatThrownBy(() -> new Shape(8, 1, 8, 6, 4))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("found 6 heads of queries and 4 of keys");
  }
}
