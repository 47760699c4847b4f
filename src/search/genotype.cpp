#include "search/genotype.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace pdarts::search {
namespace {

constexpr int kMaxNodes = 16;

void ValidateCell(const std::vector<GenotypeEdge>& edges, const std::vector<int>& concat, const char* cell,
                  const std::string& where) {
  const auto fail = [&](const std::string& what) {
    throw base::UsageError(fmt::format("the {} cell {}", cell, what), where, "correct the genotype");
  };
  if (edges.empty() || edges.size() % 2 != 0) fail(fmt::format("has {} edges; two a node are needed", edges.size()));
  if (NodeCount(edges) > kMaxNodes)
    fail(fmt::format("has {} nodes; at most {} are supported", NodeCount(edges), kMaxNodes));
  for (size_t i = 0; i < edges.size(); ++i) {
    const int state = kCellInputs + static_cast<int>(i / 2);
    if (edges[i].input < 0 || edges[i].input >= state) {
      fail(fmt::format("'s edge {} takes input {}; its node can take 0 to {}", i, edges[i].input, state - 1));
    }
  }
  if (concat.empty()) fail("concatenates nothing");
  const int states = kCellInputs + NodeCount(edges);
  for (size_t i = 0; i < concat.size(); ++i) {
    if (concat[i] < 0 || concat[i] >= states)
      fail(fmt::format("concatenates {}; it has 0 to {}", concat[i], states - 1));
    if (std::find(concat.begin(), concat.begin() + i, concat[i]) != concat.begin() + i) {
      fail(fmt::format("concatenates {} twice", concat[i]));
    }
  }
}

std::string CellText(const std::vector<GenotypeEdge>& edges) {
  std::vector<std::string> items;
  for (const GenotypeEdge& edge : edges) items.push_back(fmt::format("('{}', {})", Name(edge.op), edge.input));
  return fmt::format("{}", fmt::join(items, ", "));
}

nlohmann::json CellJson(const std::vector<GenotypeEdge>& edges) {
  nlohmann::json list = nlohmann::json::array();
  for (const GenotypeEdge& edge : edges) list.push_back({Name(edge.op), edge.input});
  return list;
}

const nlohmann::json& ListField(const nlohmann::json& value, const char* key, const std::string& where) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_array()) {
    throw base::UsageError(fmt::format("the genotype has no list \"{}\"", key), where,
                           "give normal, normal_concat, reduce, reduce_concat");
  }
  return *found;
}

int SmallNumber(const nlohmann::json& value, const char* key, const std::string& where) {
  if (!value.is_number_integer() || value < -1 || value > 1000) {
    throw base::UsageError(fmt::format("\"{}\" holds something other than an index", key), where,
                           "give input indices from 0");
  }
  return value.get<int>();
}

std::vector<GenotypeEdge> CellFromJson(const nlohmann::json& value, const char* key, const std::string& where) {
  std::vector<GenotypeEdge> edges;
  for (const nlohmann::json& item : ListField(value, key, where)) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_string()) {
      throw base::UsageError(fmt::format("\"{}\" holds something other than [operation, input]", key), where,
                             "correct the genotype");
    }
    GenotypeEdge edge;
    const std::string name = item[0].get<std::string>();
    if (!ParsePrimitive(name, &edge.op)) {
      throw base::UsageError(fmt::format("unknown operation '{}'", name), where,
                             fmt::format("use one of {}", fmt::join(PrimitiveNames(), ", ")));
    }
    edge.input = SmallNumber(item[1], key, where);
    edges.push_back(edge);
  }
  return edges;
}

std::vector<int> ConcatFromJson(const nlohmann::json& value, const char* key, const std::string& where) {
  std::vector<int> concat;
  for (const nlohmann::json& item : ListField(value, key, where)) concat.push_back(SmallNumber(item, key, where));
  return concat;
}

}  // namespace

void Validate(const Genotype& genotype, const std::string& where) {
  ValidateCell(genotype.normal, genotype.normal_concat, "normal", where);
  ValidateCell(genotype.reduce, genotype.reduce_concat, "reduction", where);
}

std::string ToString(const Genotype& genotype) {
  return fmt::format("Genotype(normal=[{}], normal_concat=[{}], reduce=[{}], reduce_concat=[{}])",
                     CellText(genotype.normal), fmt::join(genotype.normal_concat, ", "), CellText(genotype.reduce),
                     fmt::join(genotype.reduce_concat, ", "));
}

nlohmann::json ToJson(const Genotype& genotype) {
  return {{"normal", CellJson(genotype.normal)},
          {"normal_concat", genotype.normal_concat},
          {"reduce", CellJson(genotype.reduce)},
          {"reduce_concat", genotype.reduce_concat}};
}

Genotype GenotypeFromJson(const nlohmann::json& value, const std::string& where) {
  if (!value.is_object())
    throw base::UsageError("the genotype is not a JSON object", where, "see `pdarts derive`'s genotype.json");
  Genotype genotype;
  genotype.normal = CellFromJson(value, "normal", where);
  genotype.normal_concat = ConcatFromJson(value, "normal_concat", where);
  genotype.reduce = CellFromJson(value, "reduce", where);
  genotype.reduce_concat = ConcatFromJson(value, "reduce_concat", where);
  Validate(genotype, where);
  return genotype;
}

}  // namespace pdarts::search
