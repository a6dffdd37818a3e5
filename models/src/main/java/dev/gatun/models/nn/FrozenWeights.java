package dev.gatun.models.nn;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.FrozenWeight;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.WeightForm;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// The weights of a model in the form in which passes multiply with them, each made at its first
/// product. For passes that train none of them.
///
/// [WeightForm#INT8] is for linear layers alone. The head over the vocabulary stays
/// [WeightForm#PACKED], as in bitsandbytes: its rounding would reach the logits as it is.
public final class FrozenWeights {
  private final Scope owner;
  private final WeightForm form;
  private final Set<Integer> layers = new HashSet<>(); // Param.index() of linear layers
  private final Map<Integer, FrozenWeight> made = new HashMap<>(); // by Param.index()

  /// Makes nothing yet.
  ///
  /// @param owner owner of all forms; outlives the passes
  /// @param model the model, which outlives them, too
  /// @param form the form
  public FrozenWeights(Scope owner, Transformer model, WeightForm form) {
    this.owner = owner;
    this.form = form;
    model.linears().forEach(linear -> layers.add(linear.weight().index()));
  }

  /// {@return an addition to passes that reads weights in this form}
  ///
  /// @param other what goes with the model beside that
  public PassAddition beside(PassAddition other) {
    return (pass, tokens) -> other.join(pass, tokens).frozen(this);
  }

  /// Returns a weight's form.
  ///
  /// @param transposed whether the weight is stored as `(I, O)`
  FrozenWeight of(Param weight, boolean transposed) {
    FrozenWeight known = made.get(weight.index());
    if (known == null) {
      Tensor value = weight.value();
      boolean isLayer = layers.contains(weight.index());
      known =
          FrozenWeight.of(
              owner,
              transposed ? Layout.transpose(owner, value, 0, 1) : value,
              form == WeightForm.INT8 && !isLayer ? WeightForm.PACKED : form);
      made.put(weight.index(), known);
    }
    return known;
  }
}
