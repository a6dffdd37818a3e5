package dev.gatun.models.engine;

import dev.gatun.models.dropout.Dropout;
import dev.gatun.models.dropout.DropoutMasks;
import dev.gatun.models.dropout.Mask;
import dev.gatun.models.dropout.Position;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.AdapterSegment;
import dev.gatun.models.train.Evaluation;
import dev.gatun.runtime.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// LoRA Dropout's ensemble at test time: an adapter under several draws of its masks, averaged.
///
/// The draws are those of [Evaluation#ensemble] with `Dropout.loraDropout(rate, instances)`: they
/// depend on the seed alone, so a text has the same scores in any company. What is averaged is what
/// that evaluation averages, too. Source: arXiv:2404.09610, section 3.3.
///
/// Of generated texts the mean of the draws' logits, or the logarithms of the mean of their
/// probabilities, stand for the logits: one token is chosen of them, and biases, penalties,
/// constraints, temperature and told log-probabilities are of them.
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
    Dropout.loraDropout(rate, instances);
  }

  /// {@return the ensemble of a dropout method}
  ///
  /// @param dropout LoRA Dropout; its `instances` are the draws
  /// @param seed seed of the masks
  /// @param average what is averaged
  /// @throws IllegalArgumentException if it is another method
  public static AdapterEnsemble of(Dropout dropout, long seed, Evaluation.Average average) {
    Mask mask = dropout.masks().size() == 1 ? dropout.masks().getFirst() : null;
    if (mask == null || !mask.equals(Mask.of(Position.ADAPTER, mask.rate()))) {
      throw new IllegalArgumentException(
          "dropout: found "
              + (dropout.masks().isEmpty() ? "no masks" : "masks other than an adapter's")
              + ", expected lora-dropout's");
    }
    return new AdapterEnsemble(mask.rate(), dropout.instances(), seed, average);
  }

  /// One of the draws: the same one in every ensemble of this rate and seed.
  ///
  /// @param rate [AdapterEnsemble#rate]
  /// @param seed [AdapterEnsemble#seed]
  /// @param number which, from 0 on
  record Draw(double rate, long seed, int number) {
    /// Returns an adapter's branches under this draw.
    @Nullable AdapterLayer[] of(Scope owner, @Nullable AdapterLayer[] whole) {
      // training numbers its passes so: two branches of each instance
      DropoutMasks.Source source =
          new DropoutMasks.Source(Dropout.loraDropout(rate, 1), seed, 0, 2 * number, 0);
      return AdapterSegment.masked(owner, source, whole);
    }
  }

  /// Returns the draws, in order.
  List<Draw> draws() {
    return IntStream.range(0, instances).mapToObj(i -> new Draw(rate, seed, i)).toList();
  }

  /// Returns the branches of an adapter under each draw.
  List<@Nullable AdapterLayer[]> draws(Scope owner, LoraAdapter adapter) {
    @Nullable AdapterLayer[] whole = adapter.layers(owner);
    List<@Nullable AdapterLayer[]> draws = new ArrayList<>();
    for (Draw draw : draws()) {
      draws.add(draw.of(owner, whole));
    }
    return draws;
  }
}
