// The entry points that are compiled once per instruction set, as tables of function pointers. Each works on a range of
// items and is called from ParallelFor by baseline code, so that no std:: code is compiled for a newer set.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace pdarts::kernels {

// One row of a depthwise pass: `count` dst pixels, `dst_step` floats apart, gather `taps` neighbours of each of `rows`
// src rows.
struct DepthwiseRow {
  const float* src[16];      // the rows' pixel 0, [src_width][channels]; at most kMaxDepthwiseKernel rows
  const float* weights[16];  // each row's taps in ascending src position, [taps][channels]
  const float* mask;         // nullptr, or a row shaped and strided like dst: dst becomes 0 where it is not positive
  float* dst;
  int64_t rows, taps, stride, dilation;
  int64_t first;  // src pixel of dst pixel 0's first tap; may be negative
  int64_t src_width, channels, count, dst_step;
  float floor;  // src is read as max(src, floor): 0 for a fused ReLU, -inf for none
};

// One row of a depthwise backward-weights pass: sums[t][c] += sum over p of diff_dst[p][c] * src[first + p * stride + t
// * dilation][c].
struct DepthwiseWeightsRow {
  const float* src;       // [src_width][channels]
  const float* diff_dst;  // [count][channels]
  float* sums;            // [taps][channels]
  int64_t taps, stride, dilation, first, src_width, channels, count;
  float floor;
};

struct DepthwiseTable {
  void (*row)(const DepthwiseRow&);
  void (*weights_row)(const DepthwiseWeightsRow&);
};

}  // namespace pdarts::kernels

// Declares the three instances of a table; PD_KERNEL_TABLE(name) is the one of the active set.
#define PD_DECLARE_TABLE(Type, name)  \
  namespace pdarts::kernels::scalar { \
  extern const Type name;             \
  }                                   \
  namespace pdarts::kernels::avx2 {   \
  extern const Type name;             \
  }                                   \
  namespace pdarts::kernels::avx512 { \
  extern const Type name;             \
  }
#define PD_KERNEL_TABLE(name)                                                                          \
  (::pdarts::kernels::ActiveIsa() == ::pdarts::kernels::Isa::kAvx512 ? ::pdarts::kernels::avx512::name \
   : ::pdarts::kernels::ActiveIsa() == ::pdarts::kernels::Isa::kAvx2 ? ::pdarts::kernels::avx2::name   \
                                                                     : ::pdarts::kernels::scalar::name)

PD_DECLARE_TABLE(DepthwiseTable, kDepthwise)
