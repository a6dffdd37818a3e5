// Attention of ragged sequences over themselves, forward and backward, that drops whole keys by
// HiddenKey's mask without the mask ever being in memory.
//
// Algorithm: FlashAttention-2 (Dao 2023, arXiv:2307.08691). A block of threads owns some rows and
// walks over tiles of the other operand; scores live in registers only. Each warp owns whole rows,
// so a softmax needs no more than its four neighbouring lanes, and the weights, which tensor cores
// leave as an accumulator, are the left operand of the next product as they stand.
//
//   attention_forward          rows are queries:  O = softmax(scale Q K^T + mask) V, and L
//   attention_delta            delta = row sums of dO * O
//   attention_backward_keys    rows are keys:     dV = P^T dO, dK = scale dS^T Q
//   attention_backward_queries rows are queries:  dQ = scale dS K
//
// with P = exp(scale Q K^T + mask - L) and dS = P * (dO V^T - delta). Gradients are summed in
// registers, in one order: the same bits in every run, no atomics.
//
// The mask (HiddenKey, arXiv:2403.00812): key j of a sequence is dropped for query head h where the
// word of its coordinates is below the sequence's threshold. The word is Philox 4x32-10 (Salmon et
// al., SC 2011), its counter is laid out as dev.gatun.runtime.random.MaskStream says, so bits are
// those of the CPU. A dropped key's score is minus infinity: it weighs exactly 0, and kept weights
// sum to 1. Under a causal mask position 0 is never dropped; elsewhere a (sequence, head) that drew
// all its keys keeps all. A query without any key, which only a bias can make, gives 0 and has no
// gradient; its L is plus infinity.
//
// Why the mask is nearly free: a score's accumulator starts at the bias of its key, 0 or minus
// infinity, instead of at 0. Where keys are columns, biases are drawn for four keys by each thread
// and laid in shared memory as accumulators want them; where keys are rows, they are two registers.
//
// The host, CudaAttention, defines HEAD (64, 128), CAUSAL (0, 1), MASK (0 none, 1 drawn, 2 a bias
// for each sequence, head and key), HALF (0 bf16, 1 f16), and for the kernels above, as FORWARD,
// KEYS and QUERIES, their tiles: _WARPS of a block, _STRIPS of 16 rows for each warp, _TILE rows of
// the other operand at a time, _STAGES of tiles in flight, _BLOCKS on a multiprocessor at once,
// which bounds registers. Needs sm_80, no headers. Addresses and strides are multiples of 16 bytes.

typedef unsigned short Element;  // bits of a bf16 or f16
typedef unsigned int Word;

constexpr int LANES = 32;
constexpr int DELTA_THREADS = 256;
constexpr int STRIP = 16;              // rows of a tensor core's product
constexpr int STEPS = HEAD / 16;       // products along the head dimension
constexpr int COLUMNS = HEAD / 8;      // accumulators along the head dimension
constexpr int CHUNK = 16;              // bytes of a copy, of a row of an 8 x 8 matrix
constexpr int CHUNKS = HEAD / 8;       // chunks of a row
constexpr int ROW_BYTES = 2 * HEAD;
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LARGEST_GROWTH = 8.0f;  // of a row's maximum, in powers of 2, before rescaling

struct Strides {  // in elements
  int token;
  int head;
};

/// What draws the keys of a sequence: see MaskStream. The lowest bits of words 0 and 1 are free for
/// the key / 4 and the head.
struct SequenceMask {
  Word seed[2];
  Word counter[4];
  Word threshold;  // 0 drops nothing
  Word unused;
};

struct Arguments {
  const Element* q;     // (N, H, D)
  const Element* k;     // (N, G, D)
  const Element* v;     // (N, G, D)
  Element* o;           // (N, H, D)
  float* lse;           // (H, N), base 2: log2 of the sum of exp(score)
  const Element* flow;  // (N, H, D), gradient of o
  float* delta;         // (H, N), negated
  Element* dq;          // (N, H, D)
  Element* dk;          // (N, G, D)
  Element* dv;          // (N, G, D)
  const int* offsets;   // (B + 1), first token of each sequence
  const SequenceMask* masks;  // (B), where MASK is 1
  const float* bias;          // (B, H, 1, biasLength), where MASK is 2
  Strides qStrides, kStrides, vStrides, oStrides, flowStrides, dqStrides, dkStrides, dvStrides;
  int tokens;
  int heads;
  int keyHeads;
  int biasLength;
  float scale;  // of scores, above 0
  int unused;
};

static_assert(sizeof(Arguments) == 192 && sizeof(SequenceMask) == 32, "as the host writes them");

// --------------------------------------------------------------------------------- instructions

__device__ inline Word sharedAddress(const void* pointer) {
  return static_cast<Word>(__cvta_generic_to_shared(pointer));
}

/// Copies 16 bytes to shared memory in the background; zeros where there is no source.
__device__ inline void copyChunk(Word to, const void* from, bool exists) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(from),
               "r"(exists ? 16 : 0)
               : "memory");
}

