package dev.gatun.runtime.compiled;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// The package of `fixtures/compiled.py`: x f32 `(rows, 16)` and ids i64 `(rows)` below 10, of 2 to
/// 64 rows, to logits f32 `(rows, 9)`, probabilities `(rows, 9)`, x itself, the logits again, and
/// `None`.
final class Probe {
  static final Path FILE = Path.of("src/test/resources/compiled/probe.pt2");
  private static final Path EXPECTED = FILE.resolveSibling("probe.safetensors");

  private Probe() {}

  /// Returns whether its machine code runs here.
  static boolean runsHere() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).equals("linux")
        && System.getProperty("os.arch").equals("amd64");
  }

  /// Returns a tensor that Python has made, as a copy.
  static Tensor expected(Scope scope, String name) throws IOException {
    TensorEntry entry = SafetensorsFile.open(EXPECTED, scope.arena()).tensor(name);
    long[] shape = entry.sizes();
    Tensor copy = scope.empty(entry.dtype(), shape);
    copy.segment().copyFrom(entry.data());
    return copy;
  }

  /// Returns an input of as many rows.
  static Tensor x(Scope scope, long rows) {
    return scope.full(0.5, DType.F32, rows, 16);
  }

  /// Returns ids of as many rows.
  static Tensor ids(Scope scope, int rows) {
    return scope.of(new long[rows], rows);
  }

  /// Writes the package again with one kind of file changed; empty ones are left out.
  static Path changed(Path folder, String end, UnaryOperator<byte[]> change) throws IOException {
    Path target = folder.resolve("changed.pt2");
    try (ZipFile zip = new ZipFile(FILE.toFile());
        OutputStream file = Files.newOutputStream(target);
        ZipOutputStream out = new ZipOutputStream(file)) {
      for (ZipEntry entry : zip.stream().toList()) {
        byte[] bytes = zip.getInputStream(entry).readAllBytes();
        byte[] written = entry.getName().endsWith(end) ? change.apply(bytes) : bytes;
        if (written.length > 0) {
          out.putNextEntry(new ZipEntry(entry.getName()));
          out.write(written);
        }
      }
    }
    return target;
  }

  /// Replaces a text by another one, in libraries of the same length.
  static UnaryOperator<byte[]> replacing(String text, String other) {
    return bytes ->
        new String(bytes, StandardCharsets.ISO_8859_1)
            .replace(text, other)
            .getBytes(StandardCharsets.ISO_8859_1);
  }
}
