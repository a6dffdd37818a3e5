package dev.gatun.runtime;

import com.google.errorprone.annotations.CheckReturnValue;
import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.runtime.internal.Shim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A scope that records: operations in it, or in its children, can be differentiated.
///
/// The same model code run in a plain [Scope] is evaluation. Only operations that a gradient flows
/// through are recorded, only what their gradients read is saved, and each is freed as soon as its
/// node has run.
///
/// ```java
/// Gradients gradients = Tape.gradients(step, parameters, scope -> loss(scope, model, batch));
/// ```
public final class Tape extends Scope {
  /// One recorded operation.
  static final class Node {
    private final Tape tape;
    private final @Nullable Tensor[] leaves;
    private final @Nullable Node[] inputNodes;
    private final int[] inputOutputs;
    private final Tensor[] saved;
    private final int[] versions;
    private final Gradient gradient;
    private final @Nullable Tensor[] results;

    Node(Tape tape, int inputs, int results, Tensor[] saved, int[] versions, Gradient gradient) {
      this.tape = tape;
      this.leaves = new Tensor[inputs];
      this.inputNodes = new Node[inputs];
      this.inputOutputs = new int[inputs];
      this.results = new Tensor[results];
      this.saved = saved;
      this.versions = versions;
      this.gradient = gradient;
    }
  }

  private final List<@Nullable Node> nodes = new ArrayList<>();
  private final IdentityHashMap<Tensor, @Nullable Tensor> leaves;
  private final @Nullable Tape enclosing;

  /// Owner of the gradients on their way, while the tape runs backwards.
  private @Nullable Scope flow;

  private Tape(Device device, Collection<Tensor> leaves, @Nullable Scope parent) {
    super(device, false, null, parent);
    this.leaves = new IdentityHashMap<>();
    this.enclosing = parent == null ? null : parent.tape();
    for (Tensor leaf : leaves) {
      this.leaves.put(leaf, null);
    }
  }

  /// Opens a tape that records what depends on these tensors.
  ///
  /// @param leaves the tensors to differentiate with respect to, all of one device, which becomes
  ///   the tape's
  /// @return the tape
  @MustBeClosed
  public static Tape open(Collection<Tensor> leaves) {
    Device device = leaves.isEmpty() ? Device.CPU : leaves.iterator().next().device();
    return new Tape(device, leaves, null);
  }

  @Override
  public Tape tape() {
    return this;
  }

  /// {@return the value of a scalar function and its gradients}
  ///
  /// @param owner owner of the value and the gradients
  /// @param leaves the tensors to differentiate with respect to
  /// @param function makes its temporaries in the scope it is given and returns one element
  @CheckReturnValue
  public static Gradients gradients(
      Scope owner, Collection<Tensor> leaves, Function<Scope, Tensor> function) {
    try (Tape tape = new Tape(owner.device(), leaves, null)) {
      Tensor value = function.apply(tape);
      return tape.backward(owner, value);
    }
  }

  /// Runs the recorded operations backwards from a scalar.
  ///
  /// The tape is used up: record and differentiate once.
  ///
  /// @param owner owner of the gradients
  /// @param value one element, a result of this tape
  /// @return the value and its gradients
  @CheckReturnValue
  public Gradients backward(Scope owner, Tensor value) {
    if (value.elements() != 1) {
      throw new ShapeException(
          "backward: found shape " + Shapes.text(value.sizes()) + ", expected one element");
    }
    try (Scope scope = untaped()) {
      flow = scope;
      Tensor one = scope.full(1, value.dtype(), value.sizes());
      run(new Tensor[] {value}, new Tensor[] {one});
      IdentityHashMap<Tensor, Tensor> result = new IdentityHashMap<>();
      leaves.forEach((leaf, gradient) -> {
        if (gradient != null) {
          result.put(leaf, owner.keep(gradient));
        }
      });
      return new Gradients(owner.keep(value).detached(), result);
    } finally {
      flow = null;
    }
  }

