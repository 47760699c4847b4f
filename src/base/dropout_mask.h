// The one definition of what dropout and drop path keep, for every backend: a draw is a function of seed, op, step and
// element alone.
#pragma once

#include <cstdint>

#include "base/philox.h"

namespace pdarts::base {

struct DropoutDraw {
  uint64_t key;    // PhiloxKey(seed, RandomStream::kDropout or kDropPath)
  uint32_t op_id;  // the op's own number, so that no two share their draws
  uint32_t step;
};

// Whether `element` is kept at drop rate `rate` in [0, 1): counter {element / 4 (low 32 bits), op_id, step, 0}, word
// element % 4, as a uniform number in [0, 1), not below the rate. Elements count in NHWC order; for drop path the
// element is the sample. Draws repeat after 2^34 elements, more than any tensor here has.
inline bool DropoutMaskKeep(const DropoutDraw& draw, float rate, int64_t element) {
  const PhiloxBlock block = Philox({static_cast<uint32_t>(element / 4), draw.op_id, draw.step, 0}, draw.key);
  return UniformFloat(block[element % 4]) >= rate;
}

// What a kept element is multiplied by.
inline float DropoutScale(float rate) { return 1.0f / (1.0f - rate); }

}  // namespace pdarts::base
