// Dropout and drop path with the masks of base/dropout_mask.h. Dropout forward and backward are the same function: the
// mask is drawn again. Bits depend on neither threads nor instruction set.
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

// factors [samples] = kept ? 1 / (1 - rate) : 0.
void DropPath(const base::DropoutDraw& draw, float rate, int64_t samples, double* factors);

// src [samples, size], each sample times its factor, or 0 where that is 0, whatever it holds.
struct ScaleSamplesArgs {
  const float* src;
  const double* factors;
  float* dst;
  int64_t samples, size;
};
void ScaleSamples(const ScaleSamplesArgs& args);

}  // namespace pdarts::kernels
