package dev.gatun.runtime;

import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What PyTorch computes in float64, written by fixtures/make_fixtures.py.
public final class Fixture {
  private static final Path FOLDER = Path.of("src/test/resources/parity");
  private static final SafetensorsFile OPS = open();

  private Fixture() {}

  private static SafetensorsFile open() {
    try {
      return SafetensorsFile.open(FOLDER.resolve("ops.safetensors"), Arena.global());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Returns a JSON file of the folder.
  public static JsonNode json(String name) {
    return new JsonMapper().readTree(FOLDER.resolve(name).toFile());
  }

  /// Returns the settings of an op that are no tensors.
  public static JsonNode settings(String op) {
    return json("ops.json").get("settings").get(op);
  }

  /// Returns whether there is a tensor of this name.
  public static boolean has(String name) {
    return OPS.tensors().containsKey(name);
  }

  private static TensorEntry entry(String name) {
    return Objects.requireNonNull(OPS.tensors().get(name), name);
  }

  /// Returns the elements of a float64 tensor.
  public static double[] doubles(String name) {
    return entry(name).data().toArray(ValueLayout.JAVA_DOUBLE);
  }

  /// Returns the elements of an int64 tensor.
  public static long[] longs(String name) {
    return entry(name).data().toArray(ValueLayout.JAVA_LONG);
  }

  /// Returns the elements of a boolean tensor.
  public static boolean[] booleans(String name) {
    byte[] bytes = entry(name).data().toArray(ValueLayout.JAVA_BYTE);
    boolean[] values = new boolean[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i] != 0;
    }
    return values;
  }

  /// Returns the sizes of a tensor.
  public static long[] shape(String name) {
    return entry(name).sizes();
  }
}
