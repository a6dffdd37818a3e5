import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// Makes the demo model's pre-training corpus: plain Java files out of the source archives listed in
/// `demo/corpus.tsv`, fetched by Maven as any dependency is.
///
/// Run it from the repository's root: `java demo/MakeCorpus.java target/demo-corpus`. It writes
/// `pretrain/<artifact>/...java`, `heldout/<artifact>/...java` (one file in a hundred, by a hash of its
/// path) and `listing.tsv` (artifact, licence, SHA-256 of the archive, files, bytes). The same archives
/// give the same bytes.
///
/// Per file: line ends become `\n`, trailing blanks go, and the comment before the first statement (the
/// licence header) goes. Left out: package and module descriptors, generated files, tables, files
/// over 40 kB or under 300 bytes, files that are mostly comment, files that name a licence which is not
/// permissive, and files already seen.
final class MakeCorpus {
  private static final int MIN_BYTES = 300;
  private static final int MAX_BYTES = 40_000;
  private static final int MAX_LINE = 300;
  private static final double MAX_COMMENT_SHARE = 0.6;
  private static final double MAX_DIGIT_SHARE = 0.12;

  /// The comment or comments before the first statement.
  private static final Pattern HEADER =
      Pattern.compile("\\A(?:\\s*/\\*(?:[^*]|\\*(?!/))*+\\*/|\\s*//[^\\n]*+\\n)+\\s*(?=package |import )");

  private static final Pattern COMMENT =
      Pattern.compile("/\\*(?:[^*]|\\*(?!/))*+\\*/|//[^\\n]*+");

  private static final Pattern GENERATED =
      Pattern.compile(
          "do not (edit|modify)|@Generated|generated (by|from|code|automatically|file)|auto-?generated",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern NOT_PERMISSIVE =
      Pattern.compile("GNU |GPL|Eclipse Public|EPL-|CDDL|Common Development|Mozilla Public");

  private record Artifact(String group, String name, String version, String licence) {
    String jar() {
      return name + "-" + version + "-sources.jar";
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 1) {
      System.err.println("usage: java demo/MakeCorpus.java OUT (an empty or new folder)");
      System.exit(2);
    }
    Path demo = Path.of("demo");
    List<Artifact> artifacts = artifacts(demo.resolve("corpus.tsv"));
    Path out = Files.createDirectories(Path.of(args[0]).toAbsolutePath());
    for (String part : List.of("pretrain", "heldout")) {
      if (Files.exists(out.resolve(part))) {
        System.err.println(out.resolve(part) + ": exists already; remove it or name another folder");
        System.exit(1);
      }
    }
    Path archives = Files.createDirectories(out.resolve("archives"));
    fetch(artifacts, archives);

    Set<String> seen = demoData(demo.resolve("data"));
    List<String> listing = new ArrayList<>();
    listing.add("artifact\tlicence\tsha256\tfiles\tbytes");
    long files = 0;
    long bytes = 0;
    for (Artifact artifact : artifacts) {
      Path archive = archives.resolve(artifact.jar());
      long[] size = unpack(archive, artifact, out, seen);
      listing.add(
          String.join(
              "\t",
              artifact.group() + ":" + artifact.name() + ":" + artifact.version(),
              artifact.licence(),
              sha256(Files.readAllBytes(archive)),
              Long.toString(size[0]),
              Long.toString(size[1])));
      files += size[0];
      bytes += size[1];
    }
    listing.add("total\t\t\t" + files + "\t" + bytes);
    Files.write(out.resolve("listing.tsv"), listing);
    System.out.println(out + ": " + files + " files, " + bytes + " bytes");
  }

  private static List<Artifact> artifacts(Path list) throws IOException {
    List<Artifact> artifacts = new ArrayList<>();
    for (String line : Files.readAllLines(list)) {
      if (!line.startsWith("#") && !line.isBlank()) {
        String[] fields = line.split("[:\t]");
        artifacts.add(new Artifact(fields[0], fields[1], fields[2], fields[3]));
      }
    }
    return artifacts;
  }

  /// Lets Maven copy the source archives, so that mirrors and proxies of the user's settings hold.
  private static void fetch(List<Artifact> artifacts, Path archives)
      throws IOException, InterruptedException {
    StringBuilder pom = new StringBuilder();
    pom.append(
        """
        <project>
          <modelVersion>4.0.0</modelVersion>
          <groupId>demo</groupId><artifactId>corpus</artifactId><version>1</version>
          <packaging>pom</packaging>
          <build><plugins><plugin>
            <groupId>org.apache.maven.plugins</groupId>
            <artifactId>maven-dependency-plugin</artifactId>
            <version>3.8.1</version>
            <configuration><artifactItems>
        """);
    for (Artifact artifact : artifacts) {
      pom.append(
          """
              <artifactItem><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>
                <classifier>sources</classifier><type>jar</type></artifactItem>
          """
              .formatted(artifact.group(), artifact.name(), artifact.version()));
    }
    pom.append("    </artifactItems></configuration></plugin></plugins></build>\n</project>\n");
    Path file = Files.writeString(archives.resolve("pom.xml"), pom);
    Path wrapper = Path.of("mvnw").toAbsolutePath();
    List<String> command =
        List.of(
            Files.isExecutable(wrapper) ? wrapper.toString() : "mvn",
            "-q",
            "-B",
            "-f",
            file.toString(),
            "dependency:copy",
            "-DoutputDirectory=" + archives);
    int code = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (code != 0) {
      throw new IOException("Maven could not fetch the archives (exit " + code + "), see above");
    }
  }

  /// Returns the hashes of the fine-tuning files, so that none of them gets into the corpus.
  private static Set<String> demoData(Path data) throws IOException {
    Set<String> hashes = new HashSet<>();
    if (Files.isDirectory(data)) {
      try (Stream<Path> files = Files.walk(data)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          hashes.add(key(normalise(Files.readString(file))));
        }
      }
    }
    return hashes;
  }