/// Copies 4 bytes so.
__device__ inline void copyWord(Word to, const void* from, bool exists) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(to), "l"(from),
               "r"(exists ? 4 : 0)
               : "memory");
}

/// Ends a group of copies.
__device__ inline void endCopies() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }

/// Waits until all but the latest PENDING groups of this thread have arrived.
template <int PENDING>
__device__ inline void awaitCopies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(PENDING) : "memory");
}

/// Loads four 8 x 8 matrices; lane i gives the address of row i % 8 of matrix i / 8. Lane i gets of
/// each matrix elements 2 (i % 4) and the next of row i / 4.
__device__ inline void loadMatrices(Word (&to)[4], Word address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

/// Loads them transposed: lane i gets of each matrix rows 2 (i % 4) and the next of column i / 4.
__device__ inline void loadTransposed(Word (&to)[4], Word address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

/// d = a b + d, where a is 16 x 16, b is 16 x 8 and d is 16 x 8. With g = lane / 4 and
/// t = 2 (lane % 4): a has rows g, g + 8, g, g + 8 at columns t, t, t + 8, t + 8; b has column g at
/// rows t and t + 8; d has row g at columns t, t + 1, then row g + 8.
__device__ inline void multiplyAdd(float (&d)[4], const Word (&a)[4], Word b0, Word b1) {
  const float c0 = d[0], c1 = d[1], c2 = d[2], c3 = d[3];
#if HALF
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
#else
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
#endif
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\n"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c0), "f"(c1), "f"(c2),
        "f"(c3));
}

/// Two elements from two floats, the first in the lower half.
__device__ inline Word pack(float low, float high) {
  Word result;
#if HALF
  asm("cvt.rn.f16x2.f32 %0, %1, %2;\n" : "=r"(result) : "f"(high), "f"(low));
#else
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(result) : "f"(high), "f"(low));
#endif
  return result;
}

/// The float of the element in the lower half of a word.
__device__ inline float widen(Word pair) {
#if HALF
  float result;
  asm("{.reg .b16 low, high;\n mov.b32 {low, high}, %1;\n cvt.f32.f16 %0, low;}\n"
      : "=f"(result)
      : "r"(pair));
  return result;
#else
  return __uint_as_float(pair << 16);
#endif
}

/// 2 to the power of x; 0 for minus infinity.
__device__ inline float power2(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(result) : "f"(x));
  return result;
}

// --------------------------------------------------------------------------- end of instructions

__device__ inline float minusInfinity() { return __int_as_float(0xff800000); }

extern __shared__ __align__(1024) unsigned char shared[];

/// First token and length of this block's sequence; read again where they are needed, for registers
/// are dear.
__device__ inline int startOf(const Arguments& a) { return a.offsets[blockIdx.y]; }

__device__ inline int lengthOf(const Arguments& a) {
  return a.offsets[blockIdx.y + 1] - a.offsets[blockIdx.y];
}

/// The first row of a sequence in a tensor.
template <typename T>
__device__ inline T* rowsOf(T* tensor, Strides strides, int start, int head) {
  return tensor + static_cast<long long>(start) * strides.token +
         static_cast<long long>(head) * strides.head;
}

/// Calls body(strip, n, i) for all elements of accumulators [STRIPS][COUNT][4].
template <int STRIPS, int COUNT, typename Body>
__device__ inline void forElements(const Body& body) {
#pragma unroll
  for (int m = 0; m < STRIPS; m++) {
#pragma unroll
    for (int n = 0; n < COUNT; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        body(m, n, i);
      }
    }
  }
}

/// Calls body(strip, half) for the rows of this lane: of each strip one in either half.
template <int STRIPS, typename Body>
__device__ inline void forRows(const Body& body) {
#pragma unroll
  for (int m = 0; m < STRIPS; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      body(m, half);
    }
  }
}

/// The row of this lane in a half of a strip.
__device__ inline int rowOf(int strip, int half) {
  return strip * STRIP + half * 8 + threadIdx.x % LANES / 4;
}

/// The column of this lane in element i of accumulator n.
__device__ inline int columnOf(int n, int i) { return n * 8 + threadIdx.x % 4 * 2 + i % 2; }

// ----------------------------------------------------------------------------------------- mask

#if MASK == 1
struct FourWords {
  Word x[4];
};

/// Philox 4x32-10.
__device__ inline FourWords philox(Word k0, Word k1, Word x0, Word x1, Word x2, Word x3) {
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const Word high0 = __umulhi(0xD2511F53u, x0), low0 = 0xD2511F53u * x0;
    const Word high1 = __umulhi(0xCD9E8D57u, x2), low1 = 0xCD9E8D57u * x2;
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{x0, x1, x2, x3}};
}
#endif

/// The keys of a sequence as one query head sees them.
struct Keys {
#if MASK == 1
  const SequenceMask& mask;  // read again at each use, as above
  bool keepsAll = false;
#elif MASK == 2
  const float* line;
  float unscale;
#endif
  int head;
  int length;

  __device__ Keys(const Arguments& a, int sequence, int head, int length)
      :
#if MASK == 1
        mask(a.masks[sequence]),
#endif
        head(head),
        length(length) {
#if MASK == 2
    line = a.bias + (static_cast<long long>(sequence) * a.heads + head) * a.biasLength;
    unscale = 1 / a.scale;
#endif
  }

