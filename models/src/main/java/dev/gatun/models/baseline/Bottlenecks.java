package dev.gatun.models.baseline;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.InitialValues;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Sublayers;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Elementwise;
import dev.gatun.runtime.op.Layout;
import dev.gatun.runtime.op.Matmul;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// Small networks between a layer's blocks and its residuals: h + up(f(down(h))).
///
/// Sources: Houlsby et al., arXiv:1902.00751; Pfeiffer et al., arXiv:2005.00247. Both papers
/// describe encoders that normalise after the residual; in decoders, which normalise before a
/// block, the network stands at the same place, on the block's output. The head of a task is
/// trained whole. Weights start as in Houlsby's paper, normal with deviation 0.01 cut at two
/// deviations, biases at 0: nearly, but not exactly, without effect.
///
/// C width, M inner width. Its tensors live in the scope that it was made in.
public final class Bottlenecks implements Trained, Sublayers {
  private static final double DEVIATION = 0.01;

  /// Where the networks stand, and f.
  public enum Kind {
    /// After attention and feed-forward blocks; f is GELU.
    HOULSBY,
    /// After feed-forward blocks; f is ReLU.
    PFEIFFER;

    /// {@return the method's name}
    public String method() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final String modelType;
  private final Kind kind;
  private final int inner;
  private final Map<String, Tensor> parameters;
  private final Map<Integer, Tensor> replaced;

  private Bottlenecks(
      String modelType,
      Kind kind,
      int inner,
      Map<String, Tensor> parameters,
      Map<Integer, Tensor> replaced) {
    this.modelType = modelType;
    this.kind = kind;
    this.inner = inner;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.replaced = replaced;
  }

  /// Makes new networks.
  ///
  /// @param owner owner of the tensors
  /// @param model the base
  /// @param kind where they stand
  /// @param inner M, at least 1
  /// @param seed of their weights
  /// @return the networks
  /// @throws IllegalArgumentException if `inner` is below 1
  public static Bottlenecks create(
      Scope owner, Transformer model, Kind kind, int inner, long seed) {
    if (inner < 1) {
      throw new IllegalArgumentException("bottleneck: found " + inner + ", expected at least 1");
    }
    DType type = BaselineFiles.type(model);
    InitialValues random = new InitialValues(seed);
    long width = model.width();
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (int i = 0; i < model.layers(); i++) {
      for (String place : new String[] {attention(i), feedForward(i)}) {
        if (kind == Kind.HOULSBY || place.equals(feedForward(i))) {
          parameters.put(place + "down.weight", random(owner, random, type, inner, width));
          parameters.put(place + "down.bias", owner.zeros(type, inner));
          parameters.put(place + "up.weight", random(owner, random, type, width, inner));
          parameters.put(place + "up.bias", owner.zeros(type, width));
        }
      }
    }
    Map<Integer, Tensor> replaced = new LinkedHashMap<>();
    for (Param param : BaselineFiles.headParams(model)) {
      Tensor copy = Layout.to(owner, param.value(), type);
      parameters.put(param.name(), copy);
      replaced.put(param.index(), copy);
    }
    return new Bottlenecks(model.modelType(), kind, inner, parameters, replaced);
  }

  private static Tensor random(
      Scope owner, InitialValues random, DType type, long rows, long columns) {
    float[] values = random.truncatedNormal(rows * columns, DEVIATION);
    return Layout.as(owner, owner.of(values, rows, columns), type);
  }

  private static String attention(int layer) {
    return "layers." + layer + ".attention.";
  }

  private static String feedForward(int layer) {
    return "layers." + layer + ".feed_forward.";
  }

  /// Reads networks that [#save] wrote.
  ///
  /// @param owner owner of the tensors
  /// @param model the base
  /// @param directory the folder
  /// @return the networks
  /// @throws MalformedFileException if a file breaks a rule or does not fit the model
  /// @throws IOException if a file cannot be read
  public static Bottlenecks load(Scope owner, Transformer model, Path directory)
      throws IOException {
    BaselineFiles.Settings settings = BaselineFiles.settings(directory);
    for (Kind kind : Kind.values()) {
      if (kind.method().equals(settings.method())) {
        if (settings.bottleneck() == 0) {
          throw new MalformedFileException(
              directory.resolve(BaselineFiles.SETTINGS), "bottleneck", "none", "an inner width");
        }
        Bottlenecks networks = create(owner, model, kind, settings.bottleneck(), 0);
        BaselineFiles.read(directory, settings, model, networks.parameters);
        return networks;
      }
    }
    throw new MalformedFileException(
        directory.resolve(BaselineFiles.SETTINGS),
        "method",
        settings.method(),
        "houlsby or pfeiffer");
  }

  @Override
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  @Override
  public ForwardPass.Builder join(ForwardPass.Builder pass, int tokens) {
    return pass.sublayers(this).replaced(replaced);
  }

  @Override
  public Tensor afterAttention(Scope scope, int layer, Tensor output) {
    return kind == Kind.HOULSBY ? apply(scope, attention(layer), output) : output;
  }

  @Override
  public Tensor afterFeedForward(Scope scope, int layer, Tensor output) {
    return apply(scope, feedForward(layer), output);
  }

  private Tensor apply(Scope scope, String place, Tensor h) {
    Tensor down = linear(scope, place + "down", h); // (N, M)
    Tensor active =
        kind == Kind.HOULSBY ? Elementwise.gelu(scope, down, false) : Elementwise.relu(scope, down);
    return Elementwise.add(scope, h, linear(scope, place + "up", active)); // (N, C)
  }

  private Tensor linear(Scope scope, String path, Tensor x) {
    Tensor weight = Objects.requireNonNull(parameters.get(path + ".weight"));
    Tensor bias = parameters.get(path + ".bias");
    return Matmul.linear(scope, x, Layout.as(scope, weight, x.dtype()), bias);
  }

  @Override
  public Map<String, String> fingerprint() {
    return Map.of("method", kind.method());
  }

  /// Writes the networks in the format of this package.
  @Override
  public void save(Path directory) throws IOException {
    BaselineFiles.write(
        directory, new BaselineFiles.Settings(kind.method(), modelType, inner), parameters);
  }
}
