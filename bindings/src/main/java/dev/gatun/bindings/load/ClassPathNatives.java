package dev.gatun.bindings.load;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;

/// The libraries inside the native jars on the class path.
///
/// @param resources the libraries in opening order
record ClassPathNatives(List<Resource> resources) {

  /// A library that can be read through a URL.
  ///
  /// @param name its file name
  /// @param url where it is
  /// @param size its bytes, unpacked
  /// @param crc its CRC-32, or -1 where it is not in a jar
  record Resource(String name, URL url, long size, long crc) {}

  /// Looks for the native jars through each class loader in turn; a libtorch with CUDA goes before
  /// one for the CPU.
  ///
  /// @return the libraries, empty where no loader has libtorch
  /// @throws IOException if a jar cannot be read, or the one with OpenBLAS is missing
  static Optional<ClassPathNatives> find(Platform platform, List<ClassLoader> loaders)
      throws IOException {
    String cuda = platform.cudaClassifier();
    if (cuda != null && url(path("pytorch", cuda, platform.torchCpu()), loaders).isPresent()) {
      List<Platform.Library> libraries = new ArrayList<>(platform.bundled());
      libraries.addAll(platform.bundledForCuda());
      return Optional.of(all(platform, cuda, libraries, loaders));
    }
    if (url(path("pytorch", platform.classifier(), platform.torchCpu()), loaders).isPresent()) {
      return Optional.of(all(platform, platform.classifier(), platform.bundled(), loaders));
    }
    return Optional.empty();
  }

  private static ClassPathNatives all(
      Platform platform,
      String torchClassifier,
      List<Platform.Library> libraries,
      List<ClassLoader> loaders)
      throws IOException {
    List<Resource> resources = new ArrayList<>();
    for (Platform.Library library : libraries) {
      String artifact = library.artifact();
      String classifier = artifact.equals("pytorch") ? torchClassifier : platform.classifier();
      String path = path(artifact, classifier, library.file());
      Optional<URL> url = url(path, loaders);
      if (url.isPresent()) {
        resources.add(resource(library.file(), url.get()));
      } else if (library.required()) {
        throw new IOException(
            "has libtorch but not %s: add org.bytedeco:%s with classifier %s"
                .formatted(path, artifact, classifier));
      }
    }
    return new ClassPathNatives(List.copyOf(resources));
  }

  /// The place of a library in the native jars.
  static String path(String artifact, String classifier, String file) {
    return "org/bytedeco/" + artifact + "/" + classifier + "/" + file;
  }

  /// Bytes of all libraries, unpacked.
  long size() {
    return resources.stream().mapToLong(Resource::size).sum();
  }

  private static Optional<URL> url(String path, List<ClassLoader> loaders) {
    return loaders.stream()
        .flatMap(loader -> Optional.ofNullable(loader.getResource(path)).stream())
        .findFirst();
  }

  private static Resource resource(String name, URL url) throws IOException {
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    // Closing the stream closes the jar that an uncached connection has opened.
    try (InputStream _ = connection.getInputStream()) {
      JarEntry entry = connection instanceof JarURLConnection jar ? jar.getJarEntry() : null;
      return entry == null
          ? new Resource(name, url, connection.getContentLengthLong(), -1)
          : new Resource(name, url, entry.getSize(), entry.getCrc());
    }
  }
}
