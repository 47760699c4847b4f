// What pooling rows share. Idea: 3x3 windows that lie inside the row, which are nearly all there are, are done by
// blocks of four pixels of one channel vector in registers, so that each loaded vector serves every window that sees
// it; the rest, and other windows, go one pixel at a time. Both add in the same order and give the same bits. The
// backward passes gather: each src pixel asks the windows that cover it, in a fixed order, so that no two threads add
// to one place.
#pragma once

#include "kernels/simd/tables.h"
#include "kernels/simd/vec.h"

namespace pdarts::kernels::PD_ISA {
namespace {

struct Range {
  int64_t begin, end;
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

constexpr int kPixels = 4;  // of a block

// The pixels whose 3x3 windows lie inside [0, size); forward these are windows, backward src pixels at stride 1 whose
// windows exist and, with `margin` 1, are whole.
PD_INLINE Range Inside(int64_t stride, int64_t size, int64_t count, int64_t margin) {
  return {1 + margin, Min(count - margin, (size - 2 - margin) / stride + 1)};
}

// Calls block(x, channel) for all channel vectors of the blocks that cover `inside`; the last moves back to end there.
template <typename Body>
PD_INLINE void ForBlocks(int64_t channels, Range inside, const Body& block) {
  for (int64_t x = inside.begin; x < inside.end; x += kPixels) {
    const int64_t at = Min(x, inside.end - kPixels);
    for (int64_t c = 0; c < channels; c += kWidth) block(at, Min(c, channels - kWidth));
  }
}

// Blocks serve 3x3 windows with a padding of 1, whole channel vectors, and enough pixels for one block.
PD_INLINE bool HasBlocks(const PoolRow& row, Range inside) {
  return row.kernel == 3 && row.pad == 1 && row.channels >= kWidth && inside.end - inside.begin >= kPixels;
}

// The whole row: blocks where they serve, single pixels at its ends and everywhere else.
template <typename Block, typename Pixels>
PD_INLINE void Row(const PoolRow& row, int64_t count, Range inside, const Block& block, const Pixels& pixels) {
  if (!HasBlocks(row, inside)) return pixels(Range{0, count});
  pixels(Range{0, inside.begin});
  ForBlocks(row.channels, inside, block);
  pixels(Range{inside.end, count});
}

}  // namespace
}  // namespace pdarts::kernels::PD_ISA
