// How slots start, from the text in Slot::init, as PyTorch's layers do by default:
//   "zeros", "ones", "uniform_fan_in:N" = U(-1/sqrt(N), 1/sqrt(N)), "normal:SD".
#pragma once

#include <span>

#include "ir/graph.h"

namespace pdarts::nn {

// The start value of a slot: a function of the seed and the slot's name alone, so the order of building does not
// matter.
tensor::HostTensor InitialValue(const ir::Slot& slot, uint64_t seed);

}  // namespace pdarts::nn
