package dev.gatun.models.train;

import dev.gatun.models.data.Batch;
import dev.gatun.models.data.Dataset;
import dev.gatun.models.data.Example;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.PassAddition;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Norm;
import dev.gatun.runtime.op.Reduce;
import java.util.List;

/// How sure a model is of the token that it holds for likeliest, and whether that is the right one,
/// for each predicted token of a data set.
///
/// @param probabilities probability of the likeliest token
/// @param right whether it is the one that follows
public record Confidences(double[] probabilities, boolean[] right) {
  /// Rows whose logits are there at a time.
  private static final int ROWS = 64;

  /// {@return the confidences of a model, without dropout}
  ///
  /// @param model the model
  /// @param addition the adapter to go with it
  /// @param data at least one predicted token
  public static Confidences of(CausalLm model, PassAddition addition, Dataset data) {
    int count = Math.toIntExact(data.targets());
    double[] probabilities = new double[count];
    boolean[] right = new boolean[count];
    int at = 0;
    for (Example example : data.examples()) {
      Batch batch = Batch.of(List.of(example), 0);
      if (batch.targetCount() == 0) {
        continue;
      }
      try (Scope scope = Scope.open()) {
        ForwardPass pass =
            addition
                .join(ForwardPass.of(scope, model, batch.ids(), batch.offsets()), batch.tokens())
                .build();
        long[] places = NextTokens.places(batch);
        Tensor hidden =
            Layout.rows(scope, model.hidden(scope, pass, false), scope.of(places, places.length));
        long[] labels = NextTokens.labels(batch, 1);
        for (int start = 0; start < labels.length; start += ROWS) {
          int rows = Math.min(ROWS, labels.length - start);
          try (Scope block = scope.child()) {
            Tensor part = Layout.narrow(block, hidden, 0, start, rows);
            Tensor logits = model.logits(block, part, pass);
            Tensor p = Norm.softmax(block, Layout.as(block, logits, DType.F32));
            float[] most = Reduce.max(block, p, -1).toFloats();
            long[] likeliest = Reduce.argmax(block, p, -1).toLongs();
            for (int i = 0; i < rows; i++) {
              probabilities[at] = most[i];
              right[at++] = likeliest[i] == labels[start + i];
            }
          }
        }
      }
    }
    return new Confidences(probabilities, right);
  }
}
