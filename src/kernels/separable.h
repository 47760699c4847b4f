// A separable convolution with what stands around it, channels last, dense fp32: [normalise,] ReLU, depthwise, 1x1,
// batch statistics of the result; and all gradients of that. Idea: a few images at a time go through the whole chain
// while they are in the second cache, so of the whole batch only src and dst are read and written in memory; what the
// backward pass needs in between it computes again. Results do not depend on the number of threads. No buffer may
// overlap another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise.h"

namespace pdarts::kernels {

struct SeparableParams {
  DepthwiseParams depthwise;  // relu: the chain starts with one
  int64_t out;                // channels of dst [N, OutH, OutW, out]
  int lanes;                  // how many threads may work at once: each has scratch of its own
  float epsilon;              // of both normalisations
};

// A batch normalisation's constants, all [C] of what is normalised; mean nullptr: there is none.
struct Normalizer {
  const double* mean = nullptr;
  const double* variance = nullptr;
  const float* gamma = nullptr;  // nullptr for 1
  const float* beta = nullptr;   // nullptr for 0
};

struct SeparableForwardArgs {
  const float* src;  // [N, H, W, C], before its normalisation
  Normalizer norm;   // of src
  const float* depthwise_weights;
  const float* pointwise_weights;
  float* dst;
  double* mean;      // [out], of dst
  double* variance;  // [out], biased
  std::byte* scratch;
};
size_t SeparableForwardScratch(const SeparableParams& params, bool normalized);  // bytes
void SeparableForward(const SeparableParams& params, const SeparableForwardArgs& args);

// From the gradient with respect to the normalised dst.
struct SeparableBackwardArgs {
  const float* src;
  Normalizer norm;
  const float* depthwise_weights;
  const float* pointwise_weights;
  const float* src_mean;  // norm's, as floats, for the sums
  const float* src_variance;
  const float* dst;       // before its normalisation
  const float* dst_mean;  // [out]
  const float* dst_variance;
  const float* dst_gamma;         // nullptr for 1
  const float* diff_dst;          // with respect to dst after its normalisation
  const float* diff_gamma;        // [out]: sum of diff_dst * normalised dst
  const float* diff_beta;         // [out]: sum of diff_dst
  float factor;                   // of diff_dst and both sums: the weight in a mixed sum
  bool mask;                      // diff_src is with respect to the ReLU's input; else to its output
  float* diff_src;                // with respect to the normalised src
  float* diff_depthwise_weights;  // nullptr: no weights' gradients
  float* diff_pointwise_weights;
  float* src_diff_gamma;  // [C]: the same sums for the normalisation of src; nullptr where it has none
  float* src_diff_beta;
  std::byte* scratch;
};
size_t SeparableBackwardScratch(const SeparableParams& params);  // bytes
void SeparableBackward(const SeparableParams& params, const SeparableBackwardArgs& args);

}  // namespace pdarts::kernels
