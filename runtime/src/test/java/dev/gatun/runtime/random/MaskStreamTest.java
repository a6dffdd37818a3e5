package dev.gatun.runtime.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.runtime.LeakCheck;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class MaskStreamTest {
  private static final BigInteger WORD = BigInteger.ONE.shiftLeft(32);

  /// Philox 4x32-10 once more, from the paper, in slow exact arithmetic.
  private static long[] philox(long seed, long... counter) {
    BigInteger[] x = new BigInteger[4];
    for (int i = 0; i < 4; i++) {
      x[i] = BigInteger.valueOf(counter[i]);
    }
    BigInteger k0 = BigInteger.valueOf(seed & 0xFFFFFFFFL);
    BigInteger k1 = BigInteger.valueOf(seed >>> 32);
    for (int round = 0; round < 10; round++) {
      BigInteger[] a = x[0].multiply(BigInteger.valueOf(0xD2511F53L)).divideAndRemainder(WORD);
      BigInteger[] b = x[2].multiply(BigInteger.valueOf(0xCD9E8D57L)).divideAndRemainder(WORD);
      x = new BigInteger[] {b[0].xor(x[1]).xor(k0), b[1], a[0].xor(x[3]).xor(k1), a[1]};
      k0 = k0.add(BigInteger.valueOf(0x9E3779B9L)).mod(WORD);
      k1 = k1.add(BigInteger.valueOf(0xBB67AE85L)).mod(WORD);
    }
    return Arrays.stream(x).mapToLong(BigInteger::longValueExact).toArray();
  }

  private static float[] line(MaskStream stream, int row, int middle, double p, int length) {
    float[] target = new float[length];
    stream.line(row, middle, Philox.threshold(p), 1, 0, target, 0, length);
    return target;
  }

  /// The layout of the counter that design fixes for ever, written out in numbers.
  private static float[] golden(MaskStream stream, int row, int middle, double p, int length) {
    float[] target = new float[length];
    long threshold = (long) (p * 4294967296.0);
    for (int i = 0; i < length; i++) {
      long[] words =
          philox(
              stream.seed(),
              i / 4 + (stream.site() == MaskStream.Site.HIDDEN ? 16_777_216L : 0),
              middle + stream.pass() * 16_777_216L,
              row + stream.slot() * 1_048_576L,
              stream.step() + stream.layer() * 4_194_304L);
      target[i] = words[i % 4] < threshold ? 0 : 1;
    }
    return target;
  }

  @Test
  void theBitLayoutIsFrozen() {
    List<MaskStream> streams =
        List.of(
            new MaskStream(0, 0, 0, MaskStream.Site.KEY, 0, 0),
            new MaskStream(42, 7, 3, MaskStream.Site.HIDDEN, 1, 5),
            new MaskStream(
                0x8000_0001_F000_0003L,
                (1 << 22) - 1,
                (1 << 10) - 1,
                MaskStream.Site.HIDDEN,
                (1 << 8) - 1,
                (1 << 12) - 1),
            new MaskStream(-1, 1 << 21, 1 << 9, MaskStream.Site.KEY, 1 << 7, 1 << 11));
    int[][] lines = {{0, 0}, {3, 17}, {(1 << 20) - 1, (1 << 24) - 1}, {1 << 19, 1 << 23}};
    for (MaskStream stream : streams) {
      for (int[] at : lines) {
        assertThat(line(stream, at[0], at[1], 0.3, 37))
            .containsExactly(golden(stream, at[0], at[1], 0.3, 37));
      }
    }
  }

  /// The first line of seed 42 in letters, should both implementations ever change together.
  @Test
  void theFirstBitsOfSeed42() {
    MaskStream stream = new MaskStream(42, 1, 2, MaskStream.Site.KEY, 0, 0);
    StringBuilder bits = new StringBuilder();
    for (float value : line(stream, 0, 0, 0.5, 32)) {
      bits.append(value == 0 ? '-' : '+');
    }
    assertThat(bits).hasToString("---+-+++++--+--++-+-+++++----+++");
    assertThat(MaskStream.Site.values())
        .containsExactly(
            MaskStream.Site.KEY,
            MaskStream.Site.HIDDEN,
            MaskStream.Site.WEIGHT,
            MaskStream.Site.INPUT,
            MaskStream.Site.OUTPUT,
            MaskStream.Site.BRANCH,
            MaskStream.Site.ADAPTER_A,
            MaskStream.Site.ADAPTER_B);
    assertThat(stream.uniform(3, 4)).isEqualTo(0.09743243477817809);
  }

  @Test
  void aWordBelowTheThresholdDrops() {
    MaskStream stream = new MaskStream(9, 0, 0, MaskStream.Site.KEY, 0, 0);
    long first = philox(9, 0, 0, 0, 0)[0];
    float[] target = new float[1];
    stream.line(0, 0, first, 1, 0, target, 0, 1);
    assertThat(target).as("equal is kept").containsExactly(1);
    stream.line(0, 0, first + 1, 1, 0, target, 0, 1);
    assertThat(target).as("below is dropped").containsExactly(0);
    assertThat(line(stream, 0, 0, 0, 1000)).containsOnly(1);
    int high = highWord(stream);
    assertThat(line(stream, 0, 0, 0.4, 64)[high]).as("words compare unsigned").isEqualTo(1);
  }

  private static int highWord(MaskStream stream) {
    for (int i = 0; i < 64; i++) {
      if (philox(stream.seed(), i / 4, 0, 0, 0)[i % 4] >= 1L << 31) {
        return i;
      }
    }
    throw new AssertionError("no word with its first bit set");
  }

  @Test
  void aLineIsWrittenWhereItIsAskedFor() {
    MaskStream stream = new MaskStream(1, 0, 0, MaskStream.Site.KEY, 0, 0);
    float[] target = new float[12];
    Arrays.fill(target, 5);
    stream.line(2, 3, Philox.threshold(0.5), 7, Float.NEGATIVE_INFINITY, target, 2, 9);
    float[] plain = line(stream, 2, 3, 0.5, 9);
    assertThat(target[0]).isEqualTo(5);
    assertThat(target[1]).isEqualTo(5);
    assertThat(target[11]).isEqualTo(5);
    for (int i = 0; i < 9; i++) {
      assertThat(target[2 + i]).isEqualTo(plain[i] == 0 ? Float.NEGATIVE_INFINITY : 7);
    }
  }

  /// A prefix of a longer line is the shorter line: padding changes no bits.
  @Test
  void paddingChangesNothing() {
    MaskStream stream = new MaskStream(3, 5, 1, MaskStream.Site.HIDDEN, 0, 0);
    float[] longest = line(stream, 1, 1, 0.3, 64);
    for (int length = 1; length < 64; length++) {
      assertThat(line(stream, 1, 1, 0.3, length)).containsExactly(Arrays.copyOf(longest, length));
    }
  }

  /// Heads, rows, steps, layers, sites, passes, slots and seeds draw lines of their own.
  @Test
  void everyCoordinateDrawsItsOwnBits() {
    List<float[]> lines = new ArrayList<>();
    MaskStream base = new MaskStream(1, 2, 3, MaskStream.Site.KEY, 0, 0);
    lines.add(line(base, 0, 0, 0.5, 256));
    lines.add(line(base, 1, 0, 0.5, 256));
    lines.add(line(base, 0, 1, 0.5, 256));
    lines.add(line(new MaskStream(2, 2, 3, MaskStream.Site.KEY, 0, 0), 0, 0, 0.5, 256));
    lines.add(
        line(new MaskStream(1 + (1L << 32), 2, 3, MaskStream.Site.KEY, 0, 0), 0, 0, 0.5, 256));
    lines.add(line(new MaskStream(1, 3, 3, MaskStream.Site.KEY, 0, 0), 0, 0, 0.5, 256));
    lines.add(line(new MaskStream(1, 2, 4, MaskStream.Site.KEY, 0, 0), 0, 0, 0.5, 256));
    lines.add(line(new MaskStream(1, 2, 3, MaskStream.Site.HIDDEN, 0, 0), 0, 0, 0.5, 256));
    lines.add(line(new MaskStream(1, 2, 3, MaskStream.Site.KEY, 1, 0), 0, 0, 0.5, 256));
    lines.add(line(new MaskStream(1, 2, 3, MaskStream.Site.KEY, 0, 1), 0, 0, 0.5, 256));
    for (int i = 0; i < lines.size(); i++) {
      for (int j = 0; j < i; j++) {
        int equal = 0;
        for (int k = 0; k < 256; k++) {
          equal += lines.get(i)[k] == lines.get(j)[k] ? 1 : 0;
        }
        assertThat(equal).as("lines %d and %d", i, j).isBetween(90, 166); // 128 +- 4.75 sigma
      }
    }
  }

  @Test
  void theShareOfKeptElementsIsTheRate() {
    MaskStream stream = new MaskStream(11, 0, 0, MaskStream.Site.HIDDEN, 0, 0);
    for (double p : new double[] {0.01, 0.1, 0.3, 0.5}) {
      int kept = 0;
      for (int middle = 0; middle < 100; middle++) {
        for (float value : line(stream, 0, middle, p, 1000)) {
          kept += (int) value;
        }
      }
      assertThat(kept / 1e5).isCloseTo(1 - p, within(5 * Math.sqrt(p * (1 - p) / 1e5)));
    }
  }

  @Test
  void coordinatesOutsideTheirBitsAreRefused() {
    assertRange("step", () -> new MaskStream(0, 1 << 22, 0, MaskStream.Site.KEY, 0, 0));
    assertRange("step", () -> new MaskStream(0, -1, 0, MaskStream.Site.KEY, 0, 0));
    assertRange("layer", () -> new MaskStream(0, 0, 1 << 10, MaskStream.Site.KEY, 0, 0));
    assertRange("pass", () -> new MaskStream(0, 0, 0, MaskStream.Site.KEY, 1 << 8, 0));
    assertRange("slot", () -> new MaskStream(0, 0, 0, MaskStream.Site.KEY, 0, 1 << 12));
    MaskStream stream = new MaskStream(0, 0, 0, MaskStream.Site.KEY, 0, 0);
    float[] target = new float[4];
    assertRange("row", () -> stream.line(1 << 20, 0, 1, 1, 0, target, 0, 4));
    assertRange("row", () -> stream.line(-1, 0, 1, 1, 0, target, 0, 4));
    assertRange("coordinate", () -> stream.line(0, 1 << 24, 1, 1, 0, target, 0, 4));
    assertRange("coordinate", () -> stream.line(0, 0, 1, 1, 0, target, 0, -8));
    assertThatCode(() -> stream.line((1 << 20) - 1, (1 << 24) - 1, 1, 1, 0, target, 0, 4))
        .doesNotThrowAnyException();
  }

  private static void assertRange(String name, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(name + ": found ");
  }
}