  /// Sets what is added to the unscaled scores of four keys, the first a multiple of 4: minus
  /// infinity for a dropped key and past the end.
  __device__ void biases(int first, float (&to)[4]) const {
#if MASK == 1
    const FourWords words = philox(mask.seed[0], mask.seed[1], mask.counter[0] | first >> 2,
                                   mask.counter[1] | head, mask.counter[2], mask.counter[3]);
#endif
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int key = first + i;
      float bias = 0;
#if MASK == 1
      if (words.x[i] < mask.threshold && !keepsAll && !(CAUSAL && key == 0)) {
        bias = minusInfinity();
      }
#elif MASK == 2
      if (key < length) {
        bias = line[key] * unscale;
      }
#endif
      to[i] = key < length ? bias : minusInfinity();
    }
  }

  /// Sets the biases of this lane's rows of a strip whose rows are the keys from `first` on. Four
  /// lanes draw four keys each; all lanes of a warp must call it.
  __device__ void biasesOfRows(int first, float (&to)[2]) const {
    const int lane = threadIdx.x % LANES, row = lane / 4;
    float four[4];
    biases(first + lane % 4 * 4, four);
#pragma unroll
    for (int half = 0; half < 2; half++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float bias = __shfl_sync(0xffffffffu, four[i], row / 4 + 2 * half);
        if (row % 4 == i) {
          to[half] = bias;
        }
      }
    }
  }

  /// Keeps all keys where all were drawn; for all threads of a block at once. Nearly always the
  /// first round finds a key that stays.
  __device__ void keepAllIfNone() {
#if MASK == 1 && !CAUSAL
    if (mask.threshold == 0) {
      return;
    }
    for (int first = 0; first < length; first += 4 * blockDim.x) {
      float four[4];
      biases(first + 4 * threadIdx.x, four);
      const bool kept = four[0] == 0 || four[1] == 0 || four[2] == 0 || four[3] == 0;
      if (__syncthreads_or(kept)) {
        return;
      }
    }
    keepsAll = true;
#endif
  }
};

/// Lays the biases of keys from `first` on, four for each thread, into shared memory: for each pair
/// of keys (a, b) the accumulator (a, b, a, b) of two rows.
__device__ inline void layBiases(float4* pairs, const Keys& keys, int first) {
  float four[4];
  keys.biases(first + 4 * threadIdx.x, four);
  pairs[2 * threadIdx.x] = make_float4(four[0], four[1], four[0], four[1]);
  pairs[2 * threadIdx.x + 1] = make_float4(four[2], four[3], four[2], four[3]);
}

// ---------------------------------------------------------------------------------------- tiles

/// Where chunk c of row r lies in a tile. Rows are rotated so that a chunk of eight rows in turn
/// touches all banks.
__device__ inline int placeOf(int row, int chunk) {
  return row * ROW_BYTES + ((chunk ^ (row & 7)) * CHUNK);
}

/// Starts copying rows from `first` on into a tile; zeros at and after row `end`.
template <int ROWS, int THREADS>
__device__ inline void copyRows(Word tile, const Element* rows, int stride, int first, int end) {
  constexpr int AT_ONCE = THREADS / CHUNKS;
  static_assert(AT_ONCE % 8 == 0 && ROWS % AT_ONCE == 0, "threads divide a tile");
  const int row = threadIdx.x / CHUNKS, chunk = threadIdx.x % CHUNKS;
  const Word to = tile + placeOf(row, chunk);
  const Element* from = rows + static_cast<long long>(first + row) * stride + chunk * 8;
#pragma unroll
  for (int i = 0; i < ROWS; i += AT_ONCE) {
    copyChunk(to + i * ROW_BYTES, from, first + row + i < end);
    from += static_cast<long long>(AT_ONCE) * stride;
  }
}

/// This lane's address in a tile for operands whose matrices follow each other down the rows first:
/// left operands, and right operands that are transposed on the way.
__device__ inline Word downFirst(Word tile) {
  const int lane = threadIdx.x % LANES;
  return tile + placeOf(lane & 15, lane >> 4);
}

/// The same for right operands as they lie: along the columns first.
__device__ inline Word alongFirst(Word tile) {
  const int lane = threadIdx.x % LANES;
  return tile + placeOf((lane & 7) + (lane >> 4) * 8, lane >> 3 & 1);
}

/// The address of the 16 columns number `step`. Chunks are exchanged by XOR in groups of eight, so
/// this is one, too, and groups follow each other.
__device__ inline Word atColumns(Word address, int step) {
  return (address ^ (step % 4 * 2 * CHUNK)) + step / 4 * 8 * CHUNK;
}

/// Left operands that are loaded when they are used, OFFSET bytes after a tile.
template <int OFFSET = 0>
struct Loaded {
  Word lane;

  __device__ explicit Loaded(Word tile) : lane(downFirst(tile)) {}

