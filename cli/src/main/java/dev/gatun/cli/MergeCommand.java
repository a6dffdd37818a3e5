package dev.gatun.cli;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.Task;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.task.NamedTask;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gatun merge`.
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Add an adapter to the weights of its model and write a model without adapter.")
final class MergeCommand implements Callable<Integer> {
  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private JsonOutput json = new JsonOutput();

  @Mixin private TaskArgument tasks = new TaskArgument();

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      required = true,
      description = "PEFT adapter directory.")
  private @Nullable Path adapter;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Model directory to write.")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    if (adapter == null || out == null) {
      throw new RefusedException("merge: found no --adapter or --out, expected both");
    }
    tasks.check();
    model.applyThreads();
    ModelDirectory directory = model.directory();
    NamedTask named = tasks.task(directory, null);
    Task task = named == null ? directory.task() : named.head();
    if (Files.exists(out) && Files.isSameFile(out, directory.path())) {
      throw new RefusedException("--out: found the model's own directory, expected another");
    }
    DType stored = directory.weightType();
    try (Transformer lm = open(directory, task);
        Scope owner = Scope.openShared()) {
      LoraAdapter loaded = LoraAdapter.load(owner, lm, adapter);
      Map<String, Tensor> typed = new LinkedHashMap<>();
      loaded
          .merged(owner, lm)
          .forEach((name, tensor) -> typed.put(name, Layout.as(owner, tensor, stored)));
      if (task == null) {
        directory.write(out, typed);
      } else {
        directory.write(out, typed, task);
      }
      System.err.println("written: " + out + " (weights in " + stored + ")");
      json.print(Map.of("model", out.toString(), "dtype", stored.safetensorsName()));
      return 0;
    }
  }

  @MustBeClosed
  private static Transformer open(ModelDirectory directory, @Nullable Task task)
      throws IOException {
    return task == null
        ? directory.open(DType.F32, ModelDirectory.Use.FROZEN)
        : directory.openTask(task, DType.F32, ModelDirectory.Use.FROZEN, 0);
  }
}