  /// Records a function as one operation that is run again for its gradient, so that nothing inside
  /// it is saved: gradient checkpointing.
  ///
  /// The function must give the same result each time: randomness from
  /// [dev.gatun.runtime.random.Philox] does. Parameters that it captures get their gradients too.
  ///
  /// @param scope owner of the result
  /// @param input the activation that the function starts from
  /// @param function the block
  /// @return the function's result
  public static Tensor checkpoint(
      Scope scope, Tensor input, BiFunction<Scope, Tensor, Tensor> function) {
    Tape tape = scope.tape();
    if (tape == null) {
      return function.apply(scope, input);
    }
    Tensor result;
    try (Scope plain = scope.untaped()) {
      result = scope.keep(function.apply(plain, input)).detached();
    }
    return scope.record(
        result,
        new Tensor[] {input},
        new Tensor[] {input},
        (s, saved, flowing) -> {
          Tensor start = saved[0];
          try (Tape replay = new Tape(tape.device(), List.of(start), tape);
              Scope inner = replay.untaped()) {
            replay.flow = inner;
            replay.run(new Tensor[] {function.apply(replay, start)}, flowing);
            Tensor gradient = replay.leaves.get(start);
            return new Tensor[] {gradient == null ? null : s.keep(gradient)};
          }
        });
  }

  boolean tracks(Tensor tensor) {
    return tensor.node != null || leafOwner(tensor) != null;
  }

  private @Nullable Tape leafOwner(Tensor tensor) {
    if (leaves.containsKey(tensor)) {
      return this;
    }
    return enclosing == null ? null : enclosing.leafOwner(tensor);
  }

  void add(Tensor[] results, @Nullable Tensor[] inputs, Tensor[] saved, Gradient gradient) {
    Tensor[] own = new Tensor[saved.length];
    int[] versions = new int[saved.length];
    for (int i = 0; i < saved.length; i++) {
      own[i] = keep(saved[i]).detached();
      versions[i] = saved[i].storage().version();
    }
    Node node = new Node(this, inputs.length, results.length, own, versions, gradient);
    for (int i = 0; i < inputs.length; i++) {
      Tensor input = inputs[i];
      if (input == null) {
        continue;
      }
      if (input.node != null) {
        node.inputNodes[i] = input.node;
        node.inputOutputs[i] = input.output;
      } else if (leafOwner(input) != null) {
        node.leaves[i] = input;
      }
    }
    for (int i = 0; i < results.length; i++) {
      results[i].node = node;
      results[i].output = i;
    }
    nodes.add(node);
  }

  /// Runs the nodes from the last to the first.
  private void run(Tensor[] values, @Nullable Tensor[] gradients) {
    for (int i = 0; i < values.length; i++) {
      Node node = values[i].node;
      Tensor gradient = gradients[i];
      Tape owner = leafOwner(values[i]);
      if (node != null && gradient != null) {
        node.tape.arrive(node, values[i].output, gradient);
      } else if (owner != null && gradient != null) {
        owner.arrive(values[i], gradient);
      }
    }
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.set(i, null);
      if (node != null) {
        step(node);
      }
    }
    nodes.clear();
  }

  private void step(Node node) {
    if (Arrays.stream(node.results).anyMatch(Objects::nonNull)) {
      for (int i = 0; i < node.saved.length; i++) {
        if (node.saved[i].storage().version() != node.versions[i]) {
          throw new IllegalStateException(
              "backward: %s, which a gradient needs, was written to after it was recorded"
                  .formatted(node.saved[i]));
        }
      }
      try (Scope block = untaped()) {
        @Nullable Tensor[] gradients = node.gradient.backward(block, node.saved, node.results);
        for (int i = 0; i < gradients.length; i++) {
          Tensor gradient = gradients[i];
          if (gradient != null) {
            send(node, i, gradient);
          }
        }
      }
      for (Tensor result : node.results) {
        if (result != null) {
          flowScope().free(result);
        }
      }
    }
    for (Tensor saved : node.saved) {
      free(saved);
    }
  }

  private void send(Node node, int input, Tensor gradient) {
    Node from = node.inputNodes[input];
    Tensor leaf = node.leaves[input];
    if (from != null) {
      from.tape.arrive(from, node.inputOutputs[input], gradient);
    } else if (leaf != null) {
      Objects.requireNonNull(leafOwner(leaf)).arrive(leaf, gradient);
    }
  }

  private void arrive(Tensor leaf, Tensor gradient) {
    leaves.put(leaf, accumulated(leaves.get(leaf), gradient));
  }

  private void arrive(Node node, int output, Tensor gradient) {
    node.results[output] = accumulated(node.results[output], gradient);
  }

  private Tensor accumulated(@Nullable Tensor sum, Tensor more) {
    Scope scope = flowScope();
    if (sum == null) {
      return scope.keep(more);
    }
    Tensor result = scope.adopt(Shim.add(scope, sum, more, 1), sum.dtype(), sum.shape());
    scope.free(sum);
    return result;
  }

  private Scope flowScope() {
    return Objects.requireNonNull(flow, "gradients flow only while the tape runs backwards");
  }
}