  __device__ void get(Word (&to)[4], int strip, int step) const {
    loadMatrices(to, atColumns(lane, step) + OFFSET + strip * STRIP * ROW_BYTES);
  }
};

/// Left operands that stay in registers.
template <int STRIPS>
struct Held {
  Word all[STRIPS][STEPS][4];

  __device__ explicit Held(Word tile) {
    const Loaded<> loaded(tile);
#pragma unroll
    for (int m = 0; m < STRIPS; m++) {
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
        loaded.get(all[m][step], m, step);
      }
    }
  }

  __device__ void get(Word (&to)[4], int strip, int step) const {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      to[i] = all[strip][step][i];
    }
  }
};

/// sums += left right^T, where the rows of both are HEAD elements long; right lies OFFSET bytes
/// after a tile.
template <int STRIPS, int ROWS, int OFFSET = 0, typename Left>
__device__ inline void timesTransposed(float (&sums)[STRIPS][ROWS / 8][4], const Left& left,
                                       Word tile) {
  const Word lane = alongFirst(tile);
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
    Word a[STRIPS][4];
#pragma unroll
    for (int m = 0; m < STRIPS; m++) {
      left.get(a[m], m, step);
    }
#pragma unroll
    for (int n = 0; n < ROWS / 16; n++) {
      Word b[4];
      loadMatrices(b, atColumns(lane, step) + OFFSET + n * 16 * ROW_BYTES);
#pragma unroll
      for (int m = 0; m < STRIPS; m++) {
        multiplyAdd(sums[m][2 * n], a[m], b[0], b[1]);
        multiplyAdd(sums[m][2 * n + 1], a[m], b[2], b[3]);
      }
    }
  }
}

/// sums += left right, where left is as wide as right has rows. It is given as accumulators: two of
/// them side by side are a left operand once they are packed.
template <int STRIPS, int ROWS, int OFFSET = 0>
__device__ inline void times(float (&sums)[STRIPS][COLUMNS][4],
                             const float (&left)[STRIPS][ROWS / 8][4], Word tile) {
  const Word lane = downFirst(tile);
#pragma unroll
  for (int n = 0; n < ROWS / 16; n++) {
    Word a[STRIPS][4];
#pragma unroll
    for (int m = 0; m < STRIPS; m++) {
      a[m][0] = pack(left[m][2 * n][0], left[m][2 * n][1]);
      a[m][1] = pack(left[m][2 * n][2], left[m][2 * n][3]);
      a[m][2] = pack(left[m][2 * n + 1][0], left[m][2 * n + 1][1]);
      a[m][3] = pack(left[m][2 * n + 1][2], left[m][2 * n + 1][3]);
    }
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      Word b[4];
      loadTransposed(b, atColumns(lane, step) + OFFSET + n * 16 * ROW_BYTES);
#pragma unroll
      for (int m = 0; m < STRIPS; m++) {
        multiplyAdd(sums[m][2 * step], a[m], b[0], b[1]);
        multiplyAdd(sums[m][2 * step + 1], a[m], b[2], b[3]);
      }
    }
  }
}

template <int STRIPS>
__device__ inline void clear(float (&sums)[STRIPS][COLUMNS][4]) {
  forElements<STRIPS, COLUMNS>([&](int m, int n, int i) { sums[m][n][i] = 0; });
}

/// Writes this warp's rows times a factor, by way of its own rows of a tile that it alone still
/// needs: chunks of 16 bytes go out in order.
template <int STRIPS>
__device__ inline void store(const float (&sums)[STRIPS][COLUMNS][4], float factor,
                             unsigned char* tile, Element* rows, int stride, int first, int end) {
  const int lane = threadIdx.x % LANES;
  __syncwarp();
  forRows<STRIPS>([&](int m, int half) {
#pragma unroll
    for (int n = 0; n < COLUMNS; n++) {
      const float* pair = sums[m][n] + 2 * half;
      *reinterpret_cast<Word*>(tile + placeOf(rowOf(m, half), n) + lane % 4 * 4) =
          pack(pair[0] * factor, pair[1] * factor);
    }
  });
  __syncwarp();
#pragma unroll
  for (int i = lane; i < STRIPS * STRIP * CHUNKS; i += LANES) {
    const int row = i / CHUNKS, chunk = i % CHUNKS;
    if (first + row < end) {
      Element* to = rows + static_cast<long long>(first + row) * stride + chunk * 8;
      *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(tile + placeOf(row, chunk));
    }
  }
}

/// Sets scores to start at the biases of their keys, which are columns.
template <int STRIPS, int TILE>
__device__ inline void startAtBiases(float (&scores)[STRIPS][TILE / 8][4], const float4* pairs) {
#pragma unroll
  for (int n = 0; n < TILE / 8; n++) {
#if MASK
    const float4 start = pairs[n * 4 + threadIdx.x % 4];
#else
    const float4 start = make_float4(0, 0, 0, 0);
#endif
#pragma unroll
    for (int m = 0; m < STRIPS; m++) {
      scores[m][n][0] = start.x;
      scores[m][n][1] = start.y;
      scores[m][n][2] = start.z;
      scores[m][n][3] = start.w;
    }
  }
}

