// Depthwise convolution, channels last: src [N,H,W,C], dst [N,OH,OW,C], weights [C,1,K,K] (plain), all dense fp32, any
// C >= 1. dst[n][y][x][c] = sum over i, j of weights[c][i][j] * src[n][y * stride - pad + i * dilation][x * stride -
// pad + j * dilation][c], src being zero outside the image. Results do not depend on the number of threads; an
// image's last bits may depend on the size of its batch, which decides how it is gone through, and differ from those of
// the parts below. No buffer may overlap another.
#pragma once

#include <cstdint>

#include "kernels/between.h"

namespace pdarts::kernels {

constexpr int64_t kMaxDepthwiseKernel = 15;

struct DepthwiseParams {
  int64_t n, h, w, c;  // of src
  int64_t kernel;  // K, 1 to kMaxDepthwiseKernel; 3, 5 and 7 with stride and dilation 1 or 2 (7: dilation 1) are fast
  int64_t stride = 1, dilation = 1, pad = 0;

  int64_t OutH() const { return (h + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
  int64_t OutW() const { return (w + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
};

struct DepthwiseForwardArgs {
  const float* src;
  const float* weights;
  float* dst;
  float* scratch;  // DepthwiseScratch(params) floats
};

struct DepthwiseBackwardDataArgs {
  const float* diff_dst;
  const float* weights;
  float* diff_src;  // overwritten
  float* scratch;   // DepthwiseScratch(params) floats
};

struct DepthwiseBackwardWeightsArgs {
  const float* src;
  const float* diff_dst;
  float* diff_weights;  // [C,1,K,K], overwritten
  float* scratch;       // DepthwiseWeightsScratch(params) floats
};

int64_t DepthwiseScratch(const DepthwiseParams& params);
int64_t DepthwiseWeightsScratch(const DepthwiseParams& params);

// On all threads.
void DepthwiseForward(const DepthwiseParams& params, const DepthwiseForwardArgs& args);
void DepthwiseBackwardData(const DepthwiseParams& params, const DepthwiseBackwardDataArgs& args);
void DepthwiseBackwardWeights(const DepthwiseParams& params, const DepthwiseBackwardWeightsArgs& args);

// The same in parts, on the calling thread, for who does more with a few rows while they are in the cache. Weights are
// arranged once, [K][K][C] in the order in which the rows read them: DepthwiseTaps(params) floats.
int64_t DepthwiseTaps(const DepthwiseParams& params);
void ArrangeForForward(const DepthwiseParams& params, const float* weights, float* arranged);
void ArrangeForBackward(const DepthwiseParams& params, const float* weights, float* arranged);

// Rows [first, end) of dst, of the N * OutH of all images.
struct DepthwiseForwardRowsArgs {
  const float* src;
  const float* arranged;  // for forward
  float* dst;             // at row `first`
  int64_t first, end;
  const Between* between = nullptr;  // after each row, or block of pixels of some rows
  int64_t ahead = 0;  // about so many rows later memory is asked for, where they are in no near cache; 0: not at all
};
void DepthwiseForwardRows(const DepthwiseParams& params, const DepthwiseForwardRowsArgs& args);

// Rows [first, end) of diff_src, of the N * H of all images.
struct DepthwiseBackwardDataRowsArgs {
  const float* diff_dst;
  const float* arranged;  // for backward
  const float* add;       // shaped like diff_src: added to it; or nullptr
  const float* mask;      // shaped like diff_src: where it is not positive, diff_src becomes 0; or nullptr
  float* diff_src;
  int64_t first, end;
  float* copy = nullptr;             // shaped like diff_src: each row is copied there past the caches; see StreamCopy
  const Between* between = nullptr;  // as above
  int64_t ahead = 0;                 // as above
};
void DepthwiseBackwardDataRows(const DepthwiseParams& params, const DepthwiseBackwardDataRowsArgs& args);

// Adds the weights' gradient by all images, one after another, to sums [K][K][C].
void AddDepthwiseWeightsGradient(const DepthwiseParams& params, const float* src, const float* diff_dst, float* sums);
// [C,1,K,K] from sums [K][K][C].
void ArrangeWeightsGradient(const DepthwiseParams& params, const float* sums, float* diff_weights);

}  // namespace pdarts::kernels
