// Runs a graph node by node with the reference kernels, in the order it was built: no plan, no backend.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace pdarts::tests {

// Inputs by the name of kInput nodes, slots by the name of kReadSlot nodes. Returns every value of the graph by id.
std::vector<tensor::HostTensor> Interpret(const ir::Graph& graph,
                                          const std::map<std::string, tensor::HostTensor>& named);

// Values drawn from {-range..range} / scale, so that sums and products can be exact.
tensor::HostTensor RandomTensor(const tensor::TensorDesc& desc, uint32_t id, double range = 8, double scale = 8);

}  // namespace pdarts::tests
