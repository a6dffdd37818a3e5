package dev.gatun.runtime.kernel.cuda;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.DTypeException;
import dev.gatun.runtime.ShapeException;
import dev.gatun.runtime.internal.cuda.CudaKernel;
import dev.gatun.runtime.internal.cuda.CudaProgram;
import dev.gatun.runtime.internal.cuda.CudaThread;
import dev.gatun.runtime.internal.cuda.Driver;
import dev.gatun.runtime.internal.cuda.Launch;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// How the kernels of `attention.cu` are compiled and launched: attention of ragged sequences over
/// themselves, forward and backward, whose mask of keys is drawn on the way.
///
/// A launch takes one argument, the struct that [AttentionArguments] writes; [#blocks] gives its
/// grid. The forward comes first; the backward is [Kernel#DELTA], then [Kernel#KEYS] and
/// [Kernel#QUERIES] in either order. The same inputs give the same bits.
///
/// | kernel | reads | writes |
/// |---|---|---|
/// | `FORWARD` | q, k, v | o, lse |
/// | `DELTA` | o, flow | delta |
/// | `KEYS` | q, k, v, lse, flow, delta | dk, dv |
/// | `QUERIES` | q, k, v, lse, flow, delta | dq |
///
/// @param headSize 64 or 128
/// @param causal whether a query sees only keys up to its own position
/// @param masking where the mask of keys comes from
/// @param dtype bf16 or f16
public record CudaAttention(int headSize, boolean causal, Masking masking, DType dtype) {
  private static final CudaProgram PROGRAM = CudaProgram.of("attention.cu");
  private static final Map<CudaAttention, Map<Kernel, CudaKernel>> LOADED =
      new ConcurrentHashMap<>();
  private static final int FREE_SHARED_BYTES = 48 * 1024; // more must be allowed

  private static final int WARP = 32;
  private static final int STRIP = 16;
  private static final int DELTA_THREADS = 256;
  private static final int LINES_BYTES = 1024; // of lse and delta, beside each tile of queries
  private static final int BIASES_BYTES = 32; // of the four keys that each thread draws

  /// Architectures whose blocks may have the 100 KiB of shared memory and more that heads of 128
  /// take.
  private static final Set<Integer> LARGE_SHARED = Set.of(80, 87, 90, 100, 103, 110);

  /// {@return whether there is a kernel for heads of a size on the calling thread's device}
  ///
  /// @param headSize elements of a head
  public static boolean takes(long headSize) {
    int architecture = Driver.devices().get(CudaThread.current().device()).architecture();
    return headSize == 64
        ? architecture >= 80
        : headSize == 128 && LARGE_SHARED.contains(architecture);
  }

  /// Where the mask of keys comes from.
  public enum Masking {
    /// There is none.
    NONE(0),
    /// It is drawn, with the bits of [dev.gatun.runtime.random.MaskStream].
    DRAWN(1),
    /// It is added: a bias for each sequence, head and key.
    BIAS(2);

    private final int number;

    Masking(int number) {
      this.number = number;
    }
  }

  /// The kernels.
  public enum Kernel {
    /// Attention, and the logarithm of each query's sum of exponentials.
    FORWARD,
    /// The sum of flow times o of each query, negated.
    DELTA,
    /// The gradients of keys and values.
    KEYS,
    /// The gradient of queries.
    QUERIES;

    /// {@return the function's name}
    public String function() {
      return switch (this) {
        case FORWARD -> "attention_forward";
        case DELTA -> "attention_delta";
        case KEYS -> "attention_backward_keys";
        case QUERIES -> "attention_backward_queries";
      };
    }
  }

  /// What a batch looks like.
  ///
  /// @param tokens N, of all sequences
  /// @param sequences B
  /// @param longest tokens of the longest sequence
  /// @param heads H, of queries
  /// @param keyHeads G, of keys and values; divides H
  public record Shape(int tokens, int sequences, int longest, int heads, int keyHeads) {
    /// Checks the heads.
    public Shape {
      if (keyHeads < 1 || heads % keyHeads != 0) {
        throw new ShapeException(
            "attention: found %d heads of queries and %d of keys, expected a divisor"
                .formatted(heads, keyHeads));
      }
    }
  }

  /// A grid of blocks.
  ///
  /// @param x blocks that follow each other
  /// @param y lines of them
  /// @param z planes of lines
  public record Blocks(int x, int y, int z) {}

  /// How a kernel divides its work. Chosen for devices of 160 KiB of shared memory and more.
  ///
  /// @param warps of a block
  /// @param strips of 16 rows that each warp owns
  /// @param tile rows of the other operand at a time
  /// @param stages tiles in flight
  /// @param blocks on a multiprocessor at once, which bounds their registers
  private record Tiles(int warps, int strips, int tile, int stages, int blocks) {
    int rows() {
      return warps * strips * STRIP;
    }

