// What every kernel builds on: runs of elements read and written at once, and sums over a block.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Elements that are read or written at once, by 16 bytes at most.
template <class E, int N>
struct alignas(sizeof(E) * N < 16 ? sizeof(E) * N : 16) Pack { E at[N]; };

template <int N>
struct Floats { float at[N]; };

// How many elements of a type 16 bytes hold.
template <class E>
struct Wide { static const int COUNT = 16 / sizeof(E); };

template <int N, class E>
__device__ __forceinline__ Floats<N> load(const E* from) {
  Pack<E, N> pack = *reinterpret_cast<const Pack<E, N>*>(from);
  Floats<N> values;
#pragma unroll
  for (int k = 0; k < N; k++) values.at[k] = widen(pack.at[k]);
  return values;
}

template <int N, class E>
__device__ __forceinline__ void store(const Floats<N>& values, E* to) {
  Pack<E, N> pack;
#pragma unroll
  for (int k = 0; k < N; k++) narrow(values.at[k], &pack.at[k]);
  *reinterpret_cast<Pack<E, N>*>(to) = pack;
}

// The number of the calling thread's first element where each thread has N.
__device__ __forceinline__ i64 first_element(int n) {
  return ((i64)blockIdx.x * blockDim.x + threadIdx.x) * n;
}

struct Sum { __device__ __forceinline__ static float of(float a, float b) { return a + b; } };
struct Most { __device__ __forceinline__ static float of(float a, float b) { return fmaxf(a, b); } };

// Joins a value of each thread of the block in an order that is always the same; every thread gets the result.
// `slots` holds a float per warp. Every thread must call it, in blocks of whole warps.
template <class Join>
__device__ __forceinline__ float over_block(float x, float* slots) {
  for (int lanes = 16; lanes > 0; lanes >>= 1) x = Join::of(x, exchange(x, lanes));
  __syncthreads(); // whoever still reads the slots of an earlier call
  if (threadIdx.x % 32 == 0) slots[threadIdx.x / 32] = x;
  __syncthreads();
  x = slots[0];
  for (int warp = 1; warp < blockDim.x / 32; warp++) x = Join::of(x, slots[warp]);
  return x;
}
