// Pools of one tensor and what batch normalisation without affine parameters needs of each of them, both ways, channels
// last, dense fp32. Rows of an image go through the whole chain while they are in the cache. Results do not depend on
// the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/dropout_mask.h"
#include "kernels/pool.h"

namespace pdarts::kernels {

// A max pool where there is a workspace, else an average pool. dst is not normalised; mean and variance [C] are those
// of the batch, as BatchNormStatistics finds them.
struct PoolNormForwardBranch {
  float* dst;
  uint8_t* workspace;
  double* mean;
  double* variance;
};
struct PoolNormForwardArgs {
  const float* src;
  std::span<const PoolNormForwardBranch> branches;
  int lanes;           // the number of threads
  std::byte* scratch;  // PoolNormForwardScratch bytes, aligned to a cache line
};
size_t PoolNormForwardScratch(const PoolParams& params, size_t branches, int lanes);
void PoolNormForward(const PoolParams& params, const PoolNormForwardArgs& args);

// The gradient of the normalised dst is the sum of weights[k] * diff_dsts[k]; diff_gamma and diff_beta [C] are its sums
// over the batch, see BatchNormBackwardReduce.
struct PoolNormBackwardBranch {
  const float* dst;
  const uint8_t* workspace;
  const double* mean;
  const double* variance;
  const float* diff_gamma;
  const float* diff_beta;
  std::span<const float* const> diff_dsts;
  const float* weights;
};
// What BatchNormBackwardReduce would find for diff_src; src nullptr: nothing is wanted.
struct PoolNormBackwardSums {
  const float* src = nullptr;  // of that batch norm, shaped like diff_src
  const double* mean = nullptr;
  const double* variance = nullptr;
  float* diff_gamma = nullptr;
  float* diff_beta = nullptr;
};
struct PoolNormBackwardArgs {
  std::span<const PoolNormBackwardBranch> branches;
  const float* add;  // nullptr, or a further term of diff_src; may be diff_src itself
  // Terms of diff_src too, with their weights, as of skip connections; maybe none.
  std::span<const float* const> direct;
  const float* direct_weights;
  // Empty, or the op id of each direct term's dropout, -1 where it has none; then W * C is a multiple of 8. The rest of
  // the draw they share.
  std::span<const int64_t> drops;
  base::DropoutDraw draw;
  float drop_rate;
  float* diff_src;
  int lanes;  // the number of threads
  float epsilon;
  PoolNormBackwardSums sums;  // for the batch norm whose result src is
  std::byte* scratch;         // PoolNormBackwardScratch bytes, aligned to a cache line
};
// diffs: the most of a branch, or the number of direct ones; drops: how many of these are dropped, or more.
size_t PoolNormBackwardScratch(const PoolParams& params, size_t branches, size_t diffs, size_t drops, int lanes);
void PoolNormBackward(const PoolParams& params, const PoolNormBackwardArgs& args);

}  // namespace pdarts::kernels
