package dev.gatun.models.lora;

import dev.gatun.models.peft.AdapterKeys;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.LoraVariant;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

/// What PEFT stores of an AdaLoRA adapter: of each layer only the triplets that were kept, and in
/// the configuration which of the initial ones these are.
final class KeptTriplets {
  private KeptTriplets() {}

  /// Returns the configuration to store.
  ///
  /// @param kept by a layer's path, which of its triplets in memory are kept
  static LoraConfig config(LoraConfig config, Map<String, List<Boolean>> kept) {
    if (kept.isEmpty() || !(config.variant() instanceof LoraVariant.AdaLora adaLora)) {
      return config;
    }
    Map<String, List<Boolean>> all = new LinkedHashMap<>(adaLora.kept());
    kept.forEach((module, pattern) -> all.merge(module, pattern, KeptTriplets::within));
    return config.withVariant(adaLora.withKept(all));
  }

  /// Returns a pattern over the initial triplets, of those in memory one over these.
  private static List<Boolean> within(List<Boolean> before, List<Boolean> pattern) {
    Iterator<Boolean> next = pattern.iterator();
    List<Boolean> all = new ArrayList<>();
    for (boolean there : before) {
      all.add(there && next.next());
    }
    return all;
  }

  /// Returns the tensors to store; those of a layer that keeps nothing are left out.
  static Map<String, Tensor> tensors(
      Scope owner, Map<String, Tensor> parameters, Map<String, List<Boolean>> kept) {
    Map<String, Tensor> all = new LinkedHashMap<>(parameters);
    kept.forEach((module, pattern) -> {
      long[] numbers =
          LongStream.range(0, pattern.size()).filter(i -> pattern.get((int) i)).toArray();
      List<String> rows = List.of(AdapterKeys.svdQ(module), AdapterKeys.svdLambda(module));
      String columns = AdapterKeys.svdP(module);
      if (numbers.length == 0) {
        rows.forEach(all::remove);
        all.remove(columns);
        return;
      }
      Tensor index = owner.of(numbers, numbers.length);
      for (String name : rows) {
        all.computeIfPresent(name, (n, tensor) -> Layout.rows(owner, tensor, index));
      }
      Tensor turned = Layout.transpose(owner, Objects.requireNonNull(all.get(columns)), 0, 1);
      Tensor less = Layout.rows(owner, Layout.copy(owner, turned), index);
      all.put(columns, Layout.copy(owner, Layout.transpose(owner, less, 0, 1)));
    });
    return all;
  }

  /// Returns a tensor without elements.
  static TensorEntry nothing(String name, List<Long> shape) {
    return new TensorEntry(name, DType.F32, shape, MemorySegment.ofArray(new byte[0]));
  }
}
