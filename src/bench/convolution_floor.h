// The convolution floor: all convolutions of a step, run alone, by the fastest kernel the binary has for each.
#pragma once

#include <string>
#include <vector>

#include "device/backend.h"

namespace pdarts::bench {

// One shape of convolution in one of its three passes.
struct FloorRow {
  std::string name;           // "conv2d_bwd_data 96x16x32x32 16x1x3x3 dilation 2 groups 16": shapes of src and weights
  int64_t calls = 0;          // in the step
  std::string kernel;         // the fastest
  double ms = 0;              // one call of it, its operands still in cache where they fit
  double unreordered_ms = 0;  // one call of the fastest that takes and makes tensors as plans lay them
  double chosen_ms = 0;       // one call of the kernel that plans use
  double flops = 0;           // of one call
};

struct ConvolutionFloor {
  double ms = 0;      // all of them one after another; operands come from memory, as they lie in 2 x 256 MB in turn
  double hot_ms = 0;  // the sum of the rows: no kernel waits for memory that the last level of cache can hold
  std::vector<FloorRow> rows;  // longest in sum first
};

// `graph`: a step as it is built, before any pass. Kernels that the library itself calls a reference are left out.
ConvolutionFloor MeasureConvolutionFloor(const ir::Graph& graph, device::Backend& backend);

}  // namespace pdarts::bench
