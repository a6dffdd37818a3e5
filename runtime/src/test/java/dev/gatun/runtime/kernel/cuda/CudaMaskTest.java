package dev.gatun.runtime.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.internal.cuda.CudaCondition;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.SequenceMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Masks of the device have the bits of [MaskStream].
@Tag("gpu")
@ExtendWith({CudaCondition.class, LeakCheck.class})
class CudaMaskTest {
  private static final double RATE = 0.3;

  private static CudaMasks.Sequence sequence(
      int row, double rate, int run, int start, int length, float dropped, boolean single) {
    MaskStream.Site site = start % 2 == 0 ? MaskStream.Site.KEY : MaskStream.Site.BRANCH;
    MaskStream stream = new MaskStream(0x9ABC_DEF0_1234_5678L + row, 4_000_001, 1001, site, 201, 7);
    float kept = dropped == 0 ? (float) (1 / (1 - RATE)) : 0;
    SequenceMask.Shape shape =
        run >= 0
            ? SequenceMask.Shape.SPAN
            : single ? SequenceMask.Shape.ELEMENT : SequenceMask.Shape.COLUMN;
    double share = run >= 0 ? run / (double) length : rate;
    SequenceMask mask = new SequenceMask(stream, row, share, shape, kept, dropped);
    return new CudaMasks.Sequence(mask, start, length);
  }

  private static float[] line(CudaMasks.Sequence of, int middle, int length) {
    float[] values = new float[length];
    of.mask().line(middle, values, 0, length);
    return values;
  }

  private static boolean single(CudaMasks.Sequence of) {
    return of.mask().drops() && of.mask().shape() == SequenceMask.Shape.ELEMENT;
  }

  @ParameterizedTest
  @CsvSource({"1, true", "1, false", "0, true", "0, false"})
  void keys(int single, boolean firstKept) {
    int heads = 2;
    int longest = 14;
    int queries = single == 1 ? longest : 1;
    float dropped = firstKept ? Float.NEGATIVE_INFINITY : 0;
    List<CudaMasks.Sequence> sequences = new ArrayList<>();
    sequences.add(sequence(3, RATE, -1, 0, longest, dropped, single == 1));
    sequences.add(sequence(70_000, RATE, 6, 1, 13, dropped, false));
    sequences.add(sequence(5, 0, -1, 2, 7, dropped, false));
    for (int i = 3; i < 67; i++) { // more than one launch takes; most lines drop all
      sequences.add(sequence(i, 0.6, -1, i, 1 + i % 3, dropped, single == 1));
    }
    int n = sequences.size() * heads * queries * longest;
    double[] expected = new double[n];
    for (int i = 0; i < n; i += longest) {
      int lineNumber = i / longest;
      int query = lineNumber % queries;
      int head = lineNumber / queries % heads;
      CudaMasks.Sequence of = sequences.get(lineNumber / queries / heads);
      float[] values = line(of, single(of) ? head << 16 | query : head, of.length());
      if (firstKept) {
        values[0] = of.mask().kept();
      } else {
        boolean all = true;
        for (float value : values) {
          all &= value == of.mask().dropped();
        }
        if (all) {
          Arrays.fill(values, of.mask().kept());
        }
      }
      for (int j = 0; j < values.length; j++) {
        expected[i + j] = values[j];
      }
    }
    try (DeviceArray target = DeviceArray.empty(n, DType.F32, 0)) {
      CudaMasks.keys(
          target.address(),
          sequences,
          firstKept,
          new CudaMasks.Lines(heads, queries, longest, DType.F32));
      assertThat(target.read()).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 130})
  void tokens(int width) {
    float dropped = 0;
    List<CudaMasks.Sequence> sequences = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < 70; i++) {
      int length = 1 + i % 9;
      int run = i % 3 == 1 ? (int) Math.round(RATE * length) : -1;
      double rate = i % 5 == 4 ? 0 : RATE;
      sequences.add(sequence(i, rate, run, start, length, dropped, i % 3 == 0));
      start += length;
    }
    double[] values = new double[start * width];
    Arrays.setAll(values, i -> 1 + i % 13);
    double[] expected = new double[values.length];
    for (CudaMasks.Sequence of : sequences) {
      float[] whole = line(of, 0, of.length());
      for (int t = 0; t < of.length(); t++) {
        float[] factors = new float[width];
        Arrays.fill(factors, whole[t]);
        if (single(of)) {
          factors = line(of, t, width);
        }
        for (int c = 0; c < width; c++) {
          int at = (of.start() + t) * width + c;
          expected[at] = (float) values[at] * factors[c];
        }
      }
    }
    try (DeviceArray x = new DeviceArray(values, DType.F32, 0)) {
      CudaMasks.tokens(x.address(), x.address(), sequences, start, width, DType.F32);
      assertThat(x.read()).isEqualTo(expected);
    }
  }

  @Test
  void narrowTypesHoldTheSameMask() {
    CudaMasks.Lines lines = new CudaMasks.Lines(2, 1, 100, DType.BF16);
    CudaMasks.Sequence of = sequence(1, RATE, -1, 0, 100, Float.NEGATIVE_INFINITY, false);
    try (DeviceArray target = DeviceArray.empty(200, DType.BF16, 1)) {
      CudaMasks.keys(target.address(), List.of(of), false, lines);
      double[] found = target.read();
      for (int h = 0; h < 2; h++) {
        float[] expected = line(of, h, 100);
        for (int i = 0; i < 100; i++) {
          assertThat(found[h * 100 + i]).isEqualTo(expected[i]);
        }
      }
    }
  }
}
