package dev.gatun.bindings.load;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;

/// The operating system's own loader of shared libraries. Nothing is ever unloaded: libtorch's
/// static destructors and thread-locals do not survive that.
sealed interface SystemLoader permits PosixLoader, WindowsLoader {

  /// Links the loader's functions.
  ///
  /// @throws IllegalCallerException if native access is denied to this module
  static SystemLoader of(Platform platform) {
    return platform.isWindows() ? new WindowsLoader() : new PosixLoader(platform.isMac());
  }

  /// Opens a library by absolute path, every symbol bound at once.
  ///
  /// @param visible whether its symbols are offered to libraries that do not name it
  /// @throws IOException with the system's own text if it cannot be opened
  MemorySegment open(Path library, boolean visible) throws IOException;

  /// The symbols of opened libraries, the last one's first, and of what they depend on.
  SymbolLookup symbols(List<MemorySegment> libraries);

  /// Sets a variable of the process for native code. [System#getenv] does not see it.
  void setVariable(String name, String value);

  /// Runs a downcall whose handle declares `Throwable`.
  static <T> T call(Downcall<T> downcall) {
    try {
      return downcall.invoke();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall threw a checked exception", e);
    }
  }

  /// The body of one downcall.
  @FunctionalInterface
  interface Downcall<T> {
    T invoke() throws Throwable;
  }
}
