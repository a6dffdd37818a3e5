// GELU in its tanh form, x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3).

#define CUBIC 0.044715f
#define TWICE 1.5957691f // 2 sqrt(2/pi)

template <int N>
__device__ __forceinline__ void forward(const ELEMENT* x, ELEMENT* y) {
  Floats<N> v = load<N>(x);
#pragma unroll
  for (int k = 0; k < N; k++) {
    float z = v.at[k];
    v.at[k] = z / (1 + expf(-TWICE * z * (1 + CUBIC * z * z)));
  }
  store(v, y);
}

// With s = sigmoid(2u) the derivative is s + x s (1 - s) 2u'.
template <int N>
__device__ __forceinline__ void backward(const ELEMENT* x, const ELEMENT* flow, ELEMENT* to_x) {
  Floats<N> v = load<N>(x);
  Floats<N> f = load<N>(flow);
#pragma unroll
  for (int k = 0; k < N; k++) {
    float z = v.at[k];
    float s = 1 / (1 + expf(-TWICE * z * (1 + CUBIC * z * z)));
    float slope = TWICE * z * (1 + 3 * CUBIC * z * z);
    f.at[k] *= s * (1 + slope * (1 - s));
  }
  store(f, to_x);
}

extern "C" __global__ void __launch_bounds__(256) gelu_forward(const ELEMENT* x, ELEMENT* y, i64 count, int wide) {
  const int N = Wide<ELEMENT>::COUNT;
  i64 at = first_element(wide ? N : 1);
  if (wide && at + N <= count) {
    forward<N>(x + at, y + at);
    return;
  }
  for (i64 end = wide ? count : at + 1; at < end && at < count; at++) forward<1>(x + at, y + at);
}

extern "C" __global__ void __launch_bounds__(256) gelu_backward(
    const ELEMENT* x, const ELEMENT* flow, ELEMENT* to_x, i64 count, int wide) {
  const int N = Wide<ELEMENT>::COUNT;
  i64 at = first_element(wide ? N : 1);
  if (wide && at + N <= count) {
    backward<N>(x + at, flow + at, to_x + at);
    return;
  }
  for (i64 end = wide ? count : at + 1; at < end && at < count; at++) backward<1>(x + at, flow + at, to_x + at);
}
