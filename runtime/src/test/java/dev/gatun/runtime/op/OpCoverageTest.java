package dev.gatun.runtime.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.LeakCheck;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A new op without a row in [OpCases] or in [OpErrorCases] fails here.
@ExtendWith(LeakCheck.class)
class OpCoverageTest {
  /// Takes a tensor of any type and shape, so there is nothing to refuse.
  private static final Set<String> REFUSES_NOTHING =
      Set.of("Layout.copy", "Layout.to", "Layout.as");

  @Test
  void everyOpHasARow() throws Exception {
    assertThat(names(OpCases.all().map(OpCase::op))).isEqualTo(ops());
  }

  @Test
  void everyRowHasAReference() {
    assertThat(OpCases.all())
        .allMatch(row -> (row.plain() == null) != (row.fixture() == null), "one reference");
  }

  @Test
  void everyOpHasArgumentsThatItRefuses() throws Exception {
    Set<String> expected = new TreeSet<>(ops());
    expected.removeAll(REFUSES_NOTHING);
    assertThat(names(OpErrorCases.all().map(OpErrorCases.Row::op))).isEqualTo(expected);
  }

  private static Set<String> names(Stream<String> rows) {
    return rows.collect(Collectors.toCollection(TreeSet::new));
  }

  /// Returns the public static methods of the public classes beside [Elementwise].
  private static Set<String> ops() throws IOException, URISyntaxException, ClassNotFoundException {
    URL own = Objects.requireNonNull(Elementwise.class.getResource("Elementwise.class"));
    Path folder = Objects.requireNonNull(Path.of(own.toURI()).getParent());
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".class") && !name.equals("package-info.class")) {
          Class<?> type =
              Class.forName("dev.gatun.runtime.op." + name.substring(0, name.length() - 6));
          for (Method method : type.getDeclaredMethods()) {
            int modifiers = method.getModifiers();
            if (!type.isEnum()
                && Modifier.isPublic(type.getModifiers())
                && Modifier.isPublic(modifiers)
                && Modifier.isStatic(modifiers)) {
              names.add(type.getSimpleName() + "." + method.getName());
            }
          }
        }
      }
    }
    return names;
  }
}
