// The small operation of small.py by libtorch's own C++: prints the median of its repeats in nanoseconds.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

int main() {
  constexpr int kCalls = 20000;
  constexpr int kRepeats = 60;
  at::set_num_threads(1);
  c10::InferenceMode inference;
  auto x = at::randn({16, 16});
  auto y = at::randn({16, 16});
  std::vector<double> times;
  for (int repeat = 0; repeat < kRepeats; repeat++) {
    auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < kCalls; call++) {
      auto product = at::mul(x, y);
    }
    std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    times.push_back(taken.count() / kCalls);
  }
  std::nth_element(times.begin(), times.begin() + kRepeats / 2, times.end());
  std::printf("%.1f\n", times[kRepeats / 2]);
}
