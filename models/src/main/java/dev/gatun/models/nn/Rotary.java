package dev.gatun.models.nn;

/// Rotary position embedding: the angle of each pair of channels grows with the position.
///
/// @param inverseFrequencies angle per position of each of the D / 2 pairs, f32 as in transformers
public record Rotary(float[] inverseFrequencies) {
  /// {@return the plain frequencies theta^(-2i / D)}
  ///
  /// @param theta base, `rope_theta`
  /// @param headDim D
  public static Rotary of(double theta, int headDim) {
    float[] frequencies = new float[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = (float) (1.0 / Math.pow(theta, (double) (2 * i) / headDim));
    }
    return new Rotary(frequencies);
  }

  /// {@return frequencies divided by a factor: linear position interpolation}
  ///
  /// @param factor divisor of the frequencies
  public Rotary linear(double factor) {
    float[] scaled = inverseFrequencies.clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = (float) (scaled[i] / factor);
    }
    return new Rotary(scaled);
  }

  /// {@return Llama 3's scaling: low frequencies are divided by the factor, high ones stay, those
  /// between are blended}
  ///
  /// Source: transformers, `_compute_llama3_parameters`.
  ///
  /// @param factor divisor of the low frequencies
  /// @param low `low_freq_factor`
  /// @param high `high_freq_factor`
  /// @param original `original_max_position_embeddings`
  public Rotary llama3(double factor, double low, double high, int original) {
    float[] scaled = inverseFrequencies.clone();
    for (int i = 0; i < scaled.length; i++) {
      double wavelength = 2 * Math.PI / scaled[i];
      if (wavelength > original / low) {
        scaled[i] = (float) (scaled[i] / factor);
      } else if (wavelength >= original / high) {
        double smooth = (original / wavelength - low) / (high - low);
        scaled[i] = (float) ((1 - smooth) * scaled[i] / factor + smooth * scaled[i]);
      }
    }
    return new Rotary(scaled);
  }

  /// Returns the cosines of some positions, `(N, D)` row-major, each half repeated.
  float[] cos(int[] positions) {
    return table(positions, false);
  }

  /// Returns the sines of some positions, `(N, D)` row-major, negated in the first half.
  float[] signedSin(int[] positions) {
    return table(positions, true);
  }

  private float[] table(int[] positions, boolean sine) {
    int half = inverseFrequencies.length;
    float[] table = new float[positions.length * half * 2];
    for (int n = 0; n < positions.length; n++) {
      int row = n * half * 2;
      for (int i = 0; i < half; i++) {
        double angle = positions[n] * inverseFrequencies[i];
        float value = (float) (sine ? Math.sin(angle) : Math.cos(angle));
        table[row + i] = sine ? -value : value;
        table[row + half + i] = value;
      }
    }
    return table;
  }
}
