package dev.gatun.models.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Finds and reads text files.
final class TextFiles {
  /// Names a folder's text files end with; other files of a folder are passed over.
  private static final Set<String> EXTENSIONS =
      Set.of(
          ("txt text md markdown rst adoc org tex html htm xml css scss sql sh bash zsh bat ps1 "
                  + "java kt kts groovy gradle scala sc clj cljs py pyi rb php pl pm lua r jl "
                  + "c h cc cpp cxx hh hpp hxx cs fs vb m mm swift go rs zig d dart "
                  + "js jsx mjs cjs ts tsx vue svelte hs ml mli ex exs erl elm nim lisp scm el "
                  + "f f90 f95 asm s cu cuh glsl proto graphql thrift tf nix "
                  + "yaml yml toml ini cfg conf properties")
              .split(" "));

  private TextFiles() {}

  /// Returns a folder's text files in the order of their paths, the same on each system. Hidden
  /// files and folders, `node_modules` and links are passed over.
  static List<Path> list(Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            String name = name(directory);
            boolean passed = name.startsWith(".") || name.equals("node_modules");
            return passed && !directory.equals(folder)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = name(file);
            String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
            boolean text = EXTENSIONS.contains(extension) && extension.length() < name.length();
            if (attributes.isRegularFile() && !name.startsWith(".") && text) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    files.sort(
        Comparator.comparing(file ->
            folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/")));
    return files;
  }

  /// Returns a file's text with line ends as `\n` and without a byte order mark, or nothing if it
  /// is not UTF-8 text.
  static Optional<String> read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
    if (text.indexOf('\0') >= 0) {
      return Optional.empty();
    }
    if (text.startsWith("\ufeff")) {
      text = text.substring(1);
    }
    return Optional.of(text.replace("\r\n", "\n"));
  }

  private static String name(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }
}
