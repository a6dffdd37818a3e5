package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The process's memory as the system counts it.
final class ProcessMemory {
  private ProcessMemory() {}

  /// Returns the largest resident size so far in bytes (VmHWM), or null where the system does not
  /// say.
  static @Nullable Long peakResidentBytes() {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return null;
    }
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmHWM:")) {
          return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
    } catch (IOException e) {
      return null;
    }
    return null;
  }
}
