// Compiles and runs a graph on a backend, from plain tensors to plain tensors.
#pragma once

#include <map>
#include <string>

#include "device/backend.h"
#include "plan/plan.h"

namespace pdarts::tests {

// Inputs and slots by name (slots not given start as zeros); returns the graph's outputs by name.
std::map<std::string, tensor::HostTensor> RunOnBackend(const ir::Graph& graph, device::Backend& backend,
                                                       const std::map<std::string, tensor::HostTensor>& named,
                                                       const plan::CompileOptions& options = {});

}  // namespace pdarts::tests
