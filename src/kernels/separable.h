// Separable convolutions that read one tensor, with what stands around them, channels last, dense fp32: [normalise,]
// ReLU, then for each branch depthwise, 1x1, batch statistics of the result; and all gradients of that. Idea: a tile of
// a few images goes through the whole of it while it is in the second cache, all branches one after another, and within
// a tile the steps follow each other in bands of rows that stay in the first. So of the whole batch, memory sees src
// once, each branch's dst once, and the sum of the branches' gradients once; what the backward pass needs in between it
// computes again. Results do not depend on the number of threads. No buffer may overlap another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/depthwise.h"

namespace pdarts::kernels {

// A batch normalisation's constants, all [C] of what is normalised; mean nullptr: there is none.
struct Normalizer {
  const double* mean = nullptr;
  const double* variance = nullptr;
  const float* gamma = nullptr;  // nullptr for 1
  const float* beta = nullptr;   // nullptr for 0
};

// What the branches share.
struct SeparableSource {
  int64_t n, h, w, c;  // of src
  bool relu;           // the chain starts with one
  int lanes;           // how many threads may work at once: each has scratch of its own
  float epsilon;       // of all normalisations
  int64_t parts = 1;   // src is so many tensors [N, H, W, C / parts], their channels one after another; 1 if normalised
};

// One branch's sizes; n, h, w, c of `depthwise` are the source's.
struct SeparableBranch {
  DepthwiseParams depthwise;
  int64_t out;                  // channels of dst [N, OutH, OutW, out]
  bool pointwise_only = false;  // no depthwise convolution; `depthwise` has kernel 1, its weights are nullptr
  int64_t groups = 1;           // of the 1x1 convolution
};

// Depthwise weights are [C, K, K], those of the 1x1 convolution [out, C / groups].
struct SeparableForwardBranch {
  const float* depthwise_weights;
  const float* pointwise_weights;
  float* dst;
  double* mean;      // [out], of dst
  double* variance;  // [out], biased
};

struct SeparableForwardArgs {
  std::span<const float* const> src;  // its parts, before its normalisation
  Normalizer norm;                    // of src
  std::span<const SeparableForwardBranch> branches;
  std::byte* scratch;
};
size_t SeparableForwardScratch(const SeparableSource& source, std::span<const SeparableBranch> branches);  // bytes
void SeparableForward(const SeparableSource& source, std::span<const SeparableBranch> branches,
                      const SeparableForwardArgs& args);

// From the gradient with respect to the normalised dst.
struct SeparableBackwardBranch {
  const float* depthwise_weights;
  const float* pointwise_weights;
  const float* dst;        // before its normalisation
  const double* dst_mean;  // [out]
  const double* dst_variance;
  const float* dst_gamma;   // nullptr for 1
  const float* diff_dst;    // with respect to dst after its normalisation
  const float* diff_gamma;  // [out]: sum of diff_dst * normalised dst
  const float* diff_beta;   // [out]: sum of diff_dst
  float factor;             // of diff_dst and both sums: the weight in a mixed sum
  const double* factors;    // of diff_dst alone, for each sample, as drop path has them; nullptr for 1. 0: not read
  float* diff_depthwise_weights;
  float* diff_pointwise_weights;  // nullptr, in all branches: no weights' gradients
};

struct SeparableBackwardArgs {
  std::span<const float* const> src;
  Normalizer norm;
  std::span<const SeparableBackwardBranch> branches;
  int64_t samples;                   // that the factors are of: each is n / samples images, or rows of images
  bool mask;                         // diff_src is with respect to the ReLU's input; else to its output
  std::span<float* const> diff_src;  // its parts: the branches' sum, with respect to the normalised src
  float* src_diff_gamma;  // [C]: the sums of diff_src for the normalisation of src; nullptr where it has none
  float* src_diff_beta;
  std::byte* scratch;
};
size_t SeparableBackwardScratch(const SeparableSource& source, std::span<const SeparableBranch> branches);  // bytes
void SeparableBackward(const SeparableSource& source, std::span<const SeparableBranch> branches,
                       const SeparableBackwardArgs& args);

}  // namespace pdarts::kernels
