package dev.gatun.models.lora;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.peft.InvalidSettingException;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Reduce;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/// Divides AdaLoRA's budget of λ's between the layers while they train.
///
/// After each step an entry's sensitivity is |w ∂L/∂w|, of the weight after the step and the
/// gradient before it. Its running mean times that of its distance to the mean is the entry's
/// score; a triplet's is that of its λ plus the mean scores of its column of P and its row of Q.
/// The λ's of the lowest triplets of all layers become 0; until the last choice they may come back.
/// P and Q are never zeroed.
///
/// Source: Zhang et al., arXiv:2303.10512, sections 3.2 and 3.3, in the order of PEFT's
/// `RankAllocator`. Not thread-safe.
final class RankAllocation {
  /// One layer's P, λ and Q.
  record Triplets(String module, Tensor q, Tensor lambda, Tensor p) {
    List<Tensor> all() {
      return List.of(q, lambda, p);
    }

    int rank() {
      return Math.toIntExact(q.size(0));
    }
  }

  /// The running means of one tensor, of its shape.
  private record Running(Tensor importance, Tensor uncertainty) {}

  private final LoraVariant.AdaLora settings;
  private final List<Triplets> layers;
  private final Map<Tensor, Running> running = new LinkedHashMap<>();
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private final List<Tensor> masks = new ArrayList<>(); // (R, 1) for each layer, 1 keeps a λ
  private final Tensor chosen; // (1), 1 once there are masks
  private final int initial;
  private final int target;

  /// Starts with all λ's kept.
  ///
  /// @param owner owner of the state
  /// @throws InvalidSettingException if the target rank is above the initial one
  RankAllocation(Scope owner, LoraVariant.AdaLora settings, List<Triplets> layers) {
    this.settings = settings;
    this.layers = List.copyOf(layers);
    this.initial = layers.stream().mapToInt(Triplets::rank).sum();
    this.target = settings.targetRank() * layers.size();
    if (target > initial) {
      throw new InvalidSettingException(
          "target_r",
          Integer.toString(settings.targetRank()),
          "at most the initial ranks, whose mean is " + (double) initial / layers.size());
    }
    this.chosen = owner.zeros(DType.F32, 1);
    state.put("adalora.chosen", chosen);
    List<String> parts = List.of("q", "lambda", "p");
    for (Triplets layer : layers) {
      for (int i = 0; i < parts.size(); i++) {
        Tensor tensor = layer.all().get(i);
        Running means =
            new Running(
                owner.zeros(tensor.dtype(), tensor.shape()),
                owner.zeros(tensor.dtype(), tensor.shape()));
        running.put(tensor, means);
        String name = "adalora." + layer.module() + "." + parts.get(i);
        state.put(name + ".importance", means.importance);
        state.put(name + ".uncertainty", means.uncertainty);
      }
      Tensor mask = owner.full(1, layer.lambda().dtype(), layer.lambda().shape());
      masks.add(mask);
      state.put("adalora." + layer.module() + ".kept", mask);
    }
  }

  @MustBeClosed
  private Scope open() {
    return Scope.open(chosen.device());
  }

  /// Returns all that decides what comes next, by name.
  Map<String, Tensor> state() {
    return state;
  }

  /// Scores, chooses and masks after a step.
  ///
  /// @param step steps made, from 1
  /// @param gradients those of the step, by parameter
  void afterStep(int step, Function<Tensor, Tensor> gradients) {
    if (step < settings.lastChoice()) {
      running.forEach((tensor, means) -> score(tensor, gradients.apply(tensor), means));
    }
    boolean choosing = settings.choosesAfter(step);
    if (choosing) {
      choose(settings.budget(step, initial, target));
    }
    if (choosing || step > settings.lastChoice()) {
      mask();
    }
  }

  private void score(Tensor tensor, Tensor gradient, Running means) {
    try (Scope s = open()) {
      Tensor sensitivity = absolute(s, Elementwise.mul(s, tensor, gradient));
      towards(s, means.importance, sensitivity, settings.beta1());
      Tensor distance = absolute(s, Elementwise.sub(s, sensitivity, means.importance));
      towards(s, means.uncertainty, distance, settings.beta2());
    }
  }

  private static Tensor absolute(Scope s, Tensor x) {
    return Elementwise.add(
        s, Elementwise.relu(s, x), Elementwise.relu(s, Elementwise.scale(s, x, -1)));
  }

  private static void towards(Scope s, Tensor mean, Tensor value, double beta) {
    Layout.copyInPlace(
        mean,
        Elementwise.add(
            s, Elementwise.scale(s, mean, beta), Elementwise.scale(s, value, 1 - beta)));
  }

  /// Keeps the triplets above the lowest ones; those that tie with the highest of these go too.
  private void choose(int budget) {
    double[][] scores = layers.stream().map(this::scores).toArray(double[][]::new);
    double[] sorted = Arrays.stream(scores).flatMapToDouble(Arrays::stream).sorted().toArray();
    int dropped = initial - budget;
    double threshold = dropped == 0 ? Double.NEGATIVE_INFINITY : sorted[dropped - 1];
    try (Scope s = open()) {
      for (int i = 0; i < scores.length; i++) {
        double[] kept = Arrays.stream(scores[i]).map(each -> each > threshold ? 1 : 0).toArray();
        Tensor mask = masks.get(i);
        Layout.copyInPlace(mask, s.of(kept, mask.shape()));
      }
      Layout.copyInPlace(chosen, s.full(1, DType.F32, 1));
    }
  }

  private double[] scores(Triplets layer) {
    try (Scope s = open()) {
      double[] sum = means(s, layer.lambda(), 1);
      double[] ofQ = means(s, layer.q(), 1);
      double[] ofP = means(s, layer.p(), 0);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += ofQ[i] + ofP[i];
      }
      return sum;
    }
  }

  private double[] means(Scope s, Tensor tensor, int dim) {
    Running means = Objects.requireNonNull(running.get(tensor));
    Tensor entries = Elementwise.mul(s, means.importance, means.uncertainty);
    Tensor sums = Reduce.sum(s, Layout.as(s, entries, DType.F64), false, dim);
    return Arrays.stream(sums.toDoubles()).map(sum -> sum / tensor.size(dim)).toArray();
  }

  private void mask() {
    try (Scope s = open()) {
      for (int i = 0; i < masks.size(); i++) {
        Tensor lambda = layers.get(i).lambda();
        Layout.copyInPlace(lambda, Elementwise.mul(s, lambda, masks.get(i)));
      }
    }
  }

  /// Returns which λ's of each layer are kept, by its path; nothing before the first choice.
  Map<String, List<Boolean>> kept() {
    Map<String, List<Boolean>> kept = new LinkedHashMap<>();
    if (chosen.toFloats()[0] == 0) {
      return kept;
    }
    try (Scope s = open()) {
      for (int i = 0; i < masks.size(); i++) {
        double[] mask = Layout.as(s, masks.get(i), DType.F64).toDoubles();
        kept.put(layers.get(i).module(), Arrays.stream(mask).mapToObj(each -> each != 0).toList());
      }
    }
    return kept;
  }
}
