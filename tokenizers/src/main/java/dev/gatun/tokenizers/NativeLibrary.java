package dev.gatun.tokenizers;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import dev.gatun.runtime.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Loads the tokenizers library's CPU build out of its jar.
///
/// The binding looks for a GPU, downloads other builds and unpacks into a folder of its own, as
/// system properties tell it. They are set while it loads and put back, so that other users of it
/// in the process keep theirs.
final class NativeLibrary {
  private static boolean loaded;

  private NativeLibrary() {}

  static synchronized void load() {
    if (loaded) {
      return;
    }
    Map<String, String> settings =
        Map.of(
            "ai.djl.offline", "true", "RUST_FLAVOR", "cpu", "ENGINE_CACHE_DIR", cache().toString());
    Map<String, @Nullable String> before = new LinkedHashMap<>();
    Thread thread = Thread.currentThread();
    ClassLoader context = thread.getContextClassLoader();
    settings.forEach((key, value) -> before.put(key, System.setProperty(key, value)));
    // the binding looks its own library up through the context class loader
    thread.setContextClassLoader(LibUtils.class.getClassLoader());
    try {
      LibUtils.checkStatus();
    } catch (RuntimeException e) {
      throw new LinkageError(
          "tokenizers library: found %s, expected the CPU build for %s %s unpacked into %s"
              .formatted(
                  causes(e), System.getProperty("os.name"), System.getProperty("os.arch"), cache()),
          e);
    } finally {
      thread.setContextClassLoader(context);
      before.forEach(NativeLibrary::restore);
    }
    loaded = true;
  }

  private static void restore(String key, @Nullable String value) {
    if (value == null) {
      System.clearProperty(key);
    } else {
      System.setProperty(key, value);
    }
  }

  private static Path cache() {
    Path folder = Backend.cacheFolder();
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LinkageError(
          folder
              + ": found no writable folder, expected one for the tokenizers library: set"
              + " GATUN_CACHE",
          e);
    }
  }

  private static String causes(Throwable thrown) {
    StringBuilder text = new StringBuilder(String.valueOf(thrown.getMessage()));
    for (Throwable cause = thrown.getCause(); cause != null; cause = cause.getCause()) {
      text.append(": ").append(cause.getMessage());
    }
    return text.toString();
  }
}
