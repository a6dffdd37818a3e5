// Root-mean-square normalisation of rows: x w / sqrt(mean(x^2) + eps). One block is one row.

template <int N>
__device__ __forceinline__ void forward(
    const ELEMENT* x, const WEIGHT* weight, ELEMENT* y, float* inverse, int width, float eps, float* slots) {
  float squares = 0;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    Floats<N> v = load<N>(x + i);
#pragma unroll
    for (int k = 0; k < N; k++) squares += v.at[k] * v.at[k];
  }
  float r = 1 / sqrtf(over_block<Sum>(squares, slots) / width + eps);
  if (inverse && threadIdx.x == 0) inverse[blockIdx.x] = r;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    Floats<N> v = load<N>(x + i);
    Floats<N> w = load<N>(weight + i);
#pragma unroll
    for (int k = 0; k < N; k++) v.at[k] = v.at[k] * r * w.at[k];
    store(v, y + i);
  }
}

// With n = x / rms and h = flow w the gradient is (h - n mean(h n)) / rms.
template <int N>
__device__ __forceinline__ void backward(
    const ELEMENT* x, const WEIGHT* weight, const ELEMENT* flow, ELEMENT* to_x, float r, int width, float* slots) {
  float products = 0;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    Floats<N> v = load<N>(x + i);
    Floats<N> w = load<N>(weight + i);
    Floats<N> f = load<N>(flow + i);
#pragma unroll
    for (int k = 0; k < N; k++) products += f.at[k] * w.at[k] * v.at[k];
  }
  float mean = over_block<Sum>(products, slots) * r * r / width;
  for (int i = threadIdx.x * N; i < width; i += blockDim.x * N) {
    Floats<N> v = load<N>(x + i);
    Floats<N> w = load<N>(weight + i);
    Floats<N> f = load<N>(flow + i);
#pragma unroll
    for (int k = 0; k < N; k++) f.at[k] = (f.at[k] * w.at[k] - v.at[k] * mean) * r;
    store(f, to_x + i);
  }
}

extern "C" __global__ void __launch_bounds__(256) rmsnorm_forward(
    const ELEMENT* x, const WEIGHT* weight, ELEMENT* y, float* inverse, int width, float eps, int wide) {
  __shared__ float slots[8];
  i64 row = blockIdx.x;
  x += row * width;
  y += row * width;
  if (wide) {
    forward<Wide<ELEMENT>::COUNT>(x, weight, y, inverse, width, eps, slots);
  } else {
    forward<1>(x, weight, y, inverse, width, eps, slots);
  }
}

extern "C" __global__ void __launch_bounds__(256) rmsnorm_backward(
    const ELEMENT* x, const WEIGHT* weight, const float* inverse, const ELEMENT* flow, ELEMENT* to_x, int width, int wide) {
  __shared__ float slots[8];
  i64 row = blockIdx.x;
  x += row * width;
  flow += row * width;
  to_x += row * width;
  if (wide) {
    backward<Wide<ELEMENT>::COUNT>(x, weight, flow, to_x, inverse[row], width, slots);
  } else {
    backward<1>(x, weight, flow, to_x, inverse[row], width, slots);
  }
}
