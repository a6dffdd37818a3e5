package dev.gatun.models.engine;

import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.AdapterLayer;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.Param;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An adapter's weights in memory, in the model's compute type.
///
/// @param layers its branches, by [Linear#index()]; null where it has none
/// @param replaced weights of the model that it replaces, by [Param#index()]
/// @param merged the same and the weights that its branches were added to; null unless asked for
/// @param bytes of all of them
/// @param scope their owner
record ResidentAdapter(
    @Nullable AdapterLayer[] layers,
    Map<Integer, Tensor> replaced,
    @Nullable Map<Integer, Tensor> merged,
    long bytes,
    Scope scope)
    implements AutoCloseable {
  /// Reads an adapter.
  ///
  /// @throws IOException if a file cannot be read or does not fit the model
  /// @throws EngineException if the files have changed, or adapters cannot be added up
  @SuppressWarnings("MustBeClosedChecker") // closed with the record
  static ResidentAdapter load(CausalLm model, AdapterSource source, boolean merge)
      throws IOException {
    Scope scope = Scope.openShared(model.device());
    try (Scope block = Scope.open(model.device())) {
      Map<Integer, Tensor> replaced = new HashMap<>();
      Map<Integer, Tensor> merged = null;
      @Nullable AdapterLayer[] wide;
      if (source instanceof AdapterSource.Directory directory) {
        LoraAdapter read = read(block, model, directory);
        wide = read.layers(block);
        read.replaced().forEach((index, value) -> replaced.put(index, Layout.copy(scope, value)));
        merged = merge ? merged(scope, model, read, replaced) : null;
      } else {
        wide = wide(block, model, source);
      }
      @Nullable AdapterLayer[] layers = new AdapterLayer[wide.length];
      for (int i = 0; i < wide.length; i++) {
        AdapterLayer layer = wide[i];
        layers[i] = layer == null ? null : narrowed(scope, block, layer, model.computeType());
      }
      long bytes = bytes(layers, replaced, merged);
      return new ResidentAdapter(layers, replaced, merged, bytes, scope);
    } catch (IOException | RuntimeException e) {
      scope.close();
      throw e;
    }
  }

  private static LoraAdapter read(Scope owner, CausalLm model, AdapterSource.Directory from)
      throws IOException {
    from.checkUnchanged();
    return LoraAdapter.map(owner, model, from.path());
  }

  /// Returns an adapter's branches in f32.
  private static @Nullable AdapterLayer[] wide(Scope owner, CausalLm model, AdapterSource source)
      throws IOException {
    return switch (source) {
      case AdapterSource.Directory directory -> read(owner, model, directory).layers(owner);
      case AdapterSource.Combination sum -> sum(owner, model, sum);
      case AdapterSource.Draw draw ->
          draw.masks().of(owner, wide(owner, model, draw.adapter().from()));
    };
  }

  /// Returns the branches of an adapter that has nothing else.
  private static @Nullable AdapterLayer[] alone(Scope owner, CausalLm model, AdapterHandle adapter)
      throws IOException {
    if (!(adapter.from() instanceof AdapterSource.Directory directory)) {
      return wide(owner, model, adapter.from());
    }
    LoraAdapter read = read(owner, model, directory);
    if (!read.replaced().isEmpty()) {
      throw new EngineException(
          EngineException.Kind.ADAPTER,
          "combination: %s: found weights that it replaces, expected low-rank branches alone"
              .formatted(adapter.name()));
    }
    return read.layers(owner);
  }

  /// Returns branches that are the sum of others: their A one under the other, their scaled B side
  /// by side (PEFT's `cat`).
  private static @Nullable AdapterLayer[] sum(
      Scope owner, CausalLm model, AdapterSource.Combination sum) throws IOException {
    int count = model.linears().size();
    List<List<AdapterLayer>> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      parts.add(new ArrayList<>());
    }
    for (AdapterSource.Part part : sum.parts()) {
      @Nullable AdapterLayer[] layers = alone(owner, model, part.adapter());
      for (int i = 0; i < count; i++) {
        AdapterLayer layer = layers[i];
        if (layer != null) {
          if (layer.magnitude() != null) {
            throw new EngineException(
                EngineException.Kind.ADAPTER,
                "combination: %s: found DoRA, whose change of a weight is no sum"
                    .formatted(part.adapter().name()));
          }
          Tensor b = Elementwise.scale(owner, layer.b(), layer.scale() * part.weight());
          parts.get(i).add(new AdapterLayer(layer.a(), b, 1, null));
        }
      }
    }
    @Nullable AdapterLayer[] all = new AdapterLayer[count];
    for (int i = 0; i < count; i++) {
      List<AdapterLayer> own = parts.get(i);
      if (!own.isEmpty()) {
        Tensor a = Layout.cat(owner, 0, own.stream().map(AdapterLayer::a).toArray(Tensor[]::new));
        Tensor b = Layout.cat(owner, 1, own.stream().map(AdapterLayer::b).toArray(Tensor[]::new));
        all[i] = new AdapterLayer(a, b, 1, null);
      }
    }
    return all;
  }

  private static AdapterLayer narrowed(Scope owner, Scope block, AdapterLayer layer, DType dtype) {
    AdapterLayer.Magnitude magnitude = layer.magnitude();
    AdapterLayer.Magnitude fixed = null;
    if (magnitude != null) {
      Tensor norm = Layout.copy(owner, magnitude.norms().of(block, layer.a(), layer.b()));
      Tensor value = Layout.copy(owner, magnitude.value());
      fixed = new AdapterLayer.Magnitude(value, (scope, a, b) -> norm);
    }
    // B column by column, as the kernel for a few rows reads it
    Tensor columns = Layout.to(owner, Layout.transpose(block, layer.b(), 0, 1), dtype);
    Tensor b = Layout.transpose(owner, columns, 0, 1);
    return new AdapterLayer(Layout.to(owner, layer.a(), dtype), b, layer.scale(), fixed);
  }

  /// Returns the weights that the adapter changes or replaces.
  ///
  /// @param replaced the owner's copies of those that it replaces
  private static Map<Integer, Tensor> merged(
      Scope owner, CausalLm model, LoraAdapter adapter, Map<Integer, Tensor> replaced) {
    Map<String, Tensor> all = adapter.merged(owner, model);
    Map<Integer, Tensor> changed = new HashMap<>();
    for (Param param : model.params()) {
      Tensor value = all.get(param.name());
      if (value != null && value != param.value()) {
        boolean isTheAdapters = value == adapter.replaced().get(param.index());
        changed.put(param.index(), isTheAdapters ? replaced.get(param.index()) : value);
      }
    }
    return changed;
  }

  private static long bytes(
      @Nullable AdapterLayer[] layers,
      Map<Integer, Tensor> replaced,
      @Nullable Map<Integer, Tensor> merged) {
    long sum = bytes(layers);
    for (Tensor tensor : replaced.values()) {
      sum += bytes(tensor);
    }
    if (merged != null) {
      for (Tensor tensor : merged.values()) {
        sum += bytes(tensor);
      }
    }
    return sum;
  }

  private static long bytes(@Nullable AdapterLayer[] layers) {
    long sum = 0;
    for (AdapterLayer layer : layers) {
      if (layer != null) {
        sum += bytes(layer.a()) + bytes(layer.b());
      }
    }
    return sum;
  }

  private static long bytes(Tensor tensor) {
    return tensor.elements() * tensor.dtype().bytes();
  }

  /// Returns the bytes of the branches alone.
  long branchBytes() {
    return bytes(layers);
  }

  int rank() {
    int rank = 0;
    for (AdapterLayer layer : layers) {
      rank = layer == null ? rank : Math.max(rank, (int) layer.a().size(0));
    }
    return rank;
  }

  @Override
  public void close() {
    scope.close();
  }
}
