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

nn::CellSpec NormalCell(const Genotype& genotype);
nn::CellSpec ReduceCell(const Genotype& genotype);

}  // namespace pdarts::search
