#include "kernels/partial_sums.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"

namespace pdarts::kernels {

void AddPartialSums(const float* partial, int64_t parts, int64_t size, float* totals) {
  PD_CHECK(parts >= 1, "no partial sums");
  base::ParallelFor(size, 1 + 65536 / parts, [&](int64_t begin, int64_t end) {
    constexpr int64_t kBlock = 64;
    double sums[kBlock];
    for (int64_t first = begin; first < end; first += kBlock) {
      const int64_t count = std::min(kBlock, end - first);
      std::fill_n(sums, count, 0.0);
      for (int64_t part = 0; part < parts; ++part) {
        const float* from = partial + part * size + first;
        for (int64_t i = 0; i < count; ++i) sums[i] += from[i];
      }
      for (int64_t i = 0; i < count; ++i) totals[first + i] = static_cast<float>(sums[i]);
    }
  });
}

}  // namespace pdarts::kernels
