package dev.gatun.bindings.load;

import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The libtorch of this process: which one it is, where it was found, and its symbols.
///
/// [#load] looks in this order and takes the first that is there: the folder that the system
/// property `gatun.libtorch` names, that of the variable `GATUN_LIBTORCH`, that of `LIBTORCH`, the
/// native jars on the class path (unpacked once into a cache, see [#CACHE_VARIABLE]), and the torch
/// of the `python3` on the `PATH`. A folder that is named but missing, broken or too old is an
/// error; it is never skipped. Nothing is ever downloaded.
///
/// A libtorch before 2.13 prints each of its errors with a backtrace and cannot hand the text out;
/// it is silenced unless the variable `TORCH_CPP_LOG_LEVEL` is set.
///
/// Immutable and thread-safe. libtorch is never unloaded.
public final class LibTorch {
  /// The variable that names the folder for unpacked libraries, in place of the system's usual
  /// cache folder for `gatun`.
  public static final String CACHE_VARIABLE = NativeCache.VARIABLE;

  private static final System.Logger LOG = System.getLogger("dev.gatun.bindings.load");

  private static @Nullable LibTorch loaded;

  private final Source source;
  private final List<Step> steps;
  private final Map<String, String> variables;
  private final OpenedLibraries opened;
  private final NativeThreads threads;

  /// A place where libtorch is looked for, in search order.
  public enum Source {
    /// The system property `gatun.libtorch`.
    PROPERTY("-Dgatun.libtorch"),
    /// The variable `GATUN_LIBTORCH`.
    GATUN_LIBTORCH("GATUN_LIBTORCH"),
    /// The variable `LIBTORCH`.
    LIBTORCH("LIBTORCH"),
    /// The native jars on the class path.
    CLASS_PATH("class path"),
    /// The torch of the `python3` on the `PATH`.
    PYTHON("python3");

    private final String place;

    Source(String place) {
      this.place = place;
    }

    /// Returns the place as a user would name it.
    ///
    /// @return the flag, the variable, `class path` or `python3`
    public String place() {
      return place;
    }
  }

  /// One place looked at.
  ///
  /// @param source the place
  /// @param outcome what was there, in a few words
  public record Step(Source source, String outcome) {
    @Override
    public String toString() {
      return source.place() + ": " + outcome;
    }
  }

  private LibTorch(
      Source source, List<Step> steps, Map<String, String> variables, OpenedLibraries opened) {
    this.source = source;
    this.steps = List.copyOf(steps);
    this.variables = Map.copyOf(variables);
    this.opened = opened;
    this.threads = new NativeThreads(opened.symbols());
  }

  /// Finds and opens libtorch, or returns the one that is open. The first unpacking takes seconds
  /// and is logged as one line.
  ///
  /// @return the libtorch of this process
  /// @throws LibTorchLinkError if there is none that can be used
  public static LibTorch load() {
    return load(line -> LOG.log(System.Logger.Level.INFO, line));
  }

  /// Does the same as [#load()] and tells of the unpacking to a listener of the caller's.
  ///
  /// @param progress gets one line before libraries are unpacked
  /// @return the libtorch of this process
  /// @throws LibTorchLinkError if there is none that can be used
  public static synchronized LibTorch load(Consumer<String> progress) {
    LibTorch torch = loaded;
    if (torch == null) {
      torch = open(Platform.current(), progress);
      loaded = torch;
    }
    return torch;
  }

  /// Returns the user's folder for unpacked libraries, which may not be there yet; see
  /// [#CACHE_VARIABLE].
  ///
  /// @return an absolute path
  public static Path cacheFolder() {
    return NativeCache.of(Platform.current(), System.getenv()).root();
  }

  private static LibTorch open(Platform platform, Consumer<String> progress) {
    Map<String, String> environment = System.getenv();
    SystemLoader loader = systemLoader(platform);
    Search search =
        new Search(
            platform, System.getProperty("gatun.libtorch"), environment, classLoaders(), progress);
    Search.Found found = search.find();
    Map<String, String> variables =
        NativeDefaults.of(
            platform,
            CpuFeatures.detect(),
            Runtime.getRuntime().availableProcessors(),
            environment);
    variables.forEach(loader::setVariable);
    OpenedLibraries opened = OpenedLibraries.open(platform, loader, found, search.steps());
    if (!environment.containsKey("TORCH_CPP_LOG_LEVEL")) {
      opened.silenceErrors();
    }
    return new LibTorch(found.source(), search.steps(), variables, opened);
  }