/// Hides the scores of keys that a query does not see for their place alone. Biases hide what is
/// past the end, where there are any.
///
/// @param query first query of this warp
/// @param key first key of the tile
template <int STRIPS, int TILE>
__device__ inline void hideUnseen(float (&scores)[STRIPS][TILE / 8][4], int query, int key,
                                  int length) {
  const bool whole = CAUSAL ? key + TILE - 1 <= query : MASK || key + TILE <= length;
  if (whole) {
    return;
  }
  forElements<STRIPS, TILE / 8>([&](int m, int n, int i) {
    const int last = CAUSAL ? query + rowOf(m, i / 2) : length - 1;
    if (key + columnOf(n, i) > last) {
      scores[m][n][i] = minusInfinity();
    }
  });
}

/// The largest, and the sum, of what the four lanes of a row have.
__device__ inline float largestOfRow(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

__device__ inline float sumOfRow(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

/// The tiles of keys and values that a block of queries walks over, and the biases of the keys.
template <int TILE, int THREADS, int STAGES>
struct KeyTiles {
  static constexpr int BYTES = TILE * ROW_BYTES;  // of a tile; values lie behind their keys
  static constexpr int BIASED = 4 * THREADS;      // keys whose biases are laid at once
  static_assert(BIASED % TILE == 0, "tiles divide the biases that are laid at once");

  const Arguments& a;
  const Element* k;
  const Element* v;
  Word ring;
  float4* pairs;
  Keys keys;
  int count;

  /// @param at place of the tiles in shared memory
  /// @param end queries before it see these keys
  __device__ KeyTiles(const Arguments& a, int head, int at, int end, int length)
      : a(a),
        k(rowsOf(a.k, a.kStrides, startOf(a), head / (a.heads / a.keyHeads))),
        v(rowsOf(a.v, a.vStrides, startOf(a), head / (a.heads / a.keyHeads))),
        ring(sharedAddress(shared) + at),
        pairs(reinterpret_cast<float4*>(shared + at + STAGES * 2 * BYTES)),
        keys(a, blockIdx.y, head, length),
        count(((CAUSAL ? min(end, length) : length) + TILE - 1) / TILE) {}

  /// Starts copying a tile; a group of copies ends, even if there is no such tile.
  __device__ void copy(int tile) const {
    if (tile < count) {
      const Word to = stage(tile);
      copyRows<TILE, THREADS>(to, k, a.kStrides.token, tile * TILE, keys.length);
      copyRows<TILE, THREADS>(to + BYTES, v, a.vStrides.token, tile * TILE, keys.length);
    }
    endCopies();
  }

  /// Starts copying the first tiles.
  __device__ void begin() {
#pragma unroll
    for (int tile = 0; tile < STAGES - 1; tile++) {
      copy(tile);
    }
    keys.keepAllIfNone();
  }

  /// Waits for a tile and starts copying the one that takes the place of the tile before.
  __device__ void advance(int tile) const {
    const int key = tile * TILE;
    if (MASK && key % BIASED == 0) {
      if (tile > 0) {
        __syncthreads();
      }
      layBiases(pairs, keys, key);
    }
    awaitCopies<STAGES - 2>();
    __syncthreads();
    copy(tile + STAGES - 1);
  }

  __device__ Word stage(int tile) const { return ring + tile % STAGES * 2 * BYTES; }

  /// Whether a warp's queries, of which the last is given, see a key of a tile.
  __device__ static bool isSeen(int tile, int last) { return !CAUSAL || tile * TILE <= last; }

  /// Sets the scores of this warp's queries, unscaled.
  template <int STRIPS, typename Left>
  __device__ void scores(float (&to)[STRIPS][TILE / 8][4], const Left& queries, int tile,
                         int query) const {
    startAtBiases<STRIPS, TILE>(to, pairs + tile * TILE % BIASED / 2);
    timesTransposed<STRIPS, TILE>(to, queries, stage(tile));
    hideUnseen<STRIPS, TILE>(to, query, tile * TILE, keys.length);
  }
};

// -------------------------------------------------------------------------------------- forward

/// The softmax of rows whose scores come tile by tile. The maximum that exponents are relative to
/// lags behind the true one by a few powers of 2, so that sums are seldom rescaled.
template <int STRIPS>
struct Softmax {
  float scale;                // of scores, times log2 e
  float largest[STRIPS][2];   // unscaled
  float sum[STRIPS][2];       // of this lane's columns

  __device__ explicit Softmax(float scale) : scale(scale) {
    forRows<STRIPS>([&](int m, int half) {
      largest[m][half] = minusInfinity();
      sum[m][half] = 0;
    });
  }

  /// Turns scores into weights, relative to the maximum; rescales what was summed where that rose.
  template <int TILE>
  __device__ void weigh(float (&scores)[STRIPS][TILE / 8][4], float (&sums)[STRIPS][COLUMNS][4]) {
    float found[STRIPS][2];
    bool grown = false;
    forRows<STRIPS>([&](int m, int half) {
      float most = minusInfinity();
#pragma unroll
      for (int n = 0; n < TILE / 8; n++) {
        most = fmaxf(most, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
      }
      found[m][half] = fmaxf(largest[m][half], largestOfRow(most));
      grown |= (found[m][half] - largest[m][half]) * scale > LARGEST_GROWTH;
    });
    if (__any_sync(0xffffffffu, grown)) {
      rescale(found, sums);
    }
    forRows<STRIPS>([&](int m, int half) {
      const float shift = origin(largest[m][half]) * scale;
#pragma unroll
      for (int n = 0; n < TILE / 8; n++) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; i++) {
          scores[m][n][i] = power2(scores[m][n][i] * scale - shift);
          sum[m][half] += scores[m][n][i];
        }
      }
    });
  }

  __device__ void rescale(const float (&found)[STRIPS][2], float (&sums)[STRIPS][COLUMNS][4]) {
    float factors[STRIPS][2];
    forRows<STRIPS>([&](int m, int half) {
      factors[m][half] = power2((largest[m][half] - origin(found[m][half])) * scale);
      largest[m][half] = found[m][half];
      sum[m][half] *= factors[m][half];
    });
    forElements<STRIPS, COLUMNS>([&](int m, int n, int i) { sums[m][n][i] *= factors[m][i / 2]; });
  }

  /// What exponents are relative to; a row that has seen no key yet has no maximum.
  __device__ static float origin(float largest) {
    return MASK && largest == minusInfinity() ? 0 : largest;
  }
};

/// Grid: (heads, sequences, tiles of queries of the longest sequence): blocks that run at one time
/// share keys and have about as much to do.
extern "C" __global__ void __launch_bounds__(FORWARD_WARPS* LANES, FORWARD_BLOCKS)
    attention_forward(Arguments a) {
  constexpr int THREADS = FORWARD_WARPS * LANES, STRIPS = FORWARD_STRIPS, TILE = FORWARD_TILE;
  constexpr int WARP_ROWS = STRIPS * STRIP, ROWS = FORWARD_WARPS * WARP_ROWS;
  typedef KeyTiles<TILE, THREADS, FORWARD_STAGES> Tiles;

  const int head = blockIdx.x, length = lengthOf(a);
  const int first = (gridDim.z - 1 - blockIdx.z) * ROWS;  // the longest rows first
  if (first >= length) {
    return;
  }
  const int ownRows = threadIdx.x / LANES * WARP_ROWS, query = first + ownRows;
  const Word queries = sharedAddress(shared);
  copyRows<ROWS, THREADS>(queries, rowsOf(a.q, a.qStrides, startOf(a), head), a.qStrides.token,
                          first, length);
  Tiles tiles(a, head, ROWS * ROW_BYTES, first + ROWS, length);
  tiles.begin();

  Softmax<STRIPS> softmax(a.scale * LOG2_E);
  float out[STRIPS][COLUMNS][4];
  clear(out);
#if HEAD == 64
  awaitCopies<0>();
  __syncthreads();
  const Held<STRIPS> left(queries + ownRows * ROW_BYTES);
#else
  const Loaded<> left(queries + ownRows * ROW_BYTES);
#endif
  for (int tile = 0; tile < tiles.count; tile++) {
    tiles.advance(tile);
    if (Tiles::isSeen(tile, query + WARP_ROWS - 1)) {
      float scores[STRIPS][TILE / 8][4];
      tiles.scores(scores, left, tile, query);
      softmax.template weigh<TILE>(scores, out);
      times<STRIPS, TILE, Tiles::BYTES>(out, scores, tiles.stage(tile));
    }
  }

  float factors[STRIPS][2];
  forRows<STRIPS>([&](int m, int half) {
    const float sum = sumOfRow(softmax.sum[m][half]);
    factors[m][half] = sum > 0 ? 1 / sum : 0;
    const int row = query + rowOf(m, half);
    if (threadIdx.x % 4 == 0 && row < length) {
      a.lse[static_cast<long long>(head) * a.tokens + startOf(a) + row] =
          sum > 0 ? softmax.largest[m][half] * softmax.scale + log2f(sum) : -minusInfinity();
    }
  });
  forElements<STRIPS, COLUMNS>([&](int m, int n, int i) { out[m][n][i] *= factors[m][i / 2]; });
  store(out, 1, shared + ownRows * ROW_BYTES, rowsOf(a.o, a.oStrides, startOf(a), head),
        a.oStrides.token, query, length);
}

// ------------------------------------------------------------------------------------- backward

/// Grid: enough blocks for a lane for each chunk of (N, H, D).
extern "C" __global__ void __launch_bounds__(DELTA_THREADS) attention_delta(Arguments a) {
  const long long place = static_cast<long long>(blockIdx.x) * DELTA_THREADS + threadIdx.x;
  const long long row = place / CHUNKS;
  const int chunk = static_cast<int>(place % CHUNKS);
  const bool exists = row < static_cast<long long>(a.tokens) * a.heads;
  const int token = exists ? static_cast<int>(row / a.heads) : 0;
  const int head = exists ? static_cast<int>(row % a.heads) : 0;
  const uint4 o =
      *reinterpret_cast<const uint4*>(rowsOf(a.o, a.oStrides, token, head) + chunk * 8);
  const uint4 flow =
      *reinterpret_cast<const uint4*>(rowsOf(a.flow, a.flowStrides, token, head) + chunk * 8);
  const Word left[4] = {o.x, o.y, o.z, o.w}, right[4] = {flow.x, flow.y, flow.z, flow.w};
  float sum = 0;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    sum += widen(left[i]) * widen(right[i]);
    sum += widen(left[i] >> 16) * widen(right[i] >> 16);
  }
#pragma unroll
  for (int distance = CHUNKS / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(0xffffffffu, sum, distance);
  }
  if (exists && chunk == 0) {
    a.delta[static_cast<long long>(head) * a.tokens + token] = -sum;
  }
}

