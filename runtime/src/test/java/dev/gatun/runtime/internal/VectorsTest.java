package dev.gatun.runtime.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gatun.runtime.Backend;
import dev.gatun.runtime.LeakCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class VectorsTest {
  @Test
  void eachObstacleIsNamed() {
    assertThat(Vectors.obstacle("on", 256)).isNull();
    assertThat(Vectors.obstacle("on", 512)).isNull();
    assertThat(Vectors.obstacle("on", 128)).contains("128 bits, expected 256");
    assertThat(Vectors.obstacle("on", 0)).isEqualTo("add --add-modules jdk.incubator.vector");
    assertThat(Vectors.obstacle("off", 512)).contains("-Dgatun.kernels=off");
  }

  @Test
  void stateTellsOfThisProcess() {
    boolean module = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    assertThat(Backend.kernels())
        .isEqualTo(Vectors.state())
        .startsWith(Vectors.areUsed() ? "in use, vectors of " : "not in use: ");
    if (!module) {
      assertThat(Backend.kernels()).endsWith("add --add-modules jdk.incubator.vector");
    }
  }
}
