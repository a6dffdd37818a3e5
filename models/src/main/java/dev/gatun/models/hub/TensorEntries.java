package dev.gatun.models.hub;

import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Tensors as entries of a safetensors file, without a copy.
public final class TensorEntries {
  private TensorEntries() {}

  /// {@return an entry for each contiguous tensor; they read the tensors' own memory}
  ///
  /// @param tensors contiguous tensors by name; to be kept open while the entries are read
  public static List<TensorEntry> of(Map<String, Tensor> tensors) {
    List<TensorEntry> entries = new ArrayList<>();
    tensors.forEach((name, tensor) ->
        entries.add(
            new TensorEntry(
                name,
                tensor.dtype(),
                Arrays.stream(tensor.shape()).boxed().toList(),
                tensor.segment())));
    return entries;
  }
}
