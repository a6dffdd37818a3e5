package dev.gatun.bindings.load;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A version of libtorch.
record Version(int major, int minor, int patch) implements Comparable<Version> {
  private static final Comparator<Version> ORDER =
      Comparator.comparingInt(Version::major)
          .thenComparingInt(Version::minor)
          .thenComparingInt(Version::patch);
  private static final Pattern LINE =
      Pattern.compile("^(?:__version__ *= *['\"])?(\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})");

  /// Reads what `aoti_torch_abi_version` returns: a byte each, from the top.
  static Version ofAbi(long abi) {
    return new Version((int) (abi >>> 56), (int) (abi >>> 48) & 0xff, (int) (abi >>> 40) & 0xff);
  }

  /// Reads the file beside the library folder in which a pip torch or a LibTorch folder tells its
  /// version.
  static Optional<Version> ofFolder(Path libraries) throws IOException {
    for (String name : new String[] {"version.py", "build-version"}) {
      Path file = libraries.resolveSibling(name);
      if (Files.isRegularFile(file)) {
        try {
          for (String line : Files.readAllLines(file)) {
            Matcher matcher = LINE.matcher(line);
            if (matcher.find()) {
              return Optional.of(
                  new Version(
                      Integer.parseInt(matcher.group(1)),
                      Integer.parseInt(matcher.group(2)),
                      Integer.parseInt(matcher.group(3))));
            }
          }
        } catch (MalformedInputException e) {
          return Optional.empty(); // Some other file of that name.
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public int compareTo(Version other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + patch;
  }
}
