// Dropout and drop path with the masks of base/dropout_mask.h. Forward and backward are the same function: the mask is
// drawn again. Bits depend on neither threads nor instruction set.
#pragma once

#include <cstdint>

#include "base/dropout_mask.h"

namespace pdarts::kernels {

// dst = kept ? weight * src / (1 - rate) : 0, per element of `count`; rate 0 keeps all. dst may be src.
struct DropoutArgs {
  const float* src;
  float* dst;
  int64_t count;
  float rate;  // in [0, 1)
  base::DropoutDraw draw;
  float weight = 1;
};
void Dropout(const DropoutArgs& args);

// The same per sample: src [samples, size].
struct DropPathArgs {
  const float* src;
  float* dst;
  int64_t samples, size;
  float rate;  // in [0, 1)
  base::DropoutDraw draw;
  float weight = 1;
};
void DropPath(const DropPathArgs& args);

}  // namespace pdarts::kernels
