package dev.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The generated files and their inputs are those of the last run of jextract.sh.
class ChecksumTest {
  @Test
  void filesAreWhatJextractShMade() throws IOException, NoSuchAlgorithmException {
    Map<String, String> recorded = new TreeMap<>();
    for (String line : Files.readAllLines(GeneratedFiles.MODULE.resolve("bindings.sha256"))) {
      String[] parts = line.split(" +", 2);
      recorded.put(parts[1], parts[0]);
    }
    Map<String, String> found = new TreeMap<>();
    put(found, GeneratedFiles.ROOT.resolve("jextract.sh"));
    for (Path folder : GeneratedFiles.FOLDERS) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          put(found, file);
        }
      }
    }
    assertThat(found)
        .as("generated files and filters; after a change run ./jextract.sh and commit its output")
        .isEqualTo(recorded);
  }

  private static void put(Map<String, String> sums, Path file)
      throws IOException, NoSuchAlgorithmException {
    byte[] sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
    String name = GeneratedFiles.ROOT.relativize(file).toString().replace('\\', '/');
    sums.put(name, HexFormat.of().formatHex(sum));
  }
}
