// Lets a C++ compiler make kernels into functions of the host: threads of a block are fibers, which take turns at
// every barrier. It stands in place of primitives.cuh.

#include <math.h>
#include <string.h>
#include <ucontext.h>
#include <functional>
#include <utility>
#include <vector>

#define __device__
#define __global__
#define __shared__ static
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

typedef float f32;
struct bf16 { unsigned short bits; };
struct f16 { unsigned short bits; };

inline float widen(f32 x) { return x; }

inline float widen(bf16 x) {
  unsigned bits = (unsigned)x.bits << 16;
  float wide;
  memcpy(&wide, &bits, 4);
  return wide;
}

inline float widen(f16 x) {
  _Float16 half;
  memcpy(&half, &x, 2);
  return half;
}

inline void narrow(float x, f32* to) { *to = x; }

inline void narrow(float x, bf16* to) {
  unsigned bits;
  memcpy(&bits, &x, 4);
  to->bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

inline void narrow(float x, f16* to) {
  _Float16 half = x;
  memcpy(to, &half, 2);
}

struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(1 << 16);
  bool ended;
};

static std::vector<Fiber> fibers(1024);
static ucontext_t scheduler;
static std::function<void()> body;
static float exchanged[1024];

inline void __syncthreads() {
  unsigned me = threadIdx.x;
  swapcontext(&fibers[me].context, &scheduler);
}

inline float exchange(float x, int lanes) {
  exchanged[threadIdx.x] = x;
  __syncthreads();
  float other = exchanged[threadIdx.x ^ lanes];
  __syncthreads();
  return other;
}

static void enter() {
  unsigned me = threadIdx.x;
  body();
  fibers[me].ended = true;
}

// Returns whether all threads came to all barriers.
static bool run_block() {
  for (unsigned t = 0; t < blockDim.x; t++) {
    Fiber& fiber = fibers[t];
    fiber.ended = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, enter, 0);
  }
  for (;;) {
    unsigned ended = 0;
    for (unsigned t = 0; t < blockDim.x; t++) {
      threadIdx.x = t;
      swapcontext(&scheduler, &fibers[t].context);
      ended += fibers[t].ended;
    }
    if (ended == blockDim.x) return true;
    if (ended > 0) return false;
  }
}

static int run(unsigned x, unsigned y, unsigned threads, std::function<void()> kernel) {
  body = kernel;
  gridDim = {x, y, 1};
  blockDim = {threads, 1, 1};
  for (blockIdx.y = 0; blockIdx.y < y; blockIdx.y++) {
    for (blockIdx.x = 0; blockIdx.x < x; blockIdx.x++) {
      if (!run_block()) return 1;
    }
  }
  return 0;
}

template <class... A, size_t... I>
static void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*(A*)arguments[I]...);
}

template <class... A>
static int run_kernel(void (*kernel)(A...), void** arguments, unsigned x, unsigned y, unsigned threads) {
  return run(x, y, threads, [=] { call(kernel, arguments, std::index_sequence_for<A...>()); });
}

template <class... A>
static int describe(void (*)(A...), int index, long* offset, long* size) {
  long sizes[] = {sizeof(A)...};
  long alignments[] = {alignof(A)...};
  if (index >= (int)sizeof...(A)) return 1;
  long end = 0;
  for (int i = 0; i <= index; i++) {
    *offset = (end + alignments[i] - 1) / alignments[i] * alignments[i];
    *size = sizes[i];
    end = *offset + *size;
  }
  return 0;
}

#define HOST_ENTRY(name)                                                                         \
  extern "C" int run_##name(void** arguments, unsigned x, unsigned y, unsigned threads) {        \
    return run_kernel(name, arguments, x, y, threads);                                           \
  }                                                                                              \
  extern "C" int describe_##name(int index, long* offset, long* size) {                          \
    return describe(name, index, offset, size);                                                  \
  }
