package dev.gatun.models.hub;

import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Tensors as entries of a safetensors file, without a copy of what lies on the host.
public final class TensorEntries {
  private TensorEntries() {}

  /// {@return an entry for each contiguous tensor; they read the tensors' own memory, or that of
  /// copies where it is a GPU's}
  ///
  /// @param host owner of the copies, of the host; to be kept open while the entries are read
  /// @param tensors contiguous tensors by name; to be kept open as long
  public static List<TensorEntry> of(Scope host, Map<String, Tensor> tensors) {
    List<TensorEntry> entries = new ArrayList<>();
    tensors.forEach((name, tensor) ->
        entries.add(
            new TensorEntry(
                name,
                tensor.dtype(),
                Arrays.stream(tensor.shape()).boxed().toList(),
                (tensor.device().isCuda() ? Layout.copy(host, tensor) : tensor).segment())));
    return entries;
  }
}
