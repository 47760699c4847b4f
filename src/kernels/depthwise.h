// Depthwise convolution, channels last: src [N,H,W,C], dst [N,OH,OW,C], weights [C,1,K,K] (plain), all dense fp32, any
// C >= 1. dst[n][y][x][c] = sum over i, j of weights[c][i][j] * src[n][y * stride - pad + i * dilation][x * stride -
// pad + j * dilation][c], src being zero outside the image. Results do not depend on the number of threads. No buffer
// may overlap another.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

constexpr int64_t kMaxDepthwiseKernel = 15;

struct DepthwiseParams {
  int64_t n, h, w, c;  // of src
  int64_t kernel;  // K, 1 to kMaxDepthwiseKernel; 3, 5 and 7 with stride and dilation 1 or 2 (7: dilation 1) are fast
  int64_t stride = 1, dilation = 1, pad = 0;
  bool relu = false;  // the convolution reads max(src, 0)

  int64_t OutH() const { return (h + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
  int64_t OutW() const { return (w + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
};

struct DepthwiseForwardArgs {
  const float* src;
  const float* weights;
  float* dst;
  float* scratch;  // DepthwiseScratch(params) floats
};

// diff_src is the gradient with respect to src before the ReLU; src is read only where relu, and may be null otherwise.
struct DepthwiseBackwardDataArgs {
  const float* diff_dst;
  const float* weights;
  const float* src;
  float* diff_src;  // overwritten
  float* scratch;   // DepthwiseScratch(params) floats
};

struct DepthwiseBackwardWeightsArgs {
  const float* src;
  const float* diff_dst;
  float* diff_weights;  // [C,1,K,K], overwritten
  float* scratch;       // DepthwiseWeightsScratch(params) floats
};

int64_t DepthwiseScratch(const DepthwiseParams& params);         // K * K * C
int64_t DepthwiseWeightsScratch(const DepthwiseParams& params);  // N * K * K * C

void DepthwiseForward(const DepthwiseParams& params, const DepthwiseForwardArgs& args);
void DepthwiseBackwardData(const DepthwiseParams& params, const DepthwiseBackwardDataArgs& args);
void DepthwiseBackwardWeights(const DepthwiseParams& params, const DepthwiseBackwardWeightsArgs& args);

}  // namespace pdarts::kernels
