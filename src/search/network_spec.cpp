#include "search/network_spec.h"

#include "base/error.h"

namespace pdarts::search {
namespace {

nn::CellSpec CellOf(const std::vector<GenotypeEdge>& edges, const std::vector<int>& concat) {
  nn::CellSpec cell;
  for (const GenotypeEdge& edge : edges) cell.edges.push_back({Name(edge.op), edge.input});
  cell.concat = concat;
  return cell;
}

}  // namespace

std::vector<std::vector<std::string>> OperationNames(const EdgeSwitches& edges) {
  std::vector<std::vector<std::string>> names;
  for (const std::vector<Primitive>& edge : edges) {
    std::vector<std::string>& row = names.emplace_back();
    for (Primitive primitive : edge) row.emplace_back(Name(primitive));
  }
  return names;
}

EdgeSwitches SwitchesFromNames(const std::vector<std::vector<std::string>>& names, const std::string& where) {
  EdgeSwitches edges;
  if (names.size() != edges.size())
    throw base::DataError(fmt::format("{} edges instead of {}", names.size(), edges.size()), where,
                          "the record is damaged");
  for (size_t e = 0; e < edges.size(); ++e)
    for (const std::string& name : names[e]) {
      Primitive primitive{};
      if (!ParsePrimitive(name, &primitive))
        throw base::DataError(fmt::format("no operation is called '{}'", name), where, "the record is damaged");
      edges[e].push_back(primitive);
    }
  return edges;
}

nn::EvaluationNetworkSpec EvaluationNetwork(const Genotype& genotype, nn::Macro macro) {
  nn::EvaluationNetworkSpec spec{.normal = CellOf(genotype.normal, genotype.normal_concat),
                                 .reduce = CellOf(genotype.reduce, genotype.reduce_concat),
                                 .macro = macro};
  if (macro == nn::Macro::kImageNet) spec.cells = 14, spec.channels = 48, spec.classes = 1000;
  return spec;
}

}  // namespace pdarts::search
