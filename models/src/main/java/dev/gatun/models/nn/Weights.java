package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The weights that a model is built from, by their names in transformers' module tree; each is
/// handed out as a numbered [Param]. Used while a model is built, on one thread.
public final class Weights {
  private final Map<String, Tensor> tensors;
  private final List<String> fresh;
  private final DType compute;
  private final Map<String, Param> params = new LinkedHashMap<>();
  private final List<Linear> linears = new ArrayList<>();
  private final Scope owner;

  /// Wraps complete, checked weights.
  ///
  /// @param tensors by name
  /// @param fresh names among them that were drawn at random because the checkpoint had none
  /// @param compute type of activations and linear weights
  /// @param owner owner of the tensors, closed with the model
  public Weights(Map<String, Tensor> tensors, List<String> fresh, DType compute, Scope owner) {
    this.tensors = tensors;
    this.fresh = List.copyOf(fresh);
    this.compute = compute;
    this.owner = owner;
  }

  /// {@return the type of activations and linear weights}
  public DType compute() {
    return compute;
  }

  /// {@return names of the weights that were drawn at random because the checkpoint had none}
  public List<String> fresh() {
    return fresh;
  }

  /// Frees the weights.
  public void close() {
    owner.close();
  }

  /// {@return whether there is a weight}
  ///
  /// @param name the checkpoint's name of it
  public boolean has(String name) {
    return tensors.containsKey(name);
  }

  /// {@return a weight}
  ///
  /// @param name the checkpoint's name of it
  /// @throws IllegalArgumentException if there is none of that name: the architecture did not
  ///   declare it
  public Param param(String name) {
    Param known = params.get(name);
    if (known != null) {
      return known;
    }
    Tensor value = tensors.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    Param param = new Param(params.size(), name, value);
    params.put(name, param);
    return param;
  }

  /// {@return a linear layer that adapters may target, with a bias where the weights have one}
  ///
  /// @param path its path; `.weight` and `.bias` are added
  /// @param transposed whether the weight is stored `(I, O)`
  public Linear linear(String path, boolean transposed) {
    Param bias = has(path + ".bias") ? param(path + ".bias") : null;
    Linear linear = new Linear(linears.size(), path, param(path + ".weight"), bias, transposed);
    linears.add(linear);
    return linear;
  }

  /// {@return all weights handed out, in order}
  public List<Param> params() {
    return List.copyOf(params.values());
  }

  /// {@return all linear layers handed out, in order}
  public List<Linear> linears() {
    return List.copyOf(linears);
  }
}
