package dev.gatun.models;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.train.TaskLoss;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Ragged;
import dev.gatun.runtime.safetensors.SafetensorsFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// The fixtures of models with the head of a task, that fixtures/tasks.py wrote.
public record TaskCases(String name, SafetensorsFile file, List<int[]> rows) {
  /// Their names.
  public static final List<String> NAMES =
      List.of(
          "roberta",
          "roberta-qa",
          "xlm-roberta",
          "deberta-v3",
          "deberta-c2p",
          "deberta-p2c",
          "deberta-qa",
          "gpt2-score",
          "llama-score");

  /// Reads the sequences and what is expected of them.
  public static TaskCases read(String name) throws IOException {
    SafetensorsFile file = Parity.open(Parity.model(name).resolve("cases.safetensors"));
    List<int[]> rows = new ArrayList<>();
    while (file.tensors().containsKey("ids." + rows.size())) {
      rows.add(Parity.ints(file, "ids." + rows.size()));
    }
    return new TaskCases(name, file, rows);
  }

  /// Opens the model for the task of its config.
  @MustBeClosed
  public TaskModel open(DType compute, ModelDirectory.Use use) throws IOException {
    ModelDirectory directory = ModelDirectory.read(Parity.model(name));
    return directory.openTask(
        Objects.requireNonNull(directory.task()), TestDevice.DEVICE, compute, use, 0);
  }

  /// Returns the number of sequences.
  public int sequences() {
    return rows.size();
  }

  /// Returns a sequence.
  public int[] ids(int sequence) {
    return rows.get(sequence);
  }

  /// Returns where each sequence starts, then the number of tokens.
  private int[] offsets() {
    int[] offsets = new int[rows.size() + 1];
    for (int i = 0; i < rows.size(); i++) {
      offsets[i + 1] = offsets[i] + rows.get(i).length;
    }
    return offsets;
  }

  /// Returns a pass over all sequences in one batch.
  public ForwardPass pass(Scope owner, TaskModel model, PassAddition addition) {
    int[] ids = rows.stream().flatMapToInt(Arrays::stream).toArray();
    return addition.join(ForwardPass.of(owner, model, ids, offsets()), ids.length).build();
  }

  /// Returns the outputs of one sequence of the batch.
  public Tensor of(Scope scope, TaskModel model, Tensor outputs, int sequence) {
    return model.task().isOfSequences()
        ? Layout.narrow(scope, outputs, 0, sequence, 1)
        : Layout.narrow(scope, outputs, 0, offsets()[sequence], rows.get(sequence).length);
  }

  /// Returns the mean loss of the batch.
  public Tensor loss(Scope scope, Tensor outputs, Ragged batch) {
    try {
      double mean = 1.0 / sequences();
      Task.Kind kind =
          file.tensors().containsKey("starts")
              ? Task.Kind.QUESTION_ANSWERING
              : file.tensors().containsKey("targets")
                  ? Task.Kind.REGRESSION
                  : Task.Kind.CLASSIFICATION;
      return switch (kind) {
        case CLASSIFICATION ->
            TaskLoss.classification(scope, outputs, Parity.ints(file, "labels"), mean);
        case REGRESSION ->
            TaskLoss.regression(scope, outputs, Parity.doubles(file, "targets"), mean);
        case QUESTION_ANSWERING ->
            TaskLoss.answers(
                scope, outputs, batch, Parity.ints(file, "starts"), Parity.ints(file, "ends"));
      };
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /// Returns numbers of the fixture.
  public double[] expected(String key) throws IOException {
    return Parity.doubles(file, key);
  }
}
