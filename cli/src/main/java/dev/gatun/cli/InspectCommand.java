package dev.gatun.cli;

import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Param;
import dev.gatun.models.peft.LoraTarget;
import dev.gatun.runtime.Scope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `gatun inspect`.
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Show what a model directory, and an adapter for it, contain; checks every weight.")
final class InspectCommand implements Callable<Integer> {
  @Mixin private ModelArguments model = new ModelArguments();
  @Mixin private AdapterArgument adapter = new AdapterArgument();
  @Mixin private JsonOutput json = new JsonOutput();

  @Override
  public Integer call() throws IOException {
    ModelDirectory directory = model.directory();
    try (CausalLm lm = directory.open(model.computeType(), ModelDirectory.Use.FROZEN);
        Scope owner = Scope.openShared()) {
      long parameters = lm.params().stream().mapToLong(p -> p.value().elements()).sum();
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("model_type", lm.modelType());
      fields.put("parameters", parameters);
      fields.put("layers", lm.layers());
      fields.put("heads", lm.heads());
      fields.put("key_value_heads", lm.keyHeads());
      fields.put("head_dim", lm.headDim());
      fields.put("vocabulary", lm.vocabulary());
      fields.put("positions", lm.maxPositions());
      fields.put("tied_head", lm.isTied());
      fields.put("stored_dtype", directory.weightType().safetensorsName());
      List<String> targets = new ArrayList<>();
      if (adapter.path() != null) {
        LoraAdapter loaded = LoraAdapter.load(owner, lm, adapter.path());
        for (LoraTarget target : loaded.match().targets()) {
          targets.add(
              "%s r=%d alpha=%.4g scale=%.4g"
                  .formatted(target.module(), target.rank(), target.alpha(), target.scaling()));
        }
        fields.put(
            "adapter_parameters",
            loaded.parameters().values().stream().mapToLong(t -> t.elements()).sum());
        fields.put("adapter_targets", targets);
      }
      if (!json.isOn()) {
        fields.forEach((name, value) -> {
          if (!(value instanceof List)) {
            System.out.printf("%-20s %s%n", name, value);
          }
        });
        for (Param param : lm.params()) {
          System.out.printf("%-56s %s%n", param.name(), Arrays.toString(param.value().shape()));
        }
        targets.forEach(System.out::println);
      }
      json.print(fields);
      return 0;
    }
  }
}