  private static long[] unpack(Path archive, Artifact artifact, Path out, Set<String> seen)
      throws IOException {
    long files = 0;
    long bytes = 0;
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      List<? extends ZipEntry> entries =
          zip.stream()
              .filter(e -> !e.isDirectory() && e.getName().endsWith(".java"))
              .sorted(Comparator.comparing(ZipEntry::getName))
              .toList();
      for (ZipEntry entry : entries) {
        String name = entry.getName();
        if (name.contains("..") || name.startsWith("META-INF/")) {
          continue; // other versions of classes that are there already
        }
        String text = read(zip, entry);
        if (text == null || !isUsable(name, text) || !seen.add(key(text))) {
          continue;
        }
        boolean heldOut = Math.floorMod(name.hashCode(), 100) == 0;
        Path file =
            out.resolve(heldOut ? "heldout" : "pretrain").resolve(artifact.name()).resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        files++;
        bytes += text.getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return new long[] {files, bytes};
  }

  /// Returns the entry's normalised text, or null where it is not UTF-8 or not permissively licensed.
  private static String read(ZipFile zip, ZipEntry entry) {
    try (InputStream in = zip.getInputStream(entry)) {
      ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes());
      String source = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      return NOT_PERMISSIVE.matcher(source).find() ? null : normalise(source);
    } catch (CharacterCodingException e) {
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String normalise(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    text = HEADER.matcher(text).replaceFirst("");
    return text.replaceAll("[ \\t]+(?=\\n)", "").strip() + "\n";
  }

  private static boolean isUsable(String name, String text) {
    int length = text.length();
    if (name.endsWith("package-info.java")
        || name.endsWith("module-info.java")
        || length < MIN_BYTES
        || length > MAX_BYTES
        || GENERATED.matcher(text).find()
        || text.lines().anyMatch(line -> line.length() > MAX_LINE)) {
      return false;
    }
    long digits = text.chars().filter(Character::isDigit).count();
    long beyondAscii = text.chars().filter(c -> c > 126).count();
    long comment = 0;
    for (Matcher m = COMMENT.matcher(text); m.find(); ) {
      comment += m.end() - m.start();
    }
    return digits < MAX_DIGIT_SHARE * length
        && beyondAscii < 0.02 * length
        && comment < MAX_COMMENT_SHARE * length;
  }

  /// Returns the same for two texts that differ in blanks only.
  private static String key(String text) {
    return sha256(text.replaceAll("\\s+", " ").getBytes(StandardCharsets.UTF_8));
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }
}
