// Steps of AdamW and the sum of squares, over many f32 tensors at once. A block is CHUNK elements of one tensor.

#define MOST 64
#define CHUNK 4096

// Where the tensors lie; block start[t] is the first one of tensor t.
struct Tensors {
  float* parameter[MOST];
  const float* gradient[MOST];
  float* first[MOST];
  float* second[MOST];
  i64 count[MOST];
  int start[MOST + 1];
  int tensors;
};

struct Gradients {
  const float* gradient[MOST];
  i64 count[MOST];
  int start[MOST + 1];
  int tensors;
};

// decay: learning rate times weight decay. step: learning rate / (1 - beta1^t). root: sqrt(1 - beta2^t).
struct Settings { float decay, keep1, keep2, take1, take2, step, root, eps; };

// The tensor that a block belongs to.
__device__ __forceinline__ int tensor_of(const int* start, int tensors) {
  int low = 0;
  for (int high = tensors; high - low > 1;) {
    int middle = (low + high) / 2;
    if ((int)blockIdx.x >= start[middle]) low = middle;
    else high = middle;
  }
  return low;
}

template <int N>
__device__ __forceinline__ void update(
    float* parameter, const float* gradient, float* first, float* second, float factor, const Settings& s) {
  Floats<N> p = load<N>(parameter);
  Floats<N> g = load<N>(gradient);
  Floats<N> m = load<N>(first);
  Floats<N> v = load<N>(second);
#pragma unroll
  for (int k = 0; k < N; k++) {
    float slope = g.at[k] * factor;
    p.at[k] -= s.decay * p.at[k];
    m.at[k] = s.keep1 * m.at[k] + s.take1 * slope;
    v.at[k] = s.keep2 * v.at[k] + s.take2 * slope * slope;
    p.at[k] -= s.step * m.at[k] / (sqrtf(v.at[k]) / s.root + s.eps);
  }
  store(p, parameter);
  store(m, first);
  store(v, second);
}

// Gradients are scaled down to a norm of most_norm where it is above 0 and their sum of squares says so.
extern "C" __global__ void __launch_bounds__(256) adamw_step(
    const __grid_constant__ Tensors tensors, const __grid_constant__ Settings settings, const double* squares,
    float most_norm) {
  int t = tensor_of(tensors.start, tensors.tensors);
  i64 at = (i64)(blockIdx.x - tensors.start[t]) * CHUNK;
  i64 rest = tensors.count[t] - at;
  int count = rest < CHUNK ? (int)rest : CHUNK;
  float* p = tensors.parameter[t] + at;
  const float* g = tensors.gradient[t] + at;
  float* m = tensors.first[t] + at;
  float* v = tensors.second[t] + at;
  float factor = 1;
  if (most_norm > 0) factor = fminf(1, most_norm / ((float)sqrt(*squares) + 1e-6f));
  if (((u64)p | (u64)g | (u64)m | (u64)v) % 16 != 0) {
    for (int i = threadIdx.x; i < count; i += blockDim.x) update<1>(p + i, g + i, m + i, v + i, factor, settings);
    return;
  }
  int packed = count / 4 * 4;
  for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) update<4>(p + i, g + i, m + i, v + i, factor, settings);
  int last = packed + threadIdx.x;
  if (last < count) update<1>(p + last, g + last, m + last, v + last, factor, settings);
}

// Writes the sum of squares of each block's elements.
extern "C" __global__ void __launch_bounds__(256) squares_of_blocks(
    const __grid_constant__ Gradients tensors, float* sums) {
  __shared__ float slots[8];
  int t = tensor_of(tensors.start, tensors.tensors);
  i64 at = (i64)(blockIdx.x - tensors.start[t]) * CHUNK;
  i64 rest = tensors.count[t] - at;
  int count = rest < CHUNK ? (int)rest : CHUNK;
  const float* g = tensors.gradient[t] + at;
  int packed = (u64)g % 16 == 0 ? count / 4 * 4 : 0;
  float squares = 0;
  for (int i = threadIdx.x * 4; i < packed; i += blockDim.x * 4) {
    Floats<4> v = load<4>(g + i);
#pragma unroll
    for (int k = 0; k < 4; k++) squares += v.at[k] * v.at[k];
  }
  for (int i = packed + threadIdx.x; i < count; i += blockDim.x) squares += g[i] * g[i];
  squares = over_block<Sum>(squares, slots);
  if (threadIdx.x == 0) sums[blockIdx.x] = squares;
}

// Adds them up, always in one order; one block.
extern "C" __global__ void __launch_bounds__(256) squares_total(const float* sums, int count, double* total) {
  __shared__ double parts[256];
  double part = 0;
  for (int i = threadIdx.x; i < count; i += 256) part += sums[i];
  parts[threadIdx.x] = part;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < 256; i++) part += parts[i];
  *total = part;
}
