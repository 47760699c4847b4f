// Convolutions from few channels, the stems of the networks: src [N,H,W,C] with C <= kMaxNarrowChannels, dst
// [N,OH,OW,O], channels last, dense fp32, weights [O,C,K,K]. The sums are doubles: the rounding of the first layer goes
// through every layer after it, and here double costs little. Results do not depend on the number of threads. No buffer
// may overlap another.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

constexpr int64_t kMaxNarrowChannels = 4;

struct NarrowParams {
  int64_t n, h, w, c;  // of src
  int64_t out, kernel, stride = 1, pad = 0;

  int64_t OutH() const { return (h + 2 * pad - kernel) / stride + 1; }
  int64_t OutW() const { return (w + 2 * pad - kernel) / stride + 1; }
};

struct NarrowForwardArgs {
  const float* src;
  const float* weights;
  float* dst;
  double* scratch;  // NarrowScratch doubles
};

int64_t NarrowScratch(const NarrowParams& params);
void NarrowForward(const NarrowParams& params, const NarrowForwardArgs& args);

}  // namespace pdarts::kernels
