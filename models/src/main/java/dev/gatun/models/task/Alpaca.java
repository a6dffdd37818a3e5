package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Instructions with answers, in the columns and the prompts of Stanford Alpaca (Taori et al.
/// 2023): `instruction`, `input` (may be empty or missing), `output`.
public final class Alpaca {
  private Alpaca() {}

  /// Reads a file.
  ///
  /// @param file a JSON list, JSON lines, or a table with those columns
  /// @return one row per instruction, each with one reference
  /// @throws MalformedFileException if a column is missing or is no text
  /// @throws IOException if the file is missing or cannot be read
  public static TaskData<GenerationRow> read(Path file) throws IOException {
    List<List<String>> columns = List.of(List.of("instruction", "output"));
    List<GenerationRow> rows = new ArrayList<>();
    Table.NAMED.read(
        file,
        row -> {
          List<String> names = row.columns(columns);
          String input = row.names().contains("input") ? row.text("input") : "";
          String prompt = prompt(row.text(names.getFirst()), input);
          rows.add(new GenerationRow(prompt, List.of(row.text(names.getLast())), null));
        });
    return TaskData.of(file, rows, 0);
  }

  /// {@return the prompt of an instruction}
  ///
  /// @param instruction what to do
  /// @param input what to do it with, or empty
  public static String prompt(String instruction, String input) {
    if (input.isEmpty()) {
      return """
      Below is an instruction that describes a task. Write a response that appropriately completes \
      the request.

      ### Instruction:
      %s

      ### Response:\
      """
          .formatted(instruction);
    }
    return """
    Below is an instruction that describes a task, paired with an input that provides further \
    context. Write a response that appropriately completes the request.

    ### Instruction:
    %s

    ### Input:
    %s

    ### Response:\
    """
        .formatted(instruction, input);
  }
}
