// What tests of the rewrites ask of a graph.
#pragma once

#include "ir/graph.h"

namespace pdarts::tests {

int Count(const ir::Graph& graph, ir::OpKind kind);  // its nodes of this kind

// CHECKs that both graphs' outputs are equal but for f64 rounding, by the reference kernels node by node, on random
// inputs.
void CheckSameValues(const ir::Graph& a, const ir::Graph& b);

}  // namespace pdarts::tests
