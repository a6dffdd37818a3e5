package dev.gatun.bench;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Drop;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.op.TokenMask;
import dev.gatun.runtime.random.MaskStream;
import dev.gatun.runtime.random.MaskStream.Site;
import dev.gatun.runtime.random.Philox;
import dev.gatun.runtime.random.SequenceMask;
import java.util.List;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// One line of a dropout mask, as wide as GPT-2's activations, and its use on a line of them.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH calls open() before a benchmark
public class MaskBench extends NativeBench {
  private static final int WIDTH = 768;
  private static final double RATE = 0.1;
  private static final float KEPT = (float) (1 / (1 - RATE));

  private final long threshold = Philox.threshold(RATE);
  private final MaskStream stream = new MaskStream(1, 0, 6, Site.HIDDEN, 0, 0);
  private final SplittableRandom random = new SplittableRandom(1);
  private final float[] line = new float[WIDTH];
  private final int[] words = new int[WIDTH];
  private int position;
  private Scope scope;
  private Tensor activations; // (1, WIDTH)
  private Tensor mask; // (1, WIDTH)
  private TokenMask masks;

  /// Makes the activations and a mask that is there already.
  @Setup
  @SuppressWarnings("MustBeClosedChecker") // close() does
  public void open() {
    Backend.setThreads(1);
    scope = Scope.open();
    activations = scope.full(1, DType.F32, 1, WIDTH);
    mask = scope.of(philox(), 1, WIDTH);
    SequenceMask each = new SequenceMask(stream, 0, RATE, SequenceMask.Shape.ELEMENT, KEPT, 0);
    masks = new TokenMask(Ragged.of(scope, 0, 1 << 16), List.of(each));
  }

  /// Frees them.
  @TearDown
  public void close() {
    scope.close();
  }

  /// Draws it as a function of its place: Philox, by vectors where there are any.
  @Benchmark
  public float[] philox() {
    position = position + 1 & 0xFFFF;
    stream.line(0, position, threshold, KEPT, 0, line, 0, WIDTH);
    return line;
  }

  /// Draws the words of a line by the generator without vectors.
  @Benchmark
  public int[] philoxBlocks() {
    position = position + 1 & 0xFFFF;
    for (int i = 0; i < WIDTH; i += 4) {
      Philox.block(1, i >> 2, position, 0, 6 << 22, words, i);
    }
    return words;
  }

  /// Draws it and multiplies the activations by it, as training does with hidden masks.
  @Benchmark
  public void drop() {
    position = position + 1 & 0xFFFF;
    scope.free(Drop.tokens(scope, activations, masks.from(position)));
  }

  /// Multiplies the activations by a mask that is there already, for scale.
  @Benchmark
  public void mul() {
    scope.free(Elementwise.mul(scope, activations, mask));
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
