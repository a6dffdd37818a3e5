package dev.gatun.models.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The tasks that are known by name: GLUE's nine, SQuAD 1.1 and 2.0, E2E NLG, WebNLG, Alpaca, MMLU;
/// and by [#labelled] classes and numbers of any file.
public final class NamedTasks {
  private static final List<NamedTask> ALL = all();

  private NamedTasks() {}

  private static List<NamedTask> all() {
    List<NamedTask> all = new ArrayList<>();
    Glue.all().forEach(task -> all.add(new LabelledTask(task)));
    all.add(new QuestionTask(false));
    all.add(new QuestionTask(true));
    all.add(GenerationTask.E2E);
    all.add(GenerationTask.WEBNLG);
    all.add(GenerationTask.ALPACA);
    all.add(new ChoiceTask());
    return List.copyOf(all);
  }

  /// {@return the names}
  public static List<String> names() {
    return ALL.stream().map(NamedTask::name).toList();
  }

  /// {@return the task of a name in any case, with or without hyphens in GLUE's; or nothing}
  ///
  /// @param name such as `cola` or `SST-2`
  public static Optional<NamedTask> of(String name) {
    String glue = Glue.of(name).map(ClassificationTask::name).orElse(name.toLowerCase(Locale.ROOT));
    return ALL.stream().filter(task -> task.name().equals(glue)).findFirst();
  }

  /// {@return the task of a description}
  ///
  /// @param task such as [ClassificationTask#ofText]
  public static NamedTask labelled(ClassificationTask task) {
    return new LabelledTask(task);
  }
}
