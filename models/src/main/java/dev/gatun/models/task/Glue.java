package dev.gatun.models.task;

import dev.gatun.models.task.ClassificationTask.Columns;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The nine tasks of GLUE (Wang et al. 2019, arXiv:1804.07461), in the columns of their official
/// files and of the Hugging Face data set `nyu-mll/glue`.
///
/// In the official files a quote is a character like others. CoLA's have no header line. Rows of
/// QQP that a line break in a question tore apart are passed over. The unlabelled test files are
/// not read.
public final class Glue {
  private static final List<String> ACCURACY = List.of("accuracy");
  private static final List<String> ACCURACY_AND_F1 = List.of("accuracy", "f1");
  private static final List<String> ENTAILMENT = List.of("entailment", "not_entailment");
  private static final List<String> DEV = List.of("dev.tsv");
  private static final Columns SENTENCE = new Columns("sentence", null, "label");
  private static final Columns SENTENCES = new Columns("sentence1", "sentence2", "label");

  /// Whether a sentence is acceptable English.
  public static final ClassificationTask COLA =
      new ClassificationTask(
          "cola",
          SENTENCE,
          SENTENCE,
          List.of("source", "label", "judgment", "sentence"),
          List.of("unacceptable", "acceptable"),
          List.of("matthews_correlation"),
          DEV,
          false);

  /// Sentiment of a sentence of a film review.
  public static final ClassificationTask SST2 =
      task("sst2", SENTENCE, SENTENCE, List.of("negative", "positive"), ACCURACY);

  /// Whether two sentences mean the same.
  public static final ClassificationTask MRPC =
      task(
          "mrpc",
          new Columns("#1 String", "#2 String", "Quality"),
          SENTENCES,
          List.of("not_equivalent", "equivalent"),
          ACCURACY_AND_F1);

  /// Whether two questions ask the same.
  public static final ClassificationTask QQP =
      new ClassificationTask(
          "qqp",
          new Columns("question1", "question2", "is_duplicate"),
          new Columns("question1", "question2", "label"),
          List.of(),
          List.of("not_duplicate", "duplicate"),
          ACCURACY_AND_F1,
          DEV,
          true);

  /// How similar two sentences are, 0 to 5.
  public static final ClassificationTask STSB =
      task(
          "stsb",
          new Columns("sentence1", "sentence2", "score"),
          SENTENCES,
          List.of(),
          List.of("pearson", "spearmanr"));

  /// Whether a text implies another; results are reported on matched and on mismatched genres.
  public static final ClassificationTask MNLI =
      new ClassificationTask(
          "mnli",
          new Columns("sentence1", "sentence2", "gold_label"),
          new Columns("premise", "hypothesis", "label"),
          List.of(),
          List.of("entailment", "neutral", "contradiction"),
          ACCURACY,
          List.of("dev_matched.tsv", "dev_mismatched.tsv"),
          false);

  /// Whether a sentence answers a question.
  public static final ClassificationTask QNLI =
      task(
          "qnli",
          new Columns("question", "sentence", "label"),
          new Columns("question", "sentence", "label"),
          ENTAILMENT,
          ACCURACY);

  /// Whether a text implies another.
  public static final ClassificationTask RTE =
      task("rte", SENTENCES, SENTENCES, ENTAILMENT, ACCURACY);

  /// Whether a sentence with a pronoun replaced follows.
  public static final ClassificationTask WNLI =
      task("wnli", SENTENCES, SENTENCES, List.of("not_entailment", "entailment"), ACCURACY);

  private static final List<ClassificationTask> ALL =
      List.of(COLA, SST2, MRPC, QQP, STSB, MNLI, QNLI, RTE, WNLI);

  private Glue() {}

  private static ClassificationTask task(
      String name, Columns official, Columns hub, List<String> labels, List<String> metrics) {
    return new ClassificationTask(name, official, hub, List.of(), labels, metrics, DEV, false);
  }

  /// {@return all tasks}
  public static List<ClassificationTask> all() {
    return ALL;
  }

  /// Finds a task.
  ///
  /// @param name its name in any case, with or without hyphens: `SST-2` is `sst2`
  /// @return the task, or nothing
  public static Optional<ClassificationTask> of(String name) {
    String plain = name.toLowerCase(Locale.ROOT).replace("-", "");
    return ALL.stream().filter(task -> task.name().equals(plain)).findFirst();
  }
}
