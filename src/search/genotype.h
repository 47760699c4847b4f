// A pair of discovered cells, its text in the notation of DARTS, and its JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "search/search_space.h"

namespace pdarts::search {

struct GenotypeEdge {
  Primitive op = Primitive::kNone;
  int input = 0;  // 0 = c_{k-2}, 1 = c_{k-1}, 2.. = the cell's nodes

  bool operator==(const GenotypeEdge&) const = default;
};

// Two edges a node, in the nodes' order; the cell's output concatenates the inputs numbered in the concat lists.
struct Genotype {
  std::vector<GenotypeEdge> normal, reduce;
  std::vector<int> normal_concat, reduce_concat;

  bool operator==(const Genotype&) const = default;
};

inline int NodeCount(const std::vector<GenotypeEdge>& edges) { return static_cast<int>(edges.size()) / 2; }

// Throws a usage error unless each cell has 1 to 16 nodes of two edges, every input precedes its node, and the concat
// names at least one state, none twice, in range. `where` is for the message.
void Validate(const Genotype& genotype, const std::string& where);

// Parses "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=[2, 3, 4,
// 5])" in any order of fields and validates it. Throws a usage error that says the position (from 1) and what was
// expected.
Genotype ParseGenotype(std::string_view text);

// On one line, the concat as a list: what ParseGenotype reads, and Python too.
std::string ToString(const Genotype& genotype);

// {"normal": [["sep_conv_3x3", 0], ...], "normal_concat": [2, 3, 4, 5], "reduce": ..., "reduce_concat": ...}. Other
// keys are ignored. FromJson validates; throws a usage error naming `where`.
nlohmann::json ToJson(const Genotype& genotype);
Genotype GenotypeFromJson(const nlohmann::json& value, const std::string& where);

}  // namespace pdarts::search
