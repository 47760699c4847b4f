// Pooling, channels last: src [N,H,W,C], dst [N,OH,OW,C], dense fp32, any C. Windows are square; padding is never
// counted. Results do not depend on the number of threads. No buffer may overlap another.
#pragma once

#include <cstdint>

namespace pdarts::kernels {

constexpr int64_t kMaxPoolKernel = 15;  // a tap's number fits into a byte

struct PoolParams {
  int64_t n, h, w, c;                   // of src
  int64_t kernel, stride = 1, pad = 0;  // pad <= kernel / 2, so that no window is empty

  int64_t OutH() const { return (h + 2 * pad - kernel) / stride + 1; }
  int64_t OutW() const { return (w + 2 * pad - kernel) / stride + 1; }
};

// workspace [N,OH,OW,C]: the winning tap, row * kernel + column within the window. The first largest in row-major order
// wins; a NaN wins over numbers and over earlier NaNs, as in PyTorch. workspace may be null where no backward follows.
void MaxPoolForward(const PoolParams& params, const float* src, float* dst, uint8_t* workspace);
void MaxPoolBackward(const PoolParams& params, const float* diff_dst, const uint8_t* workspace, float* diff_src);

// dst = sum over the window's pixels inside the image / their number (count_include_pad = false). Where a sum
// overflows, dst is infinite or NaN.
void AveragePoolForward(const PoolParams& params, const float* src, float* dst);
void AveragePoolBackward(const PoolParams& params, const float* diff_dst, float* diff_src);

// [N, pixels, C] -> [N, C], the mean over pixels = H * W, and its backward.
void GlobalAveragePoolForward(const float* src, int64_t n, int64_t pixels, int64_t channels, float* dst);
void GlobalAveragePoolBackward(const float* diff_dst, int64_t n, int64_t pixels, int64_t channels, float* diff_src);

}  // namespace pdarts::kernels
