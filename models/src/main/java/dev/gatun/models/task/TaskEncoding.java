package dev.gatun.models.task;

import dev.gatun.models.data.SpanTokenizer;
import dev.gatun.models.generate.BeamSearch;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// How a task's rows become tokens of one model, and how the model is asked for texts.
///
/// @param tokenizer the model's
/// @param causal whether tokens see only those before them: then texts are as a language model's,
///   else they stand between the model's special tokens
/// @param maxLength most tokens of an example
/// @param vocabulary the model's number of ids
/// @param search how texts are written, made of the task's own way
/// @param stops ids that end a written text
/// @param texts most prompts that texts are written for when a model is measured; 0 for none
/// @param shots MMLU's file of answered questions, or the folder with one for each subject; null
///   for none
public record TaskEncoding(
    SpanTokenizer tokenizer,
    boolean causal,
    int maxLength,
    int vocabulary,
    UnaryOperator<BeamSearch.Options> search,
    Set<Integer> stops,
    int texts,
    @Nullable Path shots) {
  private static final int SHORTEST = 8;

  /// Copies the set and checks the numbers.
  public TaskEncoding {
    stops = Set.copyOf(stops);
    if (maxLength < SHORTEST || vocabulary < 1 || texts < 0) {
      throw new IllegalArgumentException(
          "task: maximum length %d, vocabulary %d, texts %d: expected at least %d, 1 and 0"
              .formatted(maxLength, vocabulary, texts, SHORTEST));
    }
  }
}
