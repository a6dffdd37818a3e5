package dev.gatun.bench;

import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.MaskStream.Site;
import dev.gatun.runtime.random.Philox;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.State;

/// One line of a dropout mask, as wide as GPT-2's activations.
@State(org.openjdk.jmh.annotations.Scope.Thread)
public class MaskBench extends NativeBench {
  private static final int WIDTH = 768;
  private static final double RATE = 0.1;
  private static final float KEPT = (float) (1 / (1 - RATE));

  private final long threshold = Philox.threshold(RATE);
  private final MaskStream stream = new MaskStream(1, 0, 6, Site.HIDDEN, 0, 0);
  private final SplittableRandom random = new SplittableRandom(1);
  private final float[] line = new float[WIDTH];
  private int position;

  /// Draws it as a function of its place: Philox.
  @Benchmark
  public float[] philox() {
    position = position + 1 & 0xFFFF;
    stream.line(0, position, threshold, KEPT, 0, line, 0, WIDTH);
    return line;
  }

  /// Draws it from the JDK's sequential generator, for scale.
  @Benchmark
  public float[] splittableRandom() {
    for (int i = 0; i < WIDTH; i++) {
      line[i] = (random.nextInt() & 0xFFFFFFFFL) < threshold ? 0 : KEPT;
    }
    return line;
  }
}
