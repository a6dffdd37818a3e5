// Rotary positions: x cos + rotate_half(x) sin, for each head of a token. One block is one token.

// Heads of tokens: elements from one token to the next and from one head to the next.
struct Heads { i64 token, head; };

template <int N>
__device__ __forceinline__ void rotate(
    const ELEMENT* x, ELEMENT* y, const TABLE* cosines, const TABLE* sines, int half, float sign) {
  Floats<N> first = load<N>(x);
  Floats<N> second = load<N>(x + half);
  Floats<N> c1 = load<N>(cosines);
  Floats<N> c2 = load<N>(cosines + half);
  Floats<N> s1 = load<N>(sines);
  Floats<N> s2 = load<N>(sines + half);
#pragma unroll
  for (int k = 0; k < N; k++) {
    float a = first.at[k];
    float b = second.at[k];
    first.at[k] = a * c1.at[k] + b * (s1.at[k] * sign);
    second.at[k] = b * c2.at[k] + a * (s2.at[k] * sign);
  }
  store(first, y);
  store(second, y + half);
}

template <int N>
__device__ __forceinline__ void rotate_token(
    const ELEMENT* x, ELEMENT* y, const TABLE* cosines, const TABLE* sines, i64 x_head, i64 y_head, int heads, int half,
    float sign) {
  int of_head = half / N;
  for (int j = threadIdx.x; j < heads * of_head; j += blockDim.x) {
    int head = j / of_head;
    int at = (j - head * of_head) * N;
    rotate<N>(x + head * x_head + at, y + head * y_head + at, cosines + at, sines + at, half, sign);
  }
}

// The sines of the first half have their sign changed in the table; sign is 1, or -1 to rotate back. x may be y.
extern "C" __global__ void __launch_bounds__(256) rope_rotate(
    const ELEMENT* x, ELEMENT* y, const TABLE* cosines, const TABLE* sines, Heads of_x, Heads of_y, i64 table, int heads,
    int size, float sign, int wide) {
  i64 token = blockIdx.x;
  x += token * of_x.token;
  y += token * of_y.token;
  cosines += token * table;
  sines += token * table;
  if (wide) {
    rotate_token<Wide<ELEMENT>::COUNT>(x, y, cosines, sines, of_x.head, of_y.head, heads, size / 2, sign);
  } else {
    rotate_token<1>(x, y, cosines, sines, of_x.head, of_y.head, heads, size / 2, sign);
  }
}
