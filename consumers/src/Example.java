import dev.gatun.models.data.*;
import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.generate.*;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.peft.*;
import dev.gatun.models.train.*;
import dev.gatun.runtime.*;
import dev.gatun.tokenizers.HfTokenizer;
import java.nio.file.Path;

public class Example {
  public static void main(String[] args) throws Exception {
    var directory = ModelDirectory.read(Path.of("demo/model"));
    try (var tokenizer = HfTokenizer.open(directory.path());
        var model = directory.open(DType.F32, ModelDirectory.Use.FROZEN);
        var scope = Scope.openShared()) {
      var data = DataReader.read(Path.of("demo/data/train"), DataOptions.of(tokenizer, 128));
      var config = LoraConfig.of(8, 16, new TargetModules.AllLinear());
      var adapter = LoraAdapter.create(scope, model, config, 0);
      var options = TrainOptions.of(20, 5e-3, 4, Dropout.hiddenKeyMinus(0.1, 0.1));
      var result = new Trainer(model, adapter, options, null).run(data, null, false, report -> true);
      adapter.save(Path.of("target/example-adapter"));
      System.out.printf("loss %.3f -> %.3f%n", result.losses().getFirst(), result.losses().getLast());
      var start = "  /**\n   * Returns";
      var prompt = tokenizer.encodeDocument(start);
      var made = new Generator(model, adapter, directory.stopIds()).generate(prompt, Sampling.greedy(32));
      System.out.println(start + tokenizer.decode(made.ids(), false));
    }
  }
}
