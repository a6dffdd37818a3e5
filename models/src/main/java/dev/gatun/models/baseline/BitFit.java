package dev.gatun.models.baseline;

import dev.gatun.models.nn.ForwardPass;
import dev.gatun.models.nn.Param;
import dev.gatun.models.nn.Transformer;
import dev.gatun.models.train.Trained;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.Tensor;
import dev.gatun.runtime.op.Layout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// All biases of a model and the whole head of a task, trained; its other weights stay. Source: Ben
/// Zaken et al., arXiv:2106.10199.
///
/// Its tensors live in the scope that it was made in.
public final class BitFit implements Trained {
  /// The method's name.
  public static final String METHOD = "bitfit";

  private final String modelType;
  private final Map<String, Tensor> parameters;
  private final Map<Integer, Tensor> replaced;

  private BitFit(String modelType, Map<String, Tensor> parameters, Map<Integer, Tensor> replaced) {
    this.modelType = modelType;
    this.parameters = Collections.unmodifiableMap(parameters);
    this.replaced = replaced;
  }

  /// Copies a model's biases and its task's head.
  ///
  /// @param owner owner of the copies
  /// @param model the base
  /// @return biases that change nothing yet
  /// @throws IllegalArgumentException if the model has none
  public static BitFit create(Scope owner, Transformer model) {
    DType type = BaselineFiles.type(model);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    Map<Integer, Tensor> replaced = new LinkedHashMap<>();
    List<Param> head = BaselineFiles.headParams(model);
    for (Param param : model.params()) {
      if (param.name().endsWith(".bias") || head.contains(param)) {
        Tensor copy = Layout.to(owner, param.value(), type);
        parameters.put(param.name(), copy);
        replaced.put(param.index(), copy);
      }
    }
    if (parameters.size() == head.size()) {
      throw new IllegalArgumentException(
          "bitfit: found a " + model.modelType() + " without biases, expected a model with some");
    }
    return new BitFit(model.modelType(), parameters, replaced);
  }

  /// Reads biases that [#save] wrote.
  ///
  /// @param owner owner of the tensors
  /// @param model the base
  /// @param directory the folder
  /// @return the biases
  /// @throws dev.gatun.runtime.MalformedFileException if a file breaks a rule or does not fit the
  ///   model
  /// @throws IOException if a file cannot be read
  public static BitFit load(Scope owner, Transformer model, Path directory) throws IOException {
    BaselineFiles.Settings settings = BaselineFiles.settings(directory);
    BitFit biases = create(owner, model);
    BaselineFiles.read(directory, settings, model, biases.parameters);
    return biases;
  }

  @Override
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  @Override
  public ForwardPass.Builder join(ForwardPass.Builder pass, int tokens) {
    return pass.replaced(replaced);
  }

  @Override
  public Map<String, String> fingerprint() {
    return Map.of("method", METHOD);
  }

  /// Writes the biases in the format of this package.
  @Override
  public void save(Path directory) throws IOException {
    BaselineFiles.write(directory, new BaselineFiles.Settings(METHOD, modelType, 0), parameters);
  }
}
