package dev.gatun.runtime.kernel;

import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vectors of this processor and what is computed with them.
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

  static final int COUNT = FLOATS.length();

  /// Swap halves, quarters, and so on to neighbours.
  private static final List<VectorShuffle<Float>> SWAPS = swaps();

  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0.69314575f;
  private static final float LN2_LOW = 1.4286068e-6f;

  /// Added to a float of small magnitude it leaves the nearest integer in the lowest bits.
  private static final float ROUND = 12582912f; // 1.5 * 2^23

  private static final float LEAST = -87f;
  private static final float MOST = 88f;

  private static final int ONE = Float.floatToRawIntBits(1);

  private Lanes() {}

  private static List<VectorShuffle<Float>> swaps() {
    List<VectorShuffle<Float>> swaps = new ArrayList<>();
    for (int apart = COUNT / 2; apart > 0; apart /= 2) {
      int distance = apart;
      swaps.add(VectorShuffle.fromOp(FLOATS, lane -> lane ^ distance));
    }
    return List.copyOf(swaps);
  }

  /// Returns a length that is a multiple of the lanes, for an array that holds `count` elements.
  static int padded(int count) {
    return (count + COUNT - 1) / COUNT * COUNT;
  }

  /// Returns the sum of the lanes, always added in the same order: `reduceLanes` may add them in
  /// another before it is compiled.
  static float sum(FloatVector x) {
    FloatVector sum = x;
    for (int i = 0; i < SWAPS.size(); i++) {
      sum = sum.add(sum.rearrange(SWAPS.get(i)));
    }
    return sum.lane(0);
  }

  static FloatVector of(float[] array, int index) {
    return FloatVector.fromArray(FLOATS, array, index);
  }

  static FloatVector of(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  /// Returns e^x within 2 units in the last place for x from -87 to 88, below that 0, above it
  /// e^88.
  ///
  /// Cody and Waite's reduction to 2^n e^r with |r| <= ln 2 / 2, and Cephes' polynomial for e^r.
  static FloatVector exp(FloatVector x) {
    VectorMask<Float> vanishes = x.lt(LEAST);
    FloatVector clipped = x.blend(0, vanishes).blend(MOST, x.compare(VectorOperators.GT, MOST));
    FloatVector shifted = clipped.fma(of(LOG2_E), of(ROUND));
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(of(-LN2_HIGH), clipped);
    r = n.fma(of(-LN2_LOW), r);
    FloatVector p = of(1.9875691e-4f);
    p = p.fma(r, of(0.0013981999f));
    p = p.fma(r, of(0.008333452f));
    p = p.fma(r, of(0.041665796f));
    p = p.fma(r, of(0.16666666f));
    p = p.fma(r, of(0.5f));
    p = p.fma(r.mul(r), r).add(1f);
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.mul(exponent.add(ONE).reinterpretAsFloats()).blend(0, vanishes);
  }
}
