// The one definition of what dropout and drop path keep, for every backend: a draw is a function of seed, op, step and
// element alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/philox.h"

namespace pdarts::base {

struct DropoutDraw {
  uint64_t key;    // PhiloxKey(seed, RandomStream::kDropout or kDropPath)
  uint32_t op_id;  // the op's own number, so that no two share their draws
  uint32_t step;
};

// Draws have 16 bits, two to a word of the generator, as drawing takes as long as what is done with it. So a rate in
// [0, 1) counts in steps of 2^-16: the nearest number of them, but never all.
inline uint32_t DropoutSteps(float rate) {
  return std::min(static_cast<uint32_t>(std::lround(rate * 0x1p16f)), uint32_t{0xffff});
}

// Whether `element` is kept: counter {element / 8 (low 32 bits), op_id, step, 0}, half element % 8 of its four words,
// lower halves first, not below the rate's steps. Elements count in NHWC order; for drop path the element is the
// sample. Draws repeat after 2^35 elements, more than any tensor here has.
inline bool DropoutMaskKeep(const DropoutDraw& draw, float rate, int64_t element) {
  const PhiloxBlock block = Philox({static_cast<uint32_t>(element / 8), draw.op_id, draw.step, 0}, draw.key);
  return (block[element % 8 / 2] >> (element % 2 * 16) & 0xffff) >= DropoutSteps(rate);
}

// The rate that is drawn, and what a kept element is multiplied by, so that the mean stays what it was.
inline double DropoutRate(float rate) { return DropoutSteps(rate) * 0x1p-16; }
inline float DropoutScale(float rate) { return static_cast<float>(1 / (1 - DropoutRate(rate))); }

}  // namespace pdarts::base
