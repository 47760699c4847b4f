// What pooling rows share. Idea: rows of 3x3 windows, which are nearly all there are, go by blocks of four pixels of
// one channel vector in registers, so that each loaded vector serves every window that sees it. Forward, a block goes
// down some rows and keeps what it found of the last src rows, so that each of these is worked on once. Blocks at a
// row's ends also ask whether a column exists. Other windows, rows shorter than a block and fewer channels than a
// vector go one pixel at a time. Both add in the same order and give the same bits. The backward passes gather: each
// src pixel asks the windows that cover it, in a fixed order, so that no two threads add to one place.
#pragma once

#include "kernels/simd/tables.h"
#include "kernels/simd/vec.h"

namespace pdarts::kernels::PD_ISA {
namespace {

struct Range {
  int64_t begin, end;
  PD_INLINE int64_t size() const { return end - begin; }
};

// The taps of window `out` that lie inside [0, size).
PD_INLINE Range Taps(const PoolRow& row, int64_t out, int64_t size) {
  const int64_t start = out * row.stride - row.pad;
  return {Max(0, -start), Min(row.kernel, size - start)};
}

// The windows that cover src position `at`.
PD_INLINE Range Windows(const PoolRow& row, int64_t at, int64_t windows) {
  const int64_t reach = at + row.pad - row.kernel + 1;
  return {reach <= 0 ? 0 : (reach + row.stride - 1) / row.stride, Min((at + row.pad) / row.stride + 1, windows)};
}

static_assert(kWidestVector % kWidth == 0, "see PoolRow");
constexpr int kPixels = kPoolBlockPixels;

// Forward, a block reads src columns Column(x), Column(x) + 1, ...
template <int kStride>
constexpr int kColumns = (kPixels - 1) * kStride + 3;
template <int kStride>
PD_INLINE int64_t Column(int64_t x) {
  return x * kStride - 1;
}

// Backward, a block of src pixels from x on, a multiple of the stride, asks windows FirstWindow(x), ...
template <int kStride>
constexpr int kWindows = kStride == 1 ? kPixels + 2 : kPixels / 2 + 1;
template <int kStride>
PD_INLINE int64_t FirstWindow(int64_t x) {
  return kStride == 1 ? x - 1 : x / 2;
}
// The tap by which the block's window j covers its pixel p; it does if this is 0, 1 or 2.
template <int kStride>
constexpr int TapOf(int p, int j) {
  return kStride == 1 ? p + 2 - j : p + 1 - 2 * j;
}

// Calls block.template operator()<kEdge>(x, channel) for all channel vectors of the blocks that cover [0, count), the
// last of which moves back to end there. kEdge: some of what the block asks for, [first(x), first(x) + asked), lies
// less than `margin` from the ends of [0, size).
template <typename First, typename Block>
PD_INLINE void ForBlocks(int64_t count, int64_t channels, const First& first, int64_t asked, int64_t size,
                         int64_t margin, const Block& block) {
  for (int64_t x = 0; x < count; x += kPixels) {
    const int64_t at = Min(x, count - kPixels), begin = first(at);
    const bool edge = begin < margin || begin + asked > size - margin;
    for (int64_t c = 0; c < channels; c += kWidth) {
      const int64_t channel = Min(c, channels - kWidth);
      edge ? block.template operator()<true>(at, channel) : block.template operator()<false>(at, channel);
    }
  }
}

// So many rows at most a block goes down before the next one: in more, what both read has left the first cache.
constexpr int64_t kStripRows = 8;

// Calls rows(PoolRow) for bands of at most `most` of row's.
template <typename Rows>
PD_INLINE void ForBands(const PoolRow& row, int64_t most, const Rows& rows) {
  PoolRow band = row;
  for (; band.y < row.end; band.y = band.end) {
    band.end = Min(band.y + most, row.end);
    rows(band);
  }
}

// What a block asks for meanwhile: the lines of the next one, as the hardware does not foresee them. Of the blocks
// whose channels share lines, each asks for some of the rows.
class NextBlock {
 public:
  NextBlock(int64_t channels, int64_t channel)
      : floats_(channel + kWidestVector < channels ? kWidestVector : kPixels * channels - channel),
        part_(channel / kWidth) {}
  // p: at the block's row y.
  PD_INLINE void Ask(const float* p, int64_t y, int64_t channels) const {
    if (kBlocks > 1 && (y - part_) % kBlocks != 0) return;
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) __builtin_prefetch(p + floats_ + i * channels);
  }

 private:
  static constexpr int64_t kBlocks = kWidestVector / kWidth;
  int64_t floats_, part_;
};

// Blocks serve 3x3 windows with a padding of 1, whole channel vectors, and enough pixels for one block.
PD_INLINE bool HasBlocks(const PoolRow& row, int64_t count) {
  return row.kernel == 3 && row.pad == 1 && row.stride <= 2 && row.channels >= kWidth && count >= kPixels;
}
// With stride 2 a block begins at an even pixel, the last one too.
PD_INLINE bool HasBackwardBlocks(const PoolRow& row) {
  return HasBlocks(row, row.width) && row.width % row.stride == 0;
}

// What is written past the caches meanwhile, some of it for each row of a block, so that it waits while the next one is
// computed.
class Meanwhile {
 public:
  explicit Meanwhile(const StreamRange& range) : src_(range.src), dst_(range.dst), left_(range.count) {}
  // At least so many floats.
  PD_INLINE void Some(int64_t floats) {
    Write(Min((floats + kWidestVector - 1) / kWidestVector * kWidestVector, left_));
  }
  PD_INLINE void Rest() { Write(left_); }

 private:
  PD_INLINE void Write(int64_t count) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < count; i += kWidth) Stream(dst_ + i, Load(src_ + i));
    src_ += count, dst_ += count, left_ -= count;
  }

  const float* src_;
  float* dst_;
  int64_t left_;  // floats, whole vectors of the widest kind
};

}  // namespace
}  // namespace pdarts::kernels::PD_ISA
