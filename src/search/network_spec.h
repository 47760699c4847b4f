// From what was searched to what nn builds.
#pragma once

#include "nn/spec.h"
#include "search/genotype.h"
#include "search/search_space.h"

namespace pdarts::search {

// The operations of each edge by name.
std::vector<std::vector<std::string>> OperationNames(const EdgeSwitches& edges);
EdgeSwitches SwitchesFromNames(const std::vector<std::vector<std::string>>& names,
                               const std::string& where);  // data error

// The network that the paper trains from a cell (section 4.3): for CIFAR10 20 cells of 36 initial channels, for
// ImageNet 14 of 48 and 1000 classes. Callers change what differs.
nn::EvaluationNetworkSpec EvaluationNetwork(const Genotype& genotype, nn::Macro macro = nn::Macro::kCifar);

}  // namespace pdarts::search