/// Grid: (key heads, sequences, tiles of keys of the longest sequence). Keys are rows here: scores
/// are transposed. A block sums over all query heads that share its keys.
extern "C" __global__ void __launch_bounds__(KEYS_WARPS* LANES, KEYS_BLOCKS)
    attention_backward_keys(Arguments a) {
  constexpr int THREADS = KEYS_WARPS * LANES, STRIPS = KEYS_STRIPS, TILE = KEYS_TILE;
  constexpr int WARP_ROWS = STRIPS * STRIP, ROWS = KEYS_WARPS * WARP_ROWS;
  constexpr int TILE_BYTES = TILE * ROW_BYTES, LINE_BYTES = TILE * 4;
  constexpr int STAGE_BYTES = 2 * TILE_BYTES + 1024;
  static_assert(2 * LINE_BYTES <= 1024 && 2 * TILE <= THREADS, "one thread for each line's word");

  const int group = blockIdx.x, shares = a.heads / a.keyHeads, length = lengthOf(a);
  const int first = blockIdx.z * ROWS;
  if (first >= length) {
    return;
  }
  const int ownRows = threadIdx.x / LANES * WARP_ROWS, key = first + ownRows;
  const Word keyTile = sharedAddress(shared);
  constexpr int RING = 2 * ROWS * ROW_BYTES;
  const int firstTile = CAUSAL ? first / TILE : 0;
  const int tiles = (length + TILE - 1) / TILE;

  // The copies run ahead of the products: they keep their own place in (head, tile).
  int copyHead = group * shares, copyTile = firstTile;
  const auto copyNext = [&](int stage) {
    if (copyHead < (group + 1) * shares) {
      const int at = copyTile * TILE;
      const Word to = keyTile + RING + stage % KEYS_STAGES * STAGE_BYTES;
      copyRows<TILE, THREADS>(to, rowsOf(a.q, a.qStrides, startOf(a), copyHead),
                              a.qStrides.token, at, length);
      copyRows<TILE, THREADS>(to + TILE_BYTES,
                              rowsOf(a.flow, a.flowStrides, startOf(a), copyHead),
                              a.flowStrides.token, at, length);
      const int line = threadIdx.x / TILE, row = at + threadIdx.x % TILE;
      if (line < 2) {
        const float* from = line == 0 ? a.lse : a.delta;
        from += static_cast<long long>(copyHead) * a.tokens + startOf(a) + row;
        copyWord(to + 2 * TILE_BYTES + threadIdx.x * 4, from, row < length);
      }
      if (++copyTile == tiles) {
        copyTile = firstTile;
        copyHead++;
      }
    }
    endCopies();
  };
  copyRows<ROWS, THREADS>(keyTile, rowsOf(a.k, a.kStrides, startOf(a), group),
                          a.kStrides.token, first, length);
  copyRows<ROWS, THREADS>(keyTile + ROWS * ROW_BYTES, rowsOf(a.v, a.vStrides, startOf(a), group),
                          a.vStrides.token, first, length);
#pragma unroll
  for (int stage = 0; stage < KEYS_STAGES - 1; stage++) {
    copyNext(stage);
  }

  const float scale = a.scale * LOG2_E;
  const Loaded<> leftKeys(keyTile + ownRows * ROW_BYTES);
  const Loaded<ROWS * ROW_BYTES> leftValues(keyTile + ownRows * ROW_BYTES);
  float dk[STRIPS][COLUMNS][4], dv[STRIPS][COLUMNS][4];
  clear(dk);
  clear(dv);
  float biases[STRIPS][2];
  int round = 0;
  for (int share = 0; share < shares; share++) {
    Keys keys(a, blockIdx.y, group * shares + share, length);
    keys.keepAllIfNone();
#pragma unroll
    for (int m = 0; m < STRIPS; m++) {
      if (MASK) {
        keys.biasesOfRows(key + m * STRIP, biases[m]);
      } else {
        biases[m][0] = biases[m][1] = 0;
      }
    }
    for (int tile = firstTile; tile < tiles; tile++, round++) {
      awaitCopies<KEYS_STAGES - 2>();
      __syncthreads();
      copyNext(round + KEYS_STAGES - 1);
      const int place = RING + round % KEYS_STAGES * STAGE_BYTES, query = tile * TILE;
      const Word stage = keyTile + place;
      if (CAUSAL && query + TILE - 1 < key) {
        continue;
      }
      const float* lse = reinterpret_cast<const float*>(shared + place + 2 * TILE_BYTES);
      const float* delta = lse + TILE;

      float weights[STRIPS][TILE / 8][4], flows[STRIPS][TILE / 8][4];
      forElements<STRIPS, TILE / 8>(
          [&](int m, int n, int i) { weights[m][n][i] = biases[m][i / 2]; });
      timesTransposed<STRIPS, TILE>(weights, leftKeys, stage);
      if (CAUSAL && query < key + WARP_ROWS - 1) {
        forElements<STRIPS, TILE / 8>([&](int m, int n, int i) {
          if (query + columnOf(n, i) < key + rowOf(m, i / 2)) {
            weights[m][n][i] = minusInfinity();
          }
        });
      }
      forElements<STRIPS, TILE / 8>([&](int m, int n, int i) {
        weights[m][n][i] = power2(weights[m][n][i] * scale - lse[columnOf(n, i)]);
        flows[m][n][i] = delta[columnOf(n, i)];
      });
      times<STRIPS, TILE, TILE_BYTES>(dv, weights, stage);
      timesTransposed<STRIPS, TILE, TILE_BYTES>(flows, leftValues, stage);
      forElements<STRIPS, TILE / 8>(
          [&](int m, int n, int i) { flows[m][n][i] *= weights[m][n][i]; });
      times<STRIPS, TILE>(dk, flows, stage);
    }
  }

  unsigned char* own = shared + ownRows * ROW_BYTES;
  store(dk, a.scale, own, rowsOf(a.dk, a.dkStrides, startOf(a), group), a.dkStrides.token, key,
        length);
  store(dv, 1, own + ROWS * ROW_BYTES, rowsOf(a.dv, a.dvStrides, startOf(a), group),
        a.dvStrides.token, key, length);
}

