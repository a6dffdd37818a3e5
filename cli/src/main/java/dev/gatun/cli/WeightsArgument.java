package dev.gatun.cli;

import dev.gatun.models.nn.FrozenWeights;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.models.nn.Transformer;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.WeightForm;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The form of the weights of commands that train none.
final class WeightsArgument {
  @Option(
      names = "--weights",
      paramLabel = "FORM",
      description =
          "Weights of linear layers: stored (as they lie in the file), packed (a second copy, which"
              + " multiplies several rows faster), or int8 (a copy rounded to 8 bits; CPU)."
              + " Default: packed for serve, chat and texts of an ensemble, stored elsewhere.")
  private @Nullable WeightForm form;

  boolean isGiven() {
    return form != null;
  }

  /// Returns the form for an engine.
  ///
  /// @param device where the model is
  WeightForm ofEngine(Device device) {
    return form(device, WeightForm.PACKED);
  }

  /// Returns what goes with a model, with its weights in the form that was asked for.
  ///
  /// @param owner owner of copies
  PassAddition beside(Scope owner, Transformer model, PassAddition addition) {
    WeightForm used = form(model.device(), WeightForm.STORED);
    return used == WeightForm.STORED
        ? addition
        : new FrozenWeights(owner, model, used).beside(addition);
  }

  private WeightForm form(Device device, WeightForm usual) {
    if (form == WeightForm.INT8 && device.isCuda()) {
      throw new RefusedException(
          "--weights: found int8 with --device " + device + ", expected cpu");
    }
    return form == null ? usual : form;
  }
}
