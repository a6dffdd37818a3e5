// The gate of Llama's feed-forward block: silu(gate) up.

template <int N>
__device__ __forceinline__ void forward(const ELEMENT* gate, const ELEMENT* up, ELEMENT* y) {
  Floats<N> g = load<N>(gate);
  Floats<N> u = load<N>(up);
#pragma unroll
  for (int k = 0; k < N; k++) u.at[k] *= g.at[k] / (1 + expf(-g.at[k]));
  store(u, y);
}

template <int N>
__device__ __forceinline__ void backward(
    const ELEMENT* gate, const ELEMENT* up, const ELEMENT* flow, ELEMENT* to_gate, ELEMENT* to_up) {
  Floats<N> g = load<N>(gate);
  Floats<N> u = load<N>(up);
  Floats<N> f = load<N>(flow);
#pragma unroll
  for (int k = 0; k < N; k++) {
    float s = 1 / (1 + expf(-g.at[k]));
    float silu = g.at[k] * s;
    g.at[k] = f.at[k] * u.at[k] * (s + silu * (1 - s));
    u.at[k] = f.at[k] * silu;
  }
  store(g, to_gate);
  store(u, to_up);
}

extern "C" __global__ void __launch_bounds__(256) swiglu_forward(
    const ELEMENT* gate, const ELEMENT* up, ELEMENT* y, i64 count, int wide) {
  const int N = Wide<ELEMENT>::COUNT;
  i64 at = first_element(wide ? N : 1);
  if (wide && at + N <= count) {
    forward<N>(gate + at, up + at, y + at);
    return;
  }
  for (i64 end = wide ? count : at + 1; at < end && at < count; at++) forward<1>(gate + at, up + at, y + at);
}

extern "C" __global__ void __launch_bounds__(256) swiglu_backward(
    const ELEMENT* gate, const ELEMENT* up, const ELEMENT* flow, ELEMENT* to_gate, ELEMENT* to_up, i64 count, int wide) {
  const int N = Wide<ELEMENT>::COUNT;
  i64 at = first_element(wide ? N : 1);
  if (wide && at + N <= count) {
    backward<N>(gate + at, up + at, flow + at, to_gate + at, to_up + at);
    return;
  }
  for (i64 end = wide ? count : at + 1; at < end && at < count; at++) {
    backward<1>(gate + at, up + at, flow + at, to_gate + at, to_up + at);
  }
}
