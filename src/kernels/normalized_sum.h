// Weighted sums of batch norms without affine parameters, channels last: every src [rows, C] with rows = N * H * W,
// dense fp32, any C. No normalised tensor is written: each source is read once. Results do not depend on the number of
// threads. No buffer may overlap another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dropout_mask.h"

namespace pdarts::kernels {

// Stands for xhat = (src - mean) / sqrt(variance + epsilon), or for src itself.
struct NormalizedTerm {
  const float* src;
  const double* mean;      // [C], or nullptr for src itself
  const double* variance;  // [C]
  float weight;            // of the sum; the backward does not read it
  int64_t drop = -1;       // the op id of src's dropout, which is drawn here; -1: it has none
};

// What the dropped terms' draws have in common.
struct NormalizedDrops {
  base::DropoutDraw draw{};
  float rate = 0;  // in [0, 1)
};

// dst = sum over the terms of weight * xhat, added in order in double and rounded once. At least one term.
struct NormalizedSumArgs {
  const NormalizedTerm* terms;
  int64_t count, rows, channels;
  double epsilon;
  float* dst;
  int lanes;      // the number of threads
  void* scratch;  // NormalizedSumScratch bytes, aligned to a cache line
  NormalizedDrops drops{};
};
size_t NormalizedSumScratch(int64_t terms, int64_t channels, int64_t drops, int lanes);
void NormalizedSum(const NormalizedSumArgs& args);

// diff_gammas[k] [C] = sum of diff_dst * xhat of term k, diff_beta [C] = sum of diff_dst, dots[k] = <diff_dst, xhat of
// term k>. Chunks of fixed size are summed in fp32 vectors, centred on the mean, their sums in double.
struct NormalizedSumBackwardArgs {
  const NormalizedTerm* terms;
  int64_t count, rows, channels;
  double epsilon;
  const float* diff_dst;
  float* const* diff_gammas;  // one a term, nullptr where it is not wanted
  float* diff_beta;
  float* dots;    // [count], or nullptr
  int lanes;      // the number of threads
  void* scratch;  // NormalizedSumBackwardScratch bytes, aligned to a cache line
  NormalizedDrops drops{};
};
size_t NormalizedSumBackwardScratch(int64_t terms, int64_t rows, int64_t channels, int64_t drops, int lanes);
void NormalizedSumBackward(const NormalizedSumBackwardArgs& args);

}  // namespace pdarts::kernels
