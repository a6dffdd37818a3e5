package dev.gatun.models.hub;

import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Linear;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.TaskModel;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.peft.ModuleTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The module paths of a model, for PEFT's rules.
public final class ModuleTrees {
  private static final String HEAD = "lm_head";

  private ModuleTrees() {}

  /// {@return the paths of a model as transformers names them}
  ///
  /// @param model the model
  public static ModuleTree of(Transformer model) {
    Set<String> modules = new LinkedHashSet<>();
    Map<String, List<Long>> parameters = new LinkedHashMap<>();
    for (Param param : model.params()) {
      parameters.put(param.name(), shape(param));
      for (int dot = param.name().indexOf('.'); dot > 0; dot = param.name().indexOf('.', dot + 1)) {
        modules.add(param.name().substring(0, dot));
      }
    }
    Map<String, ModuleTree.Linear> linear = new LinkedHashMap<>();
    boolean transposed = false;
    for (Linear layer : model.linears()) {
      linear.put(layer.path(), new ModuleTree.Linear(layer.inputs(), layer.outputs()));
      transposed |= layer.transposed();
    }
    String head = null;
    if (model instanceof CausalLm lm) {
      head = HEAD;
      modules.add(HEAD);
      parameters.put(HEAD + ".weight", shape(lm.head()));
      linear.put(HEAD, new ModuleTree.Linear(lm.head().value().size(1), lm.head().value().size(0)));
    } else if (model instanceof TaskModel task && task.task().isOfSequences()) {
      head = task.head().modules().getLast();
    }
    return new ModuleTree(
        model.modelType(), new ArrayList<>(modules), linear, head, parameters, transposed);
  }

  private static List<Long> shape(Param param) {
    return Arrays.stream(param.value().shape()).boxed().toList();
  }
}
