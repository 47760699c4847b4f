// What the kernels that sum whole tensors have in common: how their rows are read. Internal to src/kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace pdarts::kernels {

inline constexpr int64_t kLanes = 16;          // of the widest vector
inline constexpr int64_t kLeastWidth = 64;     // so that short rows neither make short loops nor long fp32 sums
inline constexpr int64_t kChunkFloats = 4096;  // per partial sum: fixed, since it shapes the tree of the additions

// Rows are read several at a time, as one of `width` floats: whole vectors for any channel count.
inline int64_t Width(int64_t channels) {
  const int64_t whole = channels * (kLanes / std::gcd(kLanes, channels));
  return whole * ((kLeastWidth + whole - 1) / whole);
}

inline int64_t ChunkFloats(int64_t width) { return width * std::max<int64_t>(1, kChunkFloats / width); }

// Cuts whole cache lines, so that no two lanes write one.
template <class T>
T* Cut(std::byte*& at, int64_t count) {
  T* start = reinterpret_cast<T*>(at);
  at += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
  return start;
}

inline size_t Bytes(const std::byte* end) { return static_cast<size_t>(end - static_cast<std::byte*>(nullptr)); }

// Fills a row whose first channels are given with them over and over.
template <class T>
void Repeat(T* row, int64_t channels, int64_t width) {
  for (int64_t i = channels; i < width; ++i) row[i] = row[i - channels];
}

// The channels' means over and over; 0 where there are none.
inline void FillMeans(const double* mean, int64_t channels, int64_t width, float* means) {
  for (int64_t i = 0; i < width; i += channels)
    for (int64_t c = 0; c < channels; ++c) means[i + c] = mean == nullptr ? 0.0f : static_cast<float>(mean[c]);
}

// The total of channel c from columns that repeat the channels.
inline double ColumnSum(const double* columns, int64_t c, int64_t channels, int64_t width) {
  double sum = 0;
  for (int64_t i = c; i < width; i += channels) sum += columns[i];
  return sum;
}

}  // namespace pdarts::kernels
