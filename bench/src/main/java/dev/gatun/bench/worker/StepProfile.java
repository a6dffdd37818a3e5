package dev.gatun.bench.worker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/// Where the time of training steps goes, by Flight Recorder's samples of the training thread.
///
/// A sample belongs to the outermost operation of the runtime that its stack shows, forward or
/// backward. Libtorch's other threads work for the same operation, so they are not sampled.
final class StepProfile implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofMillis(1);
  private static final List<String> OPERATIONS =
      List.of("dev.gatun.runtime.op.", "dev.gatun.runtime.optim.");

  private final Recording recording;

  private StepProfile(Recording recording) {
    this.recording = recording;
  }

  static StepProfile start() {
    Recording recording = new Recording();
    recording.enable("jdk.ExecutionSample").withPeriod(PERIOD);
    recording.enable("jdk.NativeMethodSample").withPeriod(PERIOD);
    recording.start();
    return new StepProfile(recording);
  }

  /// Returns samples by direction and operation, of the second half of the recording: the first
  /// warms up.
  Map<String, Integer> samples() throws IOException {
    recording.stop();
    Path file = Files.createTempFile("gatun-profile", ".jfr");
    try {
      recording.dump(file);
      Instant from =
          recording
              .getStartTime()
              .plus(
                  Duration.between(recording.getStartTime(), recording.getStopTime()).dividedBy(2));
      Map<String, Integer> samples = new TreeMap<>();
      for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
        if (event.getStackTrace() != null && event.getStartTime().isAfter(from)) {
          String operation = operation(event.getStackTrace().getFrames());
          if (operation != null) {
            samples.merge(operation, 1, Integer::sum);
          }
        }
      }
      return samples;
    } finally {
      Files.delete(file);
    }
  }

  /// Returns the operation that a stack, innermost frame first, is in; null outside training steps.
  private static @Nullable String operation(List<RecordedFrame> frames) {
    String layer = "";
    String operation = "none"; // gradients that meet are added by the tape itself
    boolean backward = false;
    for (RecordedFrame frame : frames) {
      RecordedMethod method = frame.getMethod();
      String type = method.getType().getName();
      String name =
          type.replaceFirst("\\$\\$Lambda.*", "").replaceFirst(".*\\.", "")
              + "."
              + method.getName();
      if (OPERATIONS.stream().anyMatch(type::startsWith)) {
        operation = name;
      }
      if (layer.isEmpty() && type.startsWith("dev.gatun.models.nn.Linear")) {
        layer = name + " ";
      }
      backward |= name.equals("Tape.step");
      if (name.equals("Trainer.step")) {
        return (backward ? "backward " : "forward ") + layer + operation;
      }
    }
    return null;
  }

  @Override
  public void close() {
    recording.close();
  }
}
