package dev.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The C views are C11, where a C compiler is there to say so.
class CViewTest {
  @ParameterizedTest
  @ValueSource(strings = {"torch.h", "torch_cuda.h"})
  void compilesAsC11(String view) throws IOException, InterruptedException {
    Optional<Path> compiler =
        Stream.of("cc", "gcc", "clang").flatMap(CViewTest::onPath).findFirst();
    assumeTrue(compiler.isPresent(), "no cc, gcc or clang on the PATH");
    Process process =
        new ProcessBuilder(
                compiler.get().toString(),
                "-std=c11",
                "-pedantic-errors",
                "-Wall",
                "-Werror",
                "-fsyntax-only",
                "-x",
                "c",
                GeneratedFiles.C_VIEWS.resolve(view).toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(output).isEmpty();
    assertThat(process.waitFor()).isZero();
  }

  private static Stream<Path> onPath(String program) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.of(path.split(File.pathSeparator))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable);
  }
}
