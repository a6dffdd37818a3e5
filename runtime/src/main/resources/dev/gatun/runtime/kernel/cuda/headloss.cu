// Losses of rows of logits; gradients take the logits' place. One block is one row.

#define NOTHING -1e30f // below any logit; two of them differ by nothing

template <int N>
struct Size { static const int COUNT = N; };

// Calls body(index, Size) for all elements of a row: singly up to the first 16-byte boundary and past the last, in
// runs of N between.
template <int N, class Body>
__device__ __forceinline__ void over_row(int width, int before, Body body) {
  int packs = (width - before) / N;
  for (int i = threadIdx.x; i < before; i += blockDim.x) body(i, Size<1>());
  for (int i = threadIdx.x; i < packs; i += blockDim.x) body(before + i * N, Size<N>());
  for (int i = before + packs * N + threadIdx.x; i < width; i += blockDim.x) body(i, Size<1>());
}

// Elements before the first 16-byte boundary.
__device__ __forceinline__ int elements_before(const ELEMENT* row, int width) {
  int before = (int)((16 - (u64)row % 16) % 16 / sizeof(ELEMENT));
  return before < width ? before : width;
}

// The softmax of some logits: their largest, the sum of e^(z - largest), and the sum of that times (z - other).
struct Sums {
  float most, total, weighted;

  template <int N>
  __device__ __forceinline__ void add(const Floats<N>& z, const Floats<N>& other) {
    float larger = most;
#pragma unroll
    for (int k = 0; k < N; k++) larger = fmaxf(larger, z.at[k]);
    float shrink = expf(most - larger);
    total *= shrink;
    weighted *= shrink;
    most = larger;
#pragma unroll
    for (int k = 0; k < N; k++) {
      float e = expf(z.at[k] - larger);
      total += e;
      weighted += e * (z.at[k] - other.at[k]);
    }
  }

  __device__ __forceinline__ void join_block(float* slots) {
    float largest = over_block<Most>(most, slots);
    float shrink = expf(most - largest);
    most = largest;
    total = over_block<Sum>(total * shrink, slots);
    weighted = over_block<Sum>(weighted * shrink, slots);
  }
};

template <int N>
__device__ __forceinline__ void cross_entropy(ELEMENT* z, i64 label, int width, int gradient, float* task, float* slots) {
  int before = N == 1 ? 0 : elements_before(z, width);
  float at_label = widen(z[label]);
  Sums sums = {NOTHING, 0, 0};
  over_row<N>(width, before, [&](int i, auto size) {
    Floats<decltype(size)::COUNT> v = load<decltype(size)::COUNT>(z + i);
    sums.add(v, v);
  });
  sums.join_block(slots);
  if (threadIdx.x == 0) *task = sums.most - at_label + logf(sums.total);
  if (!gradient) return;
  float inverse = 1 / sums.total;
  over_row<N>(width, before, [&](int i, auto size) {
    Floats<decltype(size)::COUNT> v = load<decltype(size)::COUNT>(z + i);
#pragma unroll
    for (int k = 0; k < decltype(size)::COUNT; k++) {
      v.at[k] = expf(v.at[k] - sums.most) * inverse - (i + k == label ? 1 : 0);
    }
    store(v, z + i);
  });
}

template <class E, int N>
__device__ __forceinline__ void clear(E* row, int width) {
  Floats<1> zero = {{0}};
  for (int i = threadIdx.x; i < width; i += blockDim.x) store(zero, row + i);
}

// A row whose label is negative counts nothing: its loss and its gradient are 0.
extern "C" __global__ void __launch_bounds__(512) cross_entropy_rows(
    ELEMENT* logits, const i64* labels, int width, int gradient, float* task) {
  __shared__ float slots[16];
  i64 row = blockIdx.x;
  ELEMENT* z = logits + row * width;
  if (labels[row] < 0) {
    if (threadIdx.x == 0) task[row] = 0;
    if (gradient) clear<ELEMENT, 1>(z, width);
    return;
  }
  cross_entropy<Wide<ELEMENT>::COUNT>(z, labels[row], width, gradient, task + row, slots);
}

// What is asked of with_divergence: see HeadLoss.Wanted.
struct Wanted {
  float weight; // lambda one way, half of it both ways
  int one_way, first, second;
};

// With r = log p - log q the gradient of half the sum of both ways to the logits of p is 1/2 (p (r - KL(p || q) + 1) -
// q); of KL(p || q) alone it is p (r - KL(p || q)).
template <int N>
__device__ __forceinline__ void with_divergence(
    ELEMENT* a, ELEMENT* b, i64 label, int width, Wanted wanted, float* task, float* divergence, float* slots) {
  int before = N == 1 ? 0 : elements_before(a, width);
  float at_label = widen(a[label]);
  Sums p = {NOTHING, 0, 0};
  Sums q = {NOTHING, 0, 0};
  over_row<N>(width, before, [&](int i, auto size) {
    Floats<decltype(size)::COUNT> x = load<decltype(size)::COUNT>(a + i);
    Floats<decltype(size)::COUNT> y = load<decltype(size)::COUNT>(b + i);
    p.add(x, y);
    q.add(y, x);
  });
  p.join_block(slots);
  q.join_block(slots);
  float log_p = p.most + logf(p.total);
  float log_q = q.most + logf(q.total);
  float forth = p.weighted / p.total; // the mean of a - b under p
  float back = q.weighted / q.total;
  float apart = log_p - log_q;
  if (threadIdx.x == 0) {
    *task = p.most - at_label + logf(p.total);
    *divergence = wanted.one_way ? forth - apart : 0.5f * (forth + back);
  }
  float w = wanted.weight;
  float shift_p = wanted.one_way ? apart - forth : 1 - (forth - apart);
  float shift_q = 1 - (back + apart);
  float other = wanted.one_way ? 0 : w;
  if (!wanted.first && !wanted.second) return;
  over_row<N>(width, before, [&](int i, auto size) {
    Floats<decltype(size)::COUNT> x = load<decltype(size)::COUNT>(a + i);
    Floats<decltype(size)::COUNT> y = load<decltype(size)::COUNT>(b + i);
#pragma unroll
    for (int k = 0; k < decltype(size)::COUNT; k++) {
      float u = x.at[k] - log_p;
      float v = y.at[k] - log_q;
      float r = u - v;
      float eu = expf(u);
      float ev = expf(v);
      x.at[k] = eu * (1 + w * (r + shift_p)) - other * ev - (i + k == label ? 1 : 0);
      y.at[k] = ev * w * (shift_q - r) - w * eu;
    }
    if (wanted.first) store(x, a + i);
    if (wanted.second) store(y, b + i);
  });
}

extern "C" __global__ void __launch_bounds__(512) divergence_rows(
    ELEMENT* logits1, ELEMENT* logits2, const i64* labels, int width, Wanted wanted, float* task, float* divergence) {
  __shared__ float slots[16];
  i64 row = blockIdx.x;
  ELEMENT* a = logits1 + row * width;
  ELEMENT* b = logits2 + row * width;
  if (labels[row] < 0) {
    if (threadIdx.x == 0) task[row] = divergence[row] = 0;
    if (wanted.first) clear<ELEMENT, 1>(a, width);
    if (wanted.second) clear<ELEMENT, 1>(b, width);
    return;
  }
  if ((u64)a % 16 == (u64)b % 16) {
    with_divergence<Wide<ELEMENT>::COUNT>(a, b, labels[row], width, wanted, task + row, divergence + row, slots);
  } else {
    with_divergence<1>(a, b, labels[row], width, wanted, task + row, divergence + row, slots);
  }
}
