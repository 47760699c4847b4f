#include "data/statistics.h"

#include <cmath>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"

namespace pdarts::data {

ChannelStatistics MeasureChannels(const Dataset& dataset) {
  PD_CHECK(dataset.Size() > 0);
  const int64_t bytes = dataset.info().image_bytes();
  std::array<uint64_t, 3> sum{}, squares{};
  std::mutex mutex;
  base::ParallelFor(dataset.Size(), 64, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> pixels(static_cast<size_t>(bytes));
    std::array<uint64_t, 3> own_sum{}, own_squares{};
    for (int64_t i = begin; i < end; ++i) {
      dataset.Read(i, pixels.data());
      for (int64_t p = 0; p < bytes; p += 3) {
        for (int c = 0; c < 3; ++c) {
          const uint64_t value = pixels[p + c];
          own_sum[c] += value;
          own_squares[c] += value * value;
        }
      }
    }
    const std::lock_guard<std::mutex> lock(mutex);
    for (int c = 0; c < 3; ++c) sum[c] += own_sum[c], squares[c] += own_squares[c];
  });
  const double count = static_cast<double>(dataset.Size()) * static_cast<double>(bytes / 3);
  ChannelStatistics result;
  for (int c = 0; c < 3; ++c) {
    const double mean = static_cast<double>(sum[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - mean * mean;
    result.mean[c] = mean / 255;
    result.sd[c] = std::sqrt(std::max(0.0, variance)) / 255;
  }
  return result;
}

}  // namespace pdarts::data