/// Grid: as the forward's, with its own tiles.
extern "C" __global__ void __launch_bounds__(QUERIES_WARPS* LANES, QUERIES_BLOCKS)
    attention_backward_queries(Arguments a) {
  constexpr int THREADS = QUERIES_WARPS * LANES, STRIPS = QUERIES_STRIPS, TILE = QUERIES_TILE;
  constexpr int WARP_ROWS = STRIPS * STRIP, ROWS = QUERIES_WARPS * WARP_ROWS;
  typedef KeyTiles<TILE, THREADS, QUERIES_STAGES> Tiles;

  const int head = blockIdx.x, length = lengthOf(a);
  const int first = (gridDim.z - 1 - blockIdx.z) * ROWS;  // the longest rows first
  if (first >= length) {
    return;
  }
  const int ownRows = threadIdx.x / LANES * WARP_ROWS, query = first + ownRows;
  const Word queries = sharedAddress(shared);
  copyRows<ROWS, THREADS>(queries, rowsOf(a.q, a.qStrides, startOf(a), head), a.qStrides.token,
                          first, length);
  copyRows<ROWS, THREADS>(queries + ROWS * ROW_BYTES,
                          rowsOf(a.flow, a.flowStrides, startOf(a), head), a.flowStrides.token,
                          first, length);
  Tiles tiles(a, head, 2 * ROWS * ROW_BYTES, first + ROWS, length);
  tiles.begin();

  const float scale = a.scale * LOG2_E;
  float lse[STRIPS][2], delta[STRIPS][2];
  forRows<STRIPS>([&](int m, int half) {
    const int row = query + rowOf(m, half);
    const long long place = static_cast<long long>(head) * a.tokens + startOf(a) + row;
    lse[m][half] = row < length ? a.lse[place] : 0;
    delta[m][half] = row < length ? a.delta[place] : 0;
  });
  const Loaded<> leftQueries(queries + ownRows * ROW_BYTES);
  const Loaded<ROWS * ROW_BYTES> leftFlows(queries + ownRows * ROW_BYTES);
  float dq[STRIPS][COLUMNS][4];
  clear(dq);
  for (int tile = 0; tile < tiles.count; tile++) {
    tiles.advance(tile);
    if (Tiles::isSeen(tile, query + WARP_ROWS - 1)) {
      float weights[STRIPS][TILE / 8][4], flows[STRIPS][TILE / 8][4];
      tiles.scores(weights, leftQueries, tile, query);
      forElements<STRIPS, TILE / 8>([&](int m, int n, int i) {
        weights[m][n][i] = power2(weights[m][n][i] * scale - lse[m][i / 2]);
        flows[m][n][i] = delta[m][i / 2];
      });
      timesTransposed<STRIPS, TILE, Tiles::BYTES>(flows, leftFlows, tiles.stage(tile));
      forElements<STRIPS, TILE / 8>(
          [&](int m, int n, int i) { flows[m][n][i] *= weights[m][n][i]; });
      times<STRIPS, TILE>(dq, flows, tiles.stage(tile));
    }
  }
  store(dq, a.scale, shared + ownRows * ROW_BYTES, rowsOf(a.dq, a.dqStrides, startOf(a), head),
        a.dqStrides.token, query, length);
}
