package dev.gatun.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class FlightRecorderTest {
  @TempDir Path folder;

  @Test
  void allocationsAndNativeFailuresAreEvents() throws IOException {
    Path file = folder.resolve("events.jfr");
    try (Recording recording = new Recording();
        Scope scope = Scope.open()) {
      recording.enable("dev.gatun.TensorAllocation");
      recording.start();
      Tensor made = scope.empty(DType.F32, 1024, 3);
      scope.keep(made); // shares its memory: no allocation
      assertThatThrownBy(() -> scope.empty(DType.F32, 1L << 58)).isInstanceOf(TorchException.class);
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    assertThat(events)
        .filteredOn(event -> event.getEventType().getName().equals("dev.gatun.TensorAllocation"))
        .extracting(event -> event.getLong("bytes"))
        .containsOnlyOnce(4096L * 3);
    assertThat(events)
        .filteredOn(event -> event.getEventType().getName().equals("dev.gatun.NativeFailure"))
        .singleElement()
        .satisfies(event -> {
          assertThat(event.getString("function")).isEqualTo("empty_strided");
          assertThat(event.getInt("code")).isNotZero();
          assertThat(event.getString("text")).isNotBlank();
        });
  }
}
