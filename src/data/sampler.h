// The order in which an epoch visits images.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pdarts::data {

// A permutation of `indices`: a pure function of seed, epoch, the loader's number and the list's length. Loaders of one
// run that draw from lists of one length (the halves of a search) take different numbers, or they would be shuffled
// alike.
std::vector<int64_t> EpochOrder(uint64_t seed, uint32_t epoch, uint32_t loader, std::span<const int64_t> indices);

// begin, begin + 1, ..., end - 1.
std::vector<int64_t> IndexRange(int64_t begin, int64_t end);

}  // namespace pdarts::data
