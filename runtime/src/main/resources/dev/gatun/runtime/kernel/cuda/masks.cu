// Dropout masks by Philox 4x32-10, with the bits of MaskStream: drop where a word is below a threshold.

#define MOST 64

// The masks of one sequence. c0 to c3 are the counter of coordinates 0 and 0; run is the length of a span, or -1 where
// each place is drawn by itself. each_query: whether every query has a line of its own.
struct Sequence {
  u64 seed;
  u32 c0, c1, c2, c3;
  u64 threshold;
  float kept, dropped;
  int start, length, run, each_query;
};

struct Sequences { Sequence at[MOST]; };

struct Words { u32 at[4]; };

__device__ __forceinline__ Words philox(u64 seed, u32 c0, u32 c1, u32 c2, u32 c3) {
  u32 k0 = (u32)seed;
  u32 k1 = (u32)(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; round++) {
    u64 product0 = (u64)0xD2511F53u * c0;
    u64 product1 = (u64)0xCD9E8D57u * c2;
    c0 = (u32)(product1 >> 32) ^ c1 ^ k0;
    c1 = (u32)product1;
    c2 = (u32)(product0 >> 32) ^ c3 ^ k1;
    c3 = (u32)product0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  Words words = {{c0, c1, c2, c3}};
  return words;
}

__device__ __forceinline__ Words draw(const Sequence& s, u32 middle, int group) {
  return philox(s.seed, s.c0 | (u32)group, s.c1 | middle, s.c2, s.c3);
}

// The first place of a line's span.
__device__ __forceinline__ int span_start(const Sequence& s, u32 middle) {
  Words words = draw(s, middle, 0);
  double uniform = (double)(((u64)words.at[0] << 21) ^ (words.at[1] >> 11)) * 0x1.0p-53;
  return (int)(uniform * (s.length - s.run + 1));
}

// The value of place 4 group + k of a line.
__device__ __forceinline__ bool drops(const Sequence& s, const Words& words, int place, int span, int k) {
  return s.run >= 0 ? place >= span && place < span + s.run : words.at[k] < s.threshold;
}

// Writes the lines of keys of one sequence, `longest` places each, 0 past its length. One block is one line of one head
// and query. first_kept: place 0 always stays; else a line that drops all keeps all.
extern "C" __global__ void __launch_bounds__(128) mask_lines(
    const __grid_constant__ Sequences sequences, ELEMENT* target, int heads, int queries, int longest, int first_kept) {
  __shared__ float slots[4];
  i64 line = blockIdx.x;
  int query = (int)(line % queries);
  u32 head = (u32)(line / queries % heads);
  const Sequence& s = sequences.at[line / queries / heads];
  ELEMENT* values = target + line * longest;
  u32 middle = s.each_query ? head << 16 | query : head;
  int span = s.run >= 0 ? span_start(s, middle) : 0;
  float any = 0;
  for (int group = threadIdx.x; group * 4 < longest; group += blockDim.x) {
    Words words = draw(s, middle, group);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int place = group * 4 + k;
      if (place >= longest) break;
      bool drop = drops(s, words, place, span, k) && !(first_kept && place == 0);
      bool inside = place < s.length;
      if (inside && !drop) any = 1;
      narrow(inside ? drop ? s.dropped : s.kept : 0.0f, values + place);
    }
  }
  any = over_block<Most>(any, slots);
  if (any != 0) return;
  for (int place = threadIdx.x; place < s.length; place += blockDim.x) narrow(s.kept, values + place);
}

// Writes rows of tokens times their factors, kept or dropped; a place is a channel, or the token itself where each_query
// is not set. One block is one token; sequences are `start` tokens from the first on.
extern "C" __global__ void __launch_bounds__(128) mask_tokens(
    const __grid_constant__ Sequences sequences, int count, const ELEMENT* x, ELEMENT* y, int width) {
  i64 token = blockIdx.x;
  int low = 0;
  for (int high = count; high - low > 1;) {
    int between = (low + high) / 2;
    if (token >= sequences.at[between].start) low = between;
    else high = between;
  }
  const Sequence& s = sequences.at[low];
  int position = (int)token - s.start;
  x += token * width;
  y += token * width;
  if (s.each_query) {
    for (int group = threadIdx.x; group * 4 < width; group += blockDim.x) {
      Words words = draw(s, position, group);
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int channel = group * 4 + k;
        if (channel >= width) break;
        narrow(widen(x[channel]) * (words.at[k] < s.threshold ? s.dropped : s.kept), y + channel);
      }
    }
    return;
  }
  int span = s.run >= 0 ? span_start(s, 0) : 0;
  Words words = draw(s, 0, position / 4);
  bool drop = drops(s, words, position, span, 0);
  if (s.run < 0) {
    u32 word = position % 4 == 0 ? words.at[0] : position % 4 == 1 ? words.at[1] : position % 4 == 2 ? words.at[2] : words.at[3];
    drop = word < s.threshold;
  }
  float factor = drop ? s.dropped : s.kept;
  for (int channel = threadIdx.x; channel < width; channel += blockDim.x) narrow(widen(x[channel]) * factor, y + channel);
}
