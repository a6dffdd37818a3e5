package dev.gatun.models.peft;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.safetensors.TensorEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Rewrites an adapter so that every reader scales it right.
///
/// Readers disagree. PEFT divides alpha by the layer's rank or its root, and knows the patterns.
/// llama.cpp divides the one `lora_alpha` by the rank it sees in the shape. vLLM divides
/// `lora_alpha` by the one `r`, whatever the shape. They agree exactly if all layers have rank `r`,
/// there are no patterns, and the root is not used. So layers of lower rank are padded to the
/// highest with rows of A and columns of B that are zero, which adds nothing to `B·A`; then
/// `lora_alpha = r` makes every reader's factor 1, and each layer's own scaling goes into its B.
///
/// An adapter that all read alike already is left as it is.
///
/// @param config the configuration to save
/// @param folds what to do with each layer, in the model's order
/// @param warnings one line for each thing left that some reader refuses
public record PortableFolding(LoraConfig config, List<Fold> folds, List<String> warnings) {
  /// Copies its arguments.
  public PortableFolding {
    folds = List.copyOf(folds);
    warnings = List.copyOf(warnings);
  }

  /// What to do with one layer.
  ///
  /// @param module path of the layer
  /// @param factor number to multiply B with
  /// @param rank rank it has
  /// @param paddedRank rank to save, at least `rank`
  public record Fold(String module, double factor, int rank, int paddedRank) {
    /// Returns A with rows of zeros below it.
    ///
    /// @param a shape `(rank, in)`, F32
    /// @param allocator owner of the result
    /// @return shape `(paddedRank, in)`
    /// @throws IllegalArgumentException if `a` is something else
    public TensorEntry a(TensorEntry a, SegmentAllocator allocator) {
      checkF32(a, 0);
      long in = a.shape().get(1);
      MemorySegment padded = allocator.allocate(paddedRank * in * Float.BYTES, Float.BYTES);
      padded.fill((byte) 0).asSlice(0, a.data().byteSize()).copyFrom(a.data());
      return new TensorEntry(a.name(), DType.F32, List.of((long) paddedRank, in), padded);
    }

    /// Returns B times the factor, with columns of zeros beside it.
    ///
    /// @param b shape `(out, rank)`, F32
    /// @param allocator owner of the result
    /// @return shape `(out, paddedRank)`
    /// @throws IllegalArgumentException if `b` is something else
    public TensorEntry b(TensorEntry b, SegmentAllocator allocator) {
      checkF32(b, 1);
      long out = b.shape().get(0);
      MemorySegment padded = allocator.allocate(out * paddedRank * Float.BYTES, Float.BYTES);
      padded.fill((byte) 0);
      for (long row = 0; row < out; row++) {
        for (long column = 0; column < rank; column++) {
          float value = b.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row * rank + column);
          padded.setAtIndex(
              ValueLayout.JAVA_FLOAT, row * paddedRank + column, (float) (value * factor));
        }
      }
      return new TensorEntry(b.name(), DType.F32, List.of(out, (long) paddedRank), padded);
    }

    private void checkF32(TensorEntry tensor, int rankAt) {
      if (tensor.dtype() != DType.F32
          || tensor.shape().size() != 2
          || tensor.shape().get(rankAt) != rank) {
        throw new IllegalArgumentException(
            "tensor '%s': found %s %s, expected F32 of rank %d"
                .formatted(tensor.name(), tensor.dtype(), tensor.shape(), rank));
      }
    }
  }

  /// Plans the folding.
  ///
  /// @param match the adapter's layers
  /// @return the configuration to save and the work to do
  /// @throws InvalidSettingException if it is AdaLoRA's, which only PEFT reads
  public static PortableFolding of(TargetMatch match) {
    LoraConfig config = match.config();
    if (config.variant() instanceof LoraVariant.AdaLora) {
      throw new InvalidSettingException("peft_type", "ADALORA", "LORA, to be portable");
    }
    List<LoraTarget> targets = match.targets();
    int r = targets.stream().mapToInt(LoraTarget::rank).max().orElse(config.r());
    double shared = targets.getFirst().alpha();
    boolean alike =
        !config.rsLora()
            && shared == Math.rint(shared)
            && targets.stream().allMatch(t -> t.rank() == r && t.alpha() == shared);
    double alpha = alike ? shared : r;
    List<Fold> folds = new ArrayList<>();
    for (LoraTarget target : targets) {
      double factor = alike ? 1 : target.scaling();
      folds.add(new Fold(target.module(), factor, target.rank(), r));
    }
    List<String> warnings = new ArrayList<>();
    if (config.variant() instanceof LoraVariant.Dora) {
      warnings.add("use_dora: vLLM and llama.cpp refuse it; merge it instead");
    }
    if (!config.modulesToSave().isEmpty()) {
      warnings.add("modules_to_save " + config.modulesToSave() + ": vLLM and llama.cpp refuse it");
    }
    if (config.bias() != LoraConfig.Bias.NONE) {
      warnings.add("bias " + config.bias() + ": vLLM and llama.cpp do not read trained biases");
    }
    return new PortableFolding(
        config.withScaling(r, alpha, Map.of(), Map.of(), false), folds, warnings);
  }
}
