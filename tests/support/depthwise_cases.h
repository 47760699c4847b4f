// Depthwise passes by their definition, for the tests of their kernels.
#pragma once

#include <vector>

#include "kernels/depthwise.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels::test {

struct DepthwiseResults {
  std::vector<float> dst, diff_src, diff_weights;
  bool operator==(const DepthwiseResults&) const = default;
};

struct DepthwiseInputs {
  std::vector<float> src, weights, diff_dst;
};

// The definition, as loops.
inline DepthwiseResults Naive(const DepthwiseParams& p, const DepthwiseInputs& in) {
  DepthwiseResults out{std::vector<float>(in.diff_dst.size()), std::vector<float>(in.src.size()),
                       std::vector<float>(in.weights.size())};
  const int64_t k = p.kernel, out_h = p.OutH(), out_w = p.OutW();
  for (int64_t item = 0; item < p.n * out_h * out_w * p.c; ++item) {
    const int64_t c = item % p.c, x = item / p.c % out_w, y = item / p.c / out_w % out_h,
                  image = item / p.c / out_w / out_h;
    for (int64_t tap = 0; tap < k * k; ++tap) {
      const int64_t src_y = y * p.stride - p.pad + tap / k * p.dilation,
                    src_x = x * p.stride - p.pad + tap % k * p.dilation;
      if (src_y < 0 || src_y >= p.h || src_x < 0 || src_x >= p.w) continue;
      const int64_t at = ((image * p.h + src_y) * p.w + src_x) * p.c + c;
      out.dst[item] += in.weights[c * k * k + tap] * in.src[at];
      out.diff_weights[c * k * k + tap] += in.diff_dst[item] * in.src[at];
      out.diff_src[at] += in.weights[c * k * k + tap] * in.diff_dst[item];
    }
  }
  return out;
}

// Integers, so that all sums are exact.
inline DepthwiseInputs MakeInputs(const DepthwiseParams& p) {
  return {Integers(p.n * p.h * p.w * p.c, 1), Integers(p.c * p.kernel * p.kernel, 2),
          Integers(p.n * p.OutH() * p.OutW() * p.c, 3)};
}

// Padded so that stride 1 keeps the size.
inline DepthwiseParams Padded(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t kernel,
                              int64_t stride, int64_t dilation) {
  return {.n = images,
          .h = height,
          .w = width,
          .c = channels,
          .kernel = kernel,
          .stride = stride,
          .dilation = dilation,
          .pad = kernel / 2 * dilation};
}

}  // namespace pdarts::kernels::test