    Stream<String> defines(Kernel kernel) {
      return Stream.of(
              "WARPS=" + warps,
              "STRIPS=" + strips,
              "TILE=" + tile,
              "STAGES=" + stages,
              "BLOCKS=" + blocks)
          .map(define -> kernel + "_" + define);
    }
  }

  /// Checks what there is a kernel for.
  public CudaAttention {
    if (headSize != 64 && headSize != 128) {
      throw new ShapeException("attention: found heads of " + headSize + ", expected 64 or 128");
    }
    if (dtype != DType.BF16 && dtype != DType.F16) {
      throw new DTypeException("attention: found " + dtype + ", expected bf16 or f16");
    }
  }

  private Tiles tiles(Kernel kernel) {
    return switch (kernel) {
      case FORWARD -> new Tiles(4, 2, 64, 2, 2);
      case KEYS -> new Tiles(4, 1, 64, 2, 2);
      case QUERIES -> new Tiles(4, 2, headSize == 64 ? 64 : 32, 2, 2);
      case DELTA -> throw new IllegalArgumentException("delta has no tiles");
    };
  }

  /// {@return the macros that the source wants, such as `HEAD=64`}
  public List<String> defines() {
    Stream<String> switches =
        Stream.of(
            "HEAD=" + headSize,
            "CAUSAL=" + (causal ? 1 : 0),
            "MASK=" + masking.number,
            "HALF=" + (dtype == DType.F16 ? 1 : 0));
    Stream<String> tiles =
        Stream.of(Kernel.FORWARD, Kernel.KEYS, Kernel.QUERIES)
            .flatMap(kernel -> tiles(kernel).defines(kernel));
    return Stream.concat(switches, tiles).toList();
  }

  /// Launches a kernel on the current stream.
  ///
  /// @param kernel the kernel
  /// @param arguments addresses and strides
  /// @param shape of the batch, at least one token
  /// @throws dev.gatun.runtime.CudaException if it cannot be compiled or launched
  public void launch(Kernel kernel, AttentionArguments arguments, Shape shape) {
    Launch launch =
        LOADED
            .computeIfAbsent(this, key -> new ConcurrentHashMap<>())
            .computeIfAbsent(kernel, this::load)
            .launch();
    arguments.write(launch.struct(AttentionArguments.BYTES), shape);
    Blocks blocks = blocks(kernel, shape);
    launch.run(blocks.x, blocks.y, blocks.z, threads(kernel), sharedBytes(kernel));
  }

  private CudaKernel load(Kernel kernel) {
    CudaKernel loaded = PROGRAM.kernel(kernel.function(), defines().toArray(String[]::new));
    if (sharedBytes(kernel) > FREE_SHARED_BYTES) {
      loaded.allowShared(sharedBytes(kernel));
    }
    return loaded;
  }

  /// {@return the grid of a launch}
  ///
  /// @param kernel the kernel
  /// @param shape of the batch, at least one token
  public Blocks blocks(Kernel kernel, Shape shape) {
    if (kernel == Kernel.DELTA) {
      long chunks = (long) shape.tokens * shape.heads * (headSize / 8);
      return new Blocks(Math.toIntExact((chunks + DELTA_THREADS - 1) / DELTA_THREADS), 1, 1);
    }
    int rows = tiles(kernel).rows();
    int heads = kernel == Kernel.KEYS ? shape.keyHeads : shape.heads;
    return new Blocks(heads, shape.sequences, (shape.longest + rows - 1) / rows);
  }

  /// {@return the threads of a block}
  ///
  /// @param kernel the kernel
  public int threads(Kernel kernel) {
    return kernel == Kernel.DELTA ? DELTA_THREADS : tiles(kernel).warps * WARP;
  }

  /// {@return the dynamic shared memory of a block, in bytes}
  ///
  /// @param kernel the kernel
  public int sharedBytes(Kernel kernel) {
    if (kernel == Kernel.DELTA) {
      return 0;
    }
    Tiles tiles = tiles(kernel);
    int row = headSize * Short.BYTES;
    int operands = kernel == Kernel.FORWARD ? 1 : 2;
    int stage = 2 * tiles.tile * row + (kernel == Kernel.KEYS ? LINES_BYTES : 0);
    boolean laid = kernel != Kernel.KEYS && masking != Masking.NONE;
    int biases = laid ? threads(kernel) * BIASES_BYTES : 0;
    return operands * tiles.rows() * row + tiles.stages * stage + biases;
  }

  @Override
  public String toString() {
    return "attention of heads of %d, %s, %s, %s"
        .formatted(
            headSize,
            causal ? "causal" : "bidirectional",
            masking.name().toLowerCase(Locale.ROOT),
            dtype);
  }
}
