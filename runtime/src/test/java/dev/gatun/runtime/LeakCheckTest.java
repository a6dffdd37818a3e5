package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class LeakCheckTest {
  @Test
  void aPlantedLeakFails() {
    LeakCheck.Live before = LeakCheck.Live.now();
    Scope leaked = Scope.openShared();
    try {
      leaked.zeros(DType.F32, 4, 4);
      assertThatThrownBy(before::checkNothingMore)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("leak: found " + (before.tensors() + 1) + " live tensors")
          .hasMessageContaining("expected " + before.tensors() + " of " + before.bytes());
    } finally {
      leaked.close();
    }
    assertThatCode(before::checkNothingMore).doesNotThrowAnyException();
  }

  @Test
  void aTensorFreedTooOftenFailsToo() {
    LeakCheck.Live more = new LeakCheck.Live(NativeMemory.liveTensors() + 1, 0);
    assertThatThrownBy(more::checkNothingMore).isInstanceOf(AssertionError.class);
  }

  @Test
  void everyTestClassOfTheModuleHasTheCheck() throws Exception {
    List<Class<?>> classes = testClasses();
    assertThat(classes).contains(LeakCheckTest.class).hasSizeGreaterThan(15);
    assertThat(classes).allMatch(LeakCheckTest::isChecked);
  }

  private static boolean isChecked(AnnotatedElement type) {
    return Arrays.stream(type.getAnnotationsByType(ExtendWith.class))
        .anyMatch(extend -> Arrays.asList(extend.value()).contains(LeakCheck.class));
  }

  private static List<Class<?>> testClasses()
      throws IOException, URISyntaxException, ClassNotFoundException {
    URL own = Objects.requireNonNull(LeakCheckTest.class.getResource("LeakCheckTest.class"));
    Path folder = Objects.requireNonNull(Path.of(own.toURI()).getParent());
    List<String> names;
    try (Stream<Path> files = Files.walk(folder)) {
      names =
          files
              .map(file ->
                  folder.relativize(file).toString().replace(java.io.File.separatorChar, '.'))
              .filter(name -> name.endsWith("Test.class"))
              .map(name -> "dev.gatun.runtime." + name.substring(0, name.length() - 6))
              .toList();
    }
    List<Class<?>> classes = new java.util.ArrayList<>();
    for (String name : names) {
      classes.add(Class.forName(name));
    }
    return classes;
  }
}
