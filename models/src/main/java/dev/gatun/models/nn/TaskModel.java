package dev.gatun.models.nn;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A model with the head of a task in place of one over the vocabulary.
public final class TaskModel implements Transformer {
  private final Transformer body;
  private final Task task;
  private final Head head;
  private final List<String> fresh;

  /// Puts a head on a model.
  ///
  /// @param body the model; its weights include those of the head
  /// @param task what the head is for
  /// @param head the head
  /// @param fresh names of the head's weights that no checkpoint had
  public TaskModel(Transformer body, Task task, Head head, List<String> fresh) {
    this.body = body;
    this.task = task;
    this.head = head;
    this.fresh = List.copyOf(fresh);
  }

  /// {@return what the head is for}
  public Task task() {
    return task;
  }

  /// {@return the head}
  public Head head() {
    return head;
  }

  /// {@return the weights that the head alone reads}
  public List<Param> headParams() {
    return params().stream().filter(this::isOfHead).toList();
  }

  private boolean isOfHead(Param param) {
    return head.modules().stream().anyMatch(module -> param.name().startsWith(module + "."));
  }

  /// {@return names of the weights that were drawn at random because the checkpoint had none: the
  /// model's outputs mean nothing before they are trained}
  public List<String> fresh() {
    return fresh;
  }

  /// {@return the task's outputs: `(B, K)` of B sequences, or `(N, K)` of N tokens}
  ///
  /// @param scope owner of the result
  /// @param pass the pass
  /// @param checkpoint whether to save only each layer's input and run it again for its gradient
  public Tensor outputs(Scope scope, ForwardPass pass, boolean checkpoint) {
    try (Scope block = scope.child()) {
      Tensor read = head.read(block, hidden(block, pass, checkpoint), pass);
      return scope.keep(head.outputs(block, read, pass));
    }
  }

  @Override
  public String modelType() {
    return body.modelType();
  }

  @Override
  public boolean isCausal() {
    return body.isCausal();
  }

  @Override
  public boolean mixesAdapters() {
    return body.mixesAdapters();
  }

  @Override
  public boolean masksWeights() {
    return body.masksWeights();
  }

  @Override
  public int width() {
    return body.width();
  }

  @Override
  public int layers() {
    return body.layers();
  }

  @Override
  public int heads() {
    return body.heads();
  }

  @Override
  public int vocabulary() {
    return body.vocabulary();
  }

  @Override
  public int maxPositions() {
    return body.maxPositions();
  }

  @Override
  public DType computeType() {
    return body.computeType();
  }

  @Override
  public @Nullable Rotary rotary() {
    return body.rotary();
  }

  @Override
  public List<Param> params() {
    return body.params();
  }

  @Override
  public List<Linear> linears() {
    return body.linears();
  }

  @Override
  public Tensor embed(Scope scope, ForwardPass pass) {
    return body.embed(scope, pass);
  }

  @Override
  public Tensor layer(Scope scope, int index, Tensor x, ForwardPass pass) {
    return body.layer(scope, index, x, pass);
  }

  @Override
  public Tensor lastNorm(Scope scope, Tensor x, ForwardPass pass) {
    return body.lastNorm(scope, x, pass);
  }

  @Override
  public void close() {
    body.close();
  }
}
