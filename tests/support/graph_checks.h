// What tests of the rewrites ask of a graph.
#pragma once

#include <map>
#include <string>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace pdarts::tests {

int Count(const ir::Graph& graph, ir::OpKind kind);  // its nodes of this kind

// CHECKs that both graphs' outputs are equal but for f64 rounding, by the reference kernels node by node, on random
// inputs where `named` has none.
void CheckSameValues(const ir::Graph& a, const ir::Graph& b, std::map<std::string, tensor::HostTensor> named = {});

// Of inputs that are called "rate" and "rng".
std::map<std::string, tensor::HostTensor> DropoutInputs(double rate);

}  // namespace pdarts::tests
