#include "kernels/roofline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include "base/parallel.h"
#include "kernels/layout.h"
#include "kernels/simd/roofline_table.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kMiB = 1024 * 1024 / sizeof(float);
constexpr int64_t kCacheFloats = 4 * kMiB, kMemoryFloats = 256 * kMiB;

// Seconds of the fastest try.
double Best(int tries, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  for (int i = 0; i < tries; ++i) {
    const Clock::time_point start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

double PeakGflops() {
  constexpr int64_t kRounds = 2'000'000;
  const RooflineTable& table = PD_KERNEL_TABLE(kRoofline);
  std::atomic<int64_t> done = 0;
  const double seconds = Best(7, [&] {
    done = 0;
    base::ParallelFor(base::Threads(), 1, [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) {
        // Sums that neither grow nor become denormal.
        alignas(64) float factors[16] = {0.5f, 1.0f};
        done += table.multiply_adds(kRounds, factors);
      }
    });
  });
  return 2e-9 * static_cast<double>(done) / seconds;
}

double CopyGbs(const std::vector<float>& src, std::vector<float>& dst, int64_t count, int tries) {
  const double seconds = Best(tries, [&] { Copy(src.data(), dst.data(), count); });
  return 2e-9 * static_cast<double>(count) * sizeof(float) / seconds;
}

double ReadGbs(const std::vector<float>& src, int64_t count, int tries) {
  const RooflineTable& table = PD_KERNEL_TABLE(kRoofline);
  std::atomic<float> kept = 0;  // so that nothing is left out
  const double seconds = Best(tries, [&] {
    base::ParallelFor(count, kMiB / 4, [&](int64_t b, int64_t e) { kept = table.sum(src.data() + b, e - b); });
  });
  return 1e-9 * static_cast<double>(count) * sizeof(float) / seconds;
}

}  // namespace

Roofline MeasureRoofline() {
  constexpr int kCacheTries = 100, kMemoryTries = 7;
  const std::vector<float> src(kMemoryFloats, 1.0f);
  std::vector<float> dst(kMemoryFloats, 0.0f);
  Roofline roofline;
  roofline.peak_gflops = PeakGflops();
  roofline.copy_cache_gbs = CopyGbs(src, dst, kCacheFloats, kCacheTries);
  roofline.copy_memory_gbs = CopyGbs(src, dst, kMemoryFloats, kMemoryTries);
  roofline.read_cache_gbs = ReadGbs(src, 2 * kCacheFloats, kCacheTries);
  roofline.read_memory_gbs = ReadGbs(src, kMemoryFloats, kMemoryTries);
  return roofline;
}

}  // namespace pdarts::kernels
