// In which order the steps run.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "passes/layout.h"

namespace pdarts::passes {

// All nodes but the leaves, in the order they were built, as far as `before` allows. PD_CHECKs that there is an order.
std::vector<ir::NodeId> BuildOrder(const LaidOut& laid_out);

// Always the ready node that adds the fewest live bytes (what it makes, less what dies with it), ties by node id.
// `bytes` by value: 0 for what has memory of its own (slots, inputs).
std::vector<ir::NodeId> GreedyOrder(const LaidOut& laid_out, std::span<const size_t> bytes);

}  // namespace pdarts::passes
