#include "search/derivation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"

namespace pdarts::search {
namespace {

void CheckShape(const EdgeSwitches& switches, const EdgeAlphas& alphas) {
  PD_CHECK(alphas.size() == kEdges, "{} rows", alphas.size());
  for (int e = 0; e < kEdges; ++e) {
    PD_CHECK(!switches[e].empty() && alphas[e].size() == switches[e].size(), "edge {}: {} alphas for {} operations", e,
             alphas[e].size(), switches[e].size());
    for (double alpha : alphas[e]) PD_CHECK(std::isfinite(alpha), "edge {}", e);
  }
}

EdgeSwitches PruneCell(const EdgeSwitches& switches, const EdgeAlphas& alphas, int dropped) {
  CheckShape(switches, alphas);
  const EdgeAlphas weights = SoftmaxRows(alphas);
  EdgeSwitches kept;
  for (int e = 0; e < kEdges; ++e) {
    PD_CHECK(dropped >= 0 && static_cast<size_t>(dropped) < switches[e].size(), "{} of {}", dropped,
             switches[e].size());
    std::vector<size_t> order(switches[e].size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](size_t i) { return weights[e][i]; });
    std::vector<size_t> left(order.begin() + dropped, order.end());
    std::ranges::sort(left);
    for (size_t i : left) kept[e].push_back(switches[e][i]);
  }
  return kept;
}

struct Choice {
  size_t column = 0;      // of the operation left on the edge
  double strength = 0.0;  // of the edge
};

// `weights` are softmax values, some set to zero by the skip restriction.
Choice Choose(const std::vector<Primitive>& ops, const std::vector<double>& weights) {
  Choice choice{ops.size(), 0.0};
  for (size_t i = 0; i < ops.size(); ++i) {
    if (ops[i] == Primitive::kNone) continue;
    choice.strength = std::max(choice.strength, weights[i]);
    // Of equal values the lower index is dropped first, so the last one stays.
    if (choice.column == ops.size() || weights[i] >= weights[choice.column]) choice.column = i;
  }
  PD_CHECK(choice.column < ops.size(), "only none is left");
  return choice;
}

struct ChosenCell {
  std::vector<GenotypeEdge> edges;
  std::vector<int> rows;  // of each edge, its row in the alphas
};

ChosenCell ChooseCell(const EdgeSwitches& switches, const EdgeAlphas& weights) {
  ChosenCell cell;
  for (int node = kCellInputs; node < kCellInputs + kCellNodes; ++node) {
    std::vector<int> rows;
    std::array<double, kEdges> strength{};
    for (int e = 0; e < kEdges; ++e) {
      if (kEdgeList[e].to != node) continue;
      rows.push_back(e);
      strength[e] = Choose(switches[e], weights[e]).strength;
    }
    std::ranges::sort(rows,
                      [&](int a, int b) { return strength[a] != strength[b] ? strength[a] > strength[b] : a > b; });
    rows.resize(2);
    std::ranges::sort(rows);
    for (int e : rows) {
      cell.edges.push_back({switches[e][Choose(switches[e], weights[e]).column], kEdgeList[e].from});
      cell.rows.push_back(e);
    }
  }
  return cell;
}

// The column of skip_connect on an edge that has it.
size_t SkipColumn(const std::vector<Primitive>& ops) {
  return static_cast<size_t>(std::ranges::find(ops, Primitive::kSkipConnect) - ops.begin());
}

// Nothing where a skip-connect beyond the limit is all that an edge offers.
std::optional<std::vector<GenotypeEdge>> RestrictedNormal(const EdgeSwitches& switches, const EdgeAlphas& alphas,
                                                          int max_skip) {
  CheckShape(switches, alphas);
  EdgeAlphas weights = SoftmaxRows(alphas);
  ChosenCell cell = ChooseCell(switches, weights);
  // A skip-connect set to zero can stay chosen only where all of its edge is zero; no edge is visited twice, so this
  // ends.
  while (SkipConnects(cell.edges) > max_skip) {
    int weakest = -1;
    for (size_t i = 0; i < cell.edges.size(); ++i) {
      if (cell.edges[i].op != Primitive::kSkipConnect) continue;
      const int row = cell.rows[i];
      const double value = weights[row][SkipColumn(switches[row])];
      if (weakest < 0 || value < weights[weakest][SkipColumn(switches[weakest])]) weakest = row;
    }
    double& value = weights[weakest][SkipColumn(switches[weakest])];
    if (value == 0.0) return std::nullopt;
    value = 0.0;
    cell = ChooseCell(switches, weights);
  }
  return cell.edges;
}

}  // namespace

EdgeAlphas SoftmaxRows(const EdgeAlphas& alphas) {
  EdgeAlphas weights = alphas;
  for (std::vector<double>& row : weights) {
    if (row.empty()) continue;
    const double top = *std::ranges::max_element(row);
    double sum = 0.0;
    for (double& value : row) sum += value = std::exp(value - top);
    for (double& value : row) value /= sum;
  }
  return weights;
}

Switches Prune(const Switches& switches, const Alphas& alphas, int dropped) {
  return {PruneCell(switches.normal, alphas.normal, dropped), PruneCell(switches.reduce, alphas.reduce, dropped)};
}

int SkipConnects(const std::vector<GenotypeEdge>& edges) {
  return static_cast<int>(std::ranges::count(edges, Primitive::kSkipConnect, &GenotypeEdge::op));
}

Genotype Derive(const Switches& switches, const Alphas& alphas) {
  return DeriveRestricted(switches, alphas, 2 * kCellNodes);
}

Genotype DeriveRestricted(const Switches& switches, const Alphas& alphas, int max_skip) {
  PD_CHECK(max_skip >= 0, "{}", max_skip);
  CheckShape(switches.reduce, alphas.reduce);
  Genotype genotype;
  auto normal = RestrictedNormal(switches.normal, alphas.normal, max_skip);
  if (!normal)
    throw base::DataError("an edge that the normal cell needs offers nothing but a skip-connect",
                          fmt::format("--max-skip {}", max_skip), "choose a larger limit");
  genotype.normal = std::move(*normal);
  genotype.reduce = ChooseCell(switches.reduce, SoftmaxRows(alphas.reduce)).edges;
  genotype.normal_concat = genotype.reduce_concat = {2, 3, 4, 5};
  return genotype;
}

std::map<int, Genotype> DeriveAll(const Switches& switches, const Alphas& alphas) {
  std::map<int, Genotype> all;
  const Genotype unrestricted = Derive(switches, alphas);
  const int skips = SkipConnects(unrestricted.normal);
  all[skips] = unrestricted;
  for (int m = skips - 1; m >= 0 && RestrictedNormal(switches.normal, alphas.normal, m); --m)
    all[m] = DeriveRestricted(switches, alphas, m);
  return all;
}

}  // namespace pdarts::search
