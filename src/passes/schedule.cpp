#include "passes/schedule.h"

#include <algorithm>
#include <set>

namespace pdarts::passes {
namespace {

using ir::NodeId;
using ir::ValueId;

// Which nodes could run next.
class Ready {
 public:
  explicit Ready(const LaidOut& laid_out)
      : successors_(laid_out.graph.nodes().size()), missing_(laid_out.graph.nodes().size()) {
    const ir::Graph& graph = laid_out.graph;
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
      if (IsLeaf(graph.node(id).kind)) continue;
      ++steps_;
      for (ValueId input : graph.node(id).inputs) {
        const NodeId producer = graph.value(input).producer;
        if (!IsLeaf(graph.node(producer).kind)) AddEdge(producer, id);
      }
    }
    for (const auto& [first, second] : laid_out.before) AddEdge(first, second);
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id)
      if (missing_[id] == 0 && !IsLeaf(graph.node(id).kind)) nodes_.insert(id);
  }

  size_t steps() const { return steps_; }
  const std::set<NodeId>& nodes() const {
    PD_CHECK(!nodes_.empty(), "the steps wait for each other");
    return nodes_;
  }
  void Take(NodeId id) {
    nodes_.erase(id);
    for (NodeId successor : successors_[id])
      if (--missing_[successor] == 0) nodes_.insert(successor);
  }

 private:
  void AddEdge(NodeId first, NodeId second) {
    successors_[first].push_back(second);
    ++missing_[second];
  }

  std::vector<std::vector<NodeId>> successors_;
  std::vector<int> missing_;  // how many edges still wait, by node
  std::set<NodeId> nodes_;
  size_t steps_ = 0;
};

}  // namespace

std::vector<NodeId> BuildOrder(const LaidOut& laid_out) {
  Ready ready(laid_out);
  std::vector<NodeId> order;
  while (order.size() < ready.steps()) {
    order.push_back(*ready.nodes().begin());
    ready.Take(order.back());
  }
  return order;
}

std::vector<NodeId> GreedyOrder(const LaidOut& laid_out, std::span<const size_t> bytes) {
  const ir::Graph& graph = laid_out.graph;
  std::vector<int> uses(graph.values().size());
  for (const ir::Node& node : graph.nodes())
    for (ValueId input : node.inputs) ++uses[input];
  for (const auto& output : graph.outputs()) ++uses[output.second];

  const auto added_bytes = [&](NodeId id) {
    const ir::Node& node = graph.node(id);
    int64_t added = 0;
    for (ValueId output : node.outputs) added += static_cast<int64_t>(bytes[output]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto begin = node.inputs.begin(), here = begin + static_cast<std::ptrdiff_t>(i);
      if (std::find(begin, here, *here) != here) continue;
      if (std::count(begin, node.inputs.end(), *here) == uses[*here]) added -= static_cast<int64_t>(bytes[*here]);
    }
    return added;
  };

  Ready ready(laid_out);
  std::vector<NodeId> order;
  while (order.size() < ready.steps()) {
    NodeId best = -1;
    int64_t best_added = 0;
    for (NodeId id : ready.nodes()) {
      const int64_t added = added_bytes(id);
      if (best >= 0 && added >= best_added) continue;
      best = id;
      best_added = added;
    }
    order.push_back(best);
    ready.Take(best);
    for (ValueId input : graph.node(best).inputs) --uses[input];
  }
  return order;
}

}  // namespace pdarts::passes
