#include "search/derivation_cases.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_number.h"
#include "search/derivation.h"

namespace pdarts::search {
namespace {

using nlohmann::json;

constexpr const char* kRemedy = "use derivation.json as it was made";

EdgeSwitches ReadSwitches(const json& rows) {
  EdgeSwitches switches;
  for (int e = 0; e < kEdges; ++e) {
    for (int op = 0; op < kSearchPrimitives; ++op) {
      if (rows.at(e).at(op).get<bool>()) switches[e].push_back(static_cast<Primitive>(op));
    }
  }
  return switches;
}

// One number for each operation that is on.
EdgeAlphas ReadAlphas(const json& rows, const EdgeSwitches& switches, const std::string& where) {
  EdgeAlphas alphas = rows.get<EdgeAlphas>();
  bool fit = alphas.size() == switches.size();
  for (size_t e = 0; fit && e < alphas.size(); ++e) {
    fit = alphas[e].size() == switches[e].size() &&
          std::ranges::all_of(alphas[e], [](double alpha) { return std::isfinite(alpha); });
  }
  if (!fit) throw base::DataError("alphas that do not fit the switches", where, kRemedy);
  return alphas;
}

std::vector<GenotypeEdge> ReadCell(const json& list) {
  std::vector<GenotypeEdge> edges;
  for (const json& item : list) {
    GenotypeEdge edge;
    // Stored as [input, name] or [name, input].
    const int name = item.at(0).is_string() ? 0 : 1;
    if (!ParsePrimitive(item.at(name).get<std::string>(), &edge.op)) return {};
    edge.input = base::WholeNumber<int>(item.at(1 - name));
    edges.push_back(edge);
  }
  return edges;
}

std::string CompareCells(const Genotype& genotype, const json& expected, const std::string& which) {
  if (genotype.normal != ReadCell(expected.at("normal"))) return which + ", normal cell";
  if (genotype.reduce != ReadCell(expected.at("reduce"))) return which + ", reduction cell";
  return "";
}

// "" where the case passes, else what differs first.
std::string CheckCase(const json& stored, const std::string& where) {
  constexpr int kDropped[] = {3, 2};
  Switches switches = Switches::All();
  const json& stages = stored.at("stages");
  for (int stage = 0; stage < 3; ++stage) {
    const json& record = stages.at(stage);
    const Alphas alphas{ReadAlphas(record.at("alphas_normal"), switches.normal, where),
                        ReadAlphas(record.at("alphas_reduce"), switches.reduce, where)};
    if (stage < 2) {
      switches = Prune(switches, alphas, kDropped[stage]);
      if (switches.normal != ReadSwitches(record.at("switches_normal_after")))
        return fmt::format("stage {}, normal cell", stage + 1);
      if (switches.reduce != ReadSwitches(record.at("switches_reduce_after")))
        return fmt::format("stage {}, reduction cell", stage + 1);
      continue;
    }
    const std::map<int, Genotype> cells = DeriveAll(switches, alphas);
    const auto& [skips, unrestricted] = *cells.rbegin();
    if (skips != base::WholeNumber<int>(stored.at("skip_connects_normal"))) return "the number of skip-connects";
    if (std::string failure = CompareCells(unrestricted, stored.at("genotype"), "unrestricted"); !failure.empty())
      return failure;
    const json& restricted = stored.at("restricted");
    if (restricted.size() + 1 != cells.size()) return "the limits M that apply";
    for (const auto& item : restricted.items()) {
      const std::string& limit = item.key();  // no structured binding: clang 14 lets no lambda use one
      const auto cell =
          std::ranges::find_if(cells, [&](const auto& known) { return std::to_string(known.first) == limit; });
      if (cell == cells.end()) return "the limits M that apply";
      if (std::string failure = CompareCells(cell->second, item.value(), "M = " + limit); !failure.empty())
        return failure;
    }
  }
  return "";
}

}  // namespace

DerivationCasesResult CheckDerivationCases(std::string_view text, const std::string& where) {
  DerivationCasesResult result;
  try {
    const json root = json::parse(text);
    for (const json& stored : root.at("cases")) {
      const std::string failure = CheckCase(stored, where);
      if (failure.empty()) ++result.passed;
      if (!failure.empty() && result.first_failure.empty())
        result.first_failure = fmt::format("case {}: {}", result.cases, failure);
      ++result.cases;
    }
  } catch (const json::exception& error) {
    throw base::DataError(fmt::format("not a file of derivation cases: {}", error.what()), where, kRemedy);
  }
  return result;
}

}  // namespace pdarts::search
