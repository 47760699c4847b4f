// The loops that measure what the machine can do.
#pragma once

#include "kernels/simd/tables.h"

namespace pdarts::kernels {

struct RooflineTable {
  // Runs `rounds` rounds of independent chains x = x * dst[0] + dst[1] and writes the chains' sum to dst, one vector;
  // returns how many multiply-adds that were.
  int64_t (*multiply_adds)(int64_t rounds, float* dst);
  float (*sum)(const float* src, int64_t count);  // a remainder that fills no eight vectors is left out
};

}  // namespace pdarts::kernels

PD_DECLARE_TABLE(RooflineTable, kRoofline)
