// Which elements a dropout keeps: a pure function of (seed, stream, step, op id, element), the same on every backend
// and layout.
#pragma once

#include "base/philox.h"

namespace pdarts::base {

// Four neighbouring decisions share a Philox block: element 4 * block + lane. Key: PhiloxKey(seed, kDropout or
// kDropPath). The element is counted in N, H, W, C order, or is the sample n where the whole sample is dropped (drop
// path).
inline PhiloxBlock DropoutBits(uint64_t key, uint32_t op_id, uint64_t step, uint64_t block) {
  return Philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32) ^ op_id, static_cast<uint32_t>(step),
                 static_cast<uint32_t>(step >> 32)},
                key);
}

// Kept with probability 1 - rate. The comparison is in float so that it is the same everywhere.
inline bool DropoutKeeps(uint32_t bits, float rate) { return UniformFloat(bits) >= rate; }

}  // namespace pdarts::base
