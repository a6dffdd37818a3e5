package dev.gatun.models.engine;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.Scope;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// LoRA Dropout's ensemble at test time: an adapter under several draws of its masks, averaged.
///
/// The draws are those of [Evaluation#ensemble] with `Dropout.loraDropout(rate, instances)`: they
/// depend on the seed alone, so a text has the same scores in any company. Source:
/// arXiv:2404.09610, section 3.3.
///
/// @param rate drop rate of columns of A and rows of B, above 0 and below 1
/// @param instances draws, 1 to 100
/// @param seed seed of the masks
/// @param average what is averaged; of a regression it is always its number
public record AdapterEnsemble(double rate, int instances, long seed, Evaluation.Average average) {
  /// Checks the ranges.
  ///
  /// @throws IllegalArgumentException if a number is out of its range
  public AdapterEnsemble {
    if (!(rate > 0)) {
      throw new IllegalArgumentException("rate: found " + rate + ", expected above 0, below 1");
    }
    dropout(rate, instances);
  }

  private static Dropout dropout(double rate, int instances) {
    return Dropout.loraDropout(rate, instances);
  }

  /// Returns the branches of an adapter under each draw.
  List<@Nullable AdapterLayer[]> draws(Scope owner, LoraAdapter adapter) {
    Dropout dropout = dropout(rate, instances);
    @Nullable AdapterLayer[] whole = adapter.layers(owner);
    List<@Nullable AdapterLayer[]> draws = new ArrayList<>();
    for (int i = 0; i < instances; i++) {
      // training numbers its passes so: two branches of each instance
      DropoutMasks.Source source = new DropoutMasks.Source(dropout, seed, 0, 2 * i, 0);
      draws.add(AdapterSegment.masked(owner, source, whole));
    }
    return draws;
  }
}
