// Ops that stand for several others: the reference kernel is those others, as a graph of their own.
#pragma once

#include <span>

#include "ir/graph.h"

namespace pdarts::ops {

// Runs `body` node by node with the reference kernels. Its inputs are taken in the order they were added, its outputs
// are copied in order. Plain layouts.
void RunBody(const ir::Graph& body, std::span<const void* const> inputs, std::span<void* const> outputs);

}  // namespace pdarts::ops
