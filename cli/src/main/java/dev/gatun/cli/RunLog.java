package dev.gatun.cli;

import dev.gatun.models.train.StepReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// `metrics.jsonl` of a run: one object for each step and each evaluation, in order.
///
/// A resumed run keeps the lines up to its checkpoint and writes the others again.
final class RunLog {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path file;
  private boolean started;

  RunLog(Path file) {
    this.file = file;
  }

  void step(StepReport report) {
    start(report.step());
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", report.step());
    line.put("epoch", report.epoch());
    line.put("train_loss", report.loss());
    line.put("kl_loss", report.divergence());
    line.put("learning_rate", report.learningRate());
    line.put("grad_norm", report.gradNorm());
    line.put("tokens", report.tokens());
    line.put("seconds", report.seconds());
    line.put("native_bytes", report.nativeBytes());
    append(line);
  }

  void evaluation(int step, Measured measured) {
    start(step + 1);
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    line.put("eval_loss", measured.evaluation().loss());
    line.put("eval_tokens", measured.evaluation().tokens());
    if (measured.metrics() != null) {
      line.put("eval_metrics", measured.fields());
    }
    append(line);
  }

  /// Returns the tokens of all logged steps.
  long tokens() throws IOException {
    long sum = 0;
    for (Map<String, Object> line : read()) {
      sum += line.get("tokens") instanceof Number tokens ? tokens.longValue() : 0;
    }
    return sum;
  }

  /// Returns the lines as objects.
  List<Map<String, Object>> read() throws IOException {
    List<Map<String, Object>> lines = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        try {
          lines.add(
              JSON.readValue(
                  line,
                  JSON.getTypeFactory().constructMapType(Map.class, String.class, Object.class)));
        } catch (JacksonException e) {
          break; // a line that a kill cut short; it and what follows are written again
        }
      }
    }
    return lines;
  }

  /// Drops lines that a run before this one wrote for this step and later ones.
  private void start(int next) {
    if (started) {
      return;
    }
    started = true;
    try {
      StringBuilder kept = new StringBuilder();
      for (Map<String, Object> line : read()) {
        if (line.get("step") instanceof Number step && step.intValue() < next) {
          kept.append(JSON.writeValueAsString(line)).append('\n');
        }
      }
      Files.writeString(file, kept.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }

  private void append(Map<String, Object> line) {
    try {
      Files.writeString(
          file,
          JSON.writeValueAsString(line) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
