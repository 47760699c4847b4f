// 1x1 convolutions, channels last: src [pixels, in], dst [pixels, out], pixels = N * H * W, weights [out, in], all
// dense fp32, any channel counts. That is a matrix product over the pixels. Results do not depend on the number of
// threads. No buffer may overlap another.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

struct PointwiseParams {
  int64_t pixels, in, out;  // pixels and channels
};

// Floats of scratch: forward and backward data; backward weights.
int64_t PointwiseScratch(const PointwiseParams& params);
int64_t PointwiseWeightsScratch(const PointwiseParams& params);

struct PointwiseForwardArgs {
  const float* src;
  const float* weights;
  float* dst;
  float* scratch;
};
// dst[p][o] = sum over i of src[p][i] * weights[o][i].
void PointwiseForward(const PointwiseParams& params, const PointwiseForwardArgs& args);

struct PointwiseBackwardDataArgs {
  const float* diff_dst;
  const float* weights;
  float* diff_src;
};
// diff_src[p][i] = sum over o of diff_dst[p][o] * weights[o][i].
void PointwiseBackwardData(const PointwiseParams& params, const PointwiseBackwardDataArgs& args);

struct PointwiseBackwardWeightsArgs {
  const float* src;
  const float* diff_dst;
  float* diff_weights;
  float* scratch;
};
// diff_weights[o][i] = sum over p of diff_dst[p][o] * src[p][i].
void PointwiseBackwardWeights(const PointwiseParams& params, const PointwiseBackwardWeightsArgs& args);

}  // namespace pdarts::kernels
