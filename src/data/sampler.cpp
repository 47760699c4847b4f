#include "data/sampler.h"

#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/philox.h"

namespace pdarts::data {

std::vector<int64_t> EpochOrder(uint64_t seed, uint32_t epoch, uint32_t loader, std::span<const int64_t> indices) {
  std::vector<int64_t> order(indices.begin(), indices.end());
  base::RandomSequence draws(seed, base::RandomStream::kShuffle, epoch, loader);
  for (size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[draws.Below(static_cast<uint32_t>(left))]);
  }
  return order;
}

std::vector<int64_t> IndexRange(int64_t begin, int64_t end) {
  PD_CHECK(begin <= end, "[{}, {})", begin, end);
  std::vector<int64_t> indices(static_cast<size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

}  // namespace pdarts::data
