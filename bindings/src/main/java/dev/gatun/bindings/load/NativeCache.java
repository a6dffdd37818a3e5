package dev.gatun.bindings.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipException;

/// A folder of the user's in which the native jars' libraries are unpacked once.
///
/// Every set of libraries has a folder of its own, named after their sizes and checksums. It
/// appears under its name only when it is whole: libraries are written beside it, checked against
/// the jar's CRC-32, forced to the disk and then renamed. `SHA256SUMS` in it is written last and
/// can be checked with `sha256sum -c`. A lock file keeps other processes out meanwhile.
///
/// @param root the folder that holds all sets
record NativeCache(Path root) {
  static final String VARIABLE = "GATUN_CACHE";
  static final String SUMS = "SHA256SUMS";

  /// The cache of this user.
  static NativeCache of(Platform platform, Map<String, String> environment) {
    String home = System.getProperty("user.home");
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isBlank()) {
      return new NativeCache(Path.of(named).toAbsolutePath());
    }
    if (platform.isMac()) {
      return new NativeCache(Path.of(home, "Library", "Caches", "gatun"));
    }
    if (platform.isWindows()) {
      String local = environment.getOrDefault("LOCALAPPDATA", home);
      return new NativeCache(Path.of(local, "gatun", "cache"));
    }
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    // The XDG specification has relative paths ignored.
    return new NativeCache(
        xdg.startsWith("/") ? Path.of(xdg, "gatun") : Path.of(home, ".cache", "gatun"));
  }

  /// Returns the folder with the unpacked libraries, unpacking them first where they are missing or
  /// damaged.
  ///
  /// @throws IOException with one line that names the folder if it cannot be written
  Path unpack(Platform platform, ClassPathNatives natives, Consumer<String> progress)
      throws IOException {
    String name = "libtorch-" + platform.classifier() + "-" + key(natives);
    Path folder = root.resolve(name);
    if (isWhole(folder, natives)) {
      return folder;
    }
    try {
      if (!root.isAbsolute()) {
        throw new IOException("the user has no home folder");
      }
      Files.createDirectories(root);
      Path lockFile = root.resolve(name + ".lock");
      try (FileChannel channel =
              FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock _ = lock(channel)) {
        if (!isWhole(folder, natives)) {
          progress.accept(
              "unpacking libtorch (%d MB) into %s".formatted(natives.size() >> 20, folder));
          unpackLocked(folder, natives);
        }
      }
      return folder;
    } catch (ZipException e) {
      throw e; // The jar's fault, not the cache's.
    } catch (IOException e) {
      throw new IOException(
          "cannot unpack libtorch (%d MB) into %s: %s; set %s to a folder that can be written"
              .formatted(natives.size() >> 20, folder, reason(e), VARIABLE),
          e);
    }
  }

  private void unpackLocked(Path folder, ClassPathNatives natives) throws IOException {
    Path part = root.resolve(folder.getFileName() + ".part");
    if (Files.exists(part)) {
      delete(part); // Whoever wrote it is gone: we hold the lock.
    }
    Files.createDirectory(part);
    try {
      fill(part, natives);
    } catch (IOException e) {
      delete(part); // Gives a full disk its space back.
      throw e;
    }
    if (Files.exists(folder)) {
      delete(folder);
    }
    Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
    force(root);
  }

  private static void fill(Path part, ClassPathNatives natives) throws IOException {
    StringBuilder sums = new StringBuilder();
    for (ClassPathNatives.Resource resource : natives.resources()) {
      String sum = copy(resource, part.resolve(resource.name()));
      sums.append(sum).append("  ").append(resource.name()).append('\n');
    }
    try (FileChannel out = create(part.resolve(SUMS))) {
      write(out, UTF_8.encode(sums.toString()));
      out.force(true);
    }
    force(part);
  }

  private static String copy(ClassPathNatives.Resource resource, Path file) throws IOException {
    MessageDigest sha256 = sha256();
    CRC32 crc = new CRC32();
    URLConnection connection = resource.url().openConnection();
    connection.setUseCaches(false);
    long size = 0;
    try (InputStream in = connection.getInputStream();
        FileChannel out = create(file)) {
      byte[] buffer = new byte[1 << 18];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        sha256.update(buffer, 0, read);
        crc.update(buffer, 0, read);
        write(out, ByteBuffer.wrap(buffer, 0, read));
        size += read;
      }
      out.force(true);
    } catch (ZipException e) {
      throw new ZipException(resource.url() + " is damaged: " + e.getMessage());
    }
    if (size != resource.size() || (resource.crc() >= 0 && crc.getValue() != resource.crc())) {
      throw new ZipException(
          "%s is damaged: found %d bytes with CRC %08x, expected %d with %08x"
              .formatted(resource.url(), size, crc.getValue(), resource.size(), resource.crc()));
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static boolean isWhole(Path folder, ClassPathNatives natives) throws IOException {
    if (!Files.exists(folder.resolve(SUMS))) {
      return false;
    }
    for (ClassPathNatives.Resource resource : natives.resources()) {
      Path file = folder.resolve(resource.name());
      if (!Files.isRegularFile(file) || Files.size(file) != resource.size()) {
        return false;
      }
    }
    return true;
  }

  private static String key(ClassPathNatives natives) {
    MessageDigest sha256 = sha256();
    for (ClassPathNatives.Resource library : natives.resources()) {
      String line = library.name() + " " + library.size() + " " + library.crc() + "\n";
      sha256.update(line.getBytes(UTF_8));
    }
    return HexFormat.of().formatHex(sha256.digest(), 0, 6);
  }

  private static FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        return channel.lock();
      } catch (OverlappingFileLockException e) {
        // Another class loader of this JVM has it, and the JDK does not queue for that.
        try {
          Thread.sleep(50);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted while another thread unpacks libtorch", interrupted);
        }
      }
    }
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void force(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder)) {
        channel.force(true);
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }

  // Some of the JDK's file system exceptions tell the reason by their class alone.
  private static String reason(IOException e) {
    String message = String.valueOf(e.getMessage());
    return e instanceof FileSystemException f && f.getReason() == null
        ? e.getClass().getSimpleName().replace("Exception", "") + " " + message
        : message;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