  /// Links the system's loader of libraries.
  ///
  /// @throws LibTorchLinkError if native access is denied
  static SystemLoader systemLoader(Platform platform) {
    try {
      return SystemLoader.of(platform);
    } catch (IllegalCallerException e) {
      throw new LibTorchLinkError(
          "native access is denied to Gatun: start java with --enable-native-access="
              + callers(LibTorch.class.getModule()),
          List.of(),
          e);
    }
  }

  // The value of --enable-native-access: this module and the one that calls libtorch through it.
  private static String callers(Module module) {
    if (!module.isNamed()) {
      return "ALL-UNNAMED";
    }
    String runtime = "dev.gatun.runtime";
    boolean split = module.getLayer() != null && module.getLayer().findModule(runtime).isPresent();
    return split ? module.getName() + "," + runtime : module.getName();
  }

  private static List<ClassLoader> classLoaders() {
    return Stream.of(
            Thread.currentThread().getContextClassLoader(),
            LibTorch.class.getClassLoader(),
            ClassLoader.getSystemClassLoader())
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  /// Returns libtorch's version as the library itself tells it.
  ///
  /// @return such as `2.13.0`
  public String version() {
    return opened.version().toString();
  }

  /// Returns the folder that holds the libraries.
  ///
  /// @return an absolute path
  public Path folder() {
    return opened.folder();
  }

  /// Returns the place that named the folder.
  ///
  /// @return the last place looked at
  public Source source() {
    return source;
  }

  /// Returns what was found where.
  ///
  /// @return the places looked at in search order, that of [#source] last
  public List<Step> steps() {
    return steps;
  }

  /// Returns the libraries that were opened; those that the system opened for their sake are not
  /// among them.
  ///
  /// @return absolute paths in opening order
  public List<Path> libraries() {
    return opened.libraries();
  }

  /// Returns the variables that were set for the libraries because the user had not set them.
  ///
  /// @return values by name; `System.getenv` does not show them
  public Map<String, String> variables() {
    return variables;
  }

  /// Returns the library behind the matrix products, as it describes itself.
  ///
  /// @return such as `OpenBLAS 0.3.31 DYNAMIC_ARCH Haswell`, or `unknown`
  public String blas() {
    return opened.blas();
  }

  /// Returns all symbols of libtorch and, except on Windows, of what it depends on. They stay valid
  /// for the life of the process.
  ///
  /// @return a lookup that works from any class loader
  public SymbolLookup symbols() {
    return opened.symbols();
  }

  /// Opens another library that names libtorch as what it depends on, such as a compiled model's;
  /// it is linked with this libtorch. Like libtorch it is never closed.
  ///
  /// @param library an absolute path
  /// @return its symbols, which stay valid for the life of the process
  /// @throws IOException with one line that says why it cannot be opened
  SymbolLookup open(Path library) throws IOException {
    Platform platform = Platform.current();
    if (platform.isLinux()) {
      ElfFile.check(library, platform.arch());
    }
    SystemLoader loader = systemLoader(platform);
    return loader.symbols(List.of(loader.open(library, false)));
  }

  /// Tells whether libtorch has a function, for those that came after 2.10.
  ///
  /// @param name the C function
  /// @return whether it can be called
  public boolean has(String name) {
    return symbols().find(name).isPresent();
  }

  /// Tells why libtorch computes on the CPU alone. Its CUDA half is opened with it where it is
  /// installed beside it and there is a driver.
  ///
  /// @return one line; empty where `libtorch_cuda` is open
  public Optional<String> withoutCuda() {
    return opened.withoutCuda();
  }

  /// Returns the thread counts.
  ///
  /// @return a view of the process's settings
  public NativeThreads threads() {
    return threads;
  }

  /// Returns one line for logs and reports.
  @Override
  public String toString() {
    return "libtorch " + version() + " in " + folder() + " (" + source.place() + ")";
  }
}
