// Separable convolutions that read the same tensor become branches of one node, which reads it once. Forward, the node
// stands in the place of the first of them. Backward, in the place of the last, as their gradients are terms of one
// sum: the node adds them up itself, and where nothing else is in the sum, it masks it with the ReLU's input as well.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "ops/op.h"
#include "ops/ops.h"
#include "passes/layout.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {
namespace {

using ir::Node;
using ir::NodeId;
using ir::OpKind;
using ir::ValueId;

// The attributes of both nodes that have an entry for each branch; paths come later, by sum_paths.
constexpr const char* kByBranch[] = {"stride", "pad", "dilation", "groups", "dst_affine", "index"};

using List = std::vector<int64_t>;

// How many inputs all branches share; the others belong to one each.
std::ptrdiff_t SharedInputs(const Node& node) {
  return static_cast<std::ptrdiff_t>(ir::Unpack<ops::SeparableAttributes>(node.attributes).source_inputs());
}

// What nodes must have in common: the attributes of no single branch, the shared inputs, and the sum of the gradients.
using Key = std::tuple<std::string, std::vector<ValueId>, NodeId>;

constexpr NodeId kNoSum = -1;  // forward

Key KeyOf(const Node& node, NodeId sum) {
  ir::Attributes attributes = node.attributes;
  for (const char* name : kByBranch)
    if (attributes.Has(name)) attributes.Set(name, List{});
  return {attributes.ToString(), {node.inputs.begin(), node.inputs.begin() + SharedInputs(node)}, sum};
}

// The attributes and inputs of the node that stands for all members, of the old graph.
struct Merged {
  ir::Attributes attributes;
  std::vector<ValueId> inputs;
};

Merged Merge(const ir::Graph& graph, const std::vector<NodeId>& members) {
  Merged merged{graph.node(members[0]).attributes, graph.node(members[0]).inputs};
  for (size_t i = 1; i < members.size(); ++i) {
    const Node& node = graph.node(members[i]);
    merged.inputs.insert(merged.inputs.end(), node.inputs.begin() + SharedInputs(node), node.inputs.end());
    for (const char* name : kByBranch) {
      if (!node.attributes.Has(name)) continue;
      List list = std::get<List>(merged.attributes.Get(name));
      const List& more = std::get<List>(node.attributes.Get(name));
      list.insert(list.end(), more.begin(), more.end());
      merged.attributes.Set(name, std::move(list));
    }
  }
  return merged;
}

class ForwardGrouper {
 public:
  explicit ForwardGrouper(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), live_(LiveNodes(graph)) {
    for (NodeId id = 0; id < static_cast<NodeId>(live_.size()); ++id)
      if (live_[id] != 0 && graph.node(id).kind == OpKind::kSeparable) Find(id);
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < static_cast<NodeId>(live_.size()); ++id) {
      if (const auto group = groups_.find(id); group != groups_.end() && group->second.size() > 1)
        Emit(group->second);
      else if (live_[id] != 0 && !gone_.contains(id))
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  // To the last group begun with this key, if all inputs stand before it or can; else it begins another.
  void Find(NodeId id) {
    const Node& node = graph_.node(id);
    NodeId& open = open_.try_emplace(KeyOf(node, kNoSum), id).first->second;
    const auto stands = [&](ValueId input) {
      const NodeId producer = graph_.value(input).producer;
      return producer < open || IsParameter(producer);
    };
    if (open != id && !std::ranges::all_of(node.inputs, stands)) open = id;
    groups_[open].push_back(id);
    if (open != id) gone_.insert(id);
  }

  // A leaf, or a stack of such.
  bool IsParameter(NodeId id) const {
    const Node& node = graph_.node(id);
    const auto is_leaf = [&](ValueId input) { return IsLeaf(graph_.node(graph_.value(input).producer).kind); };
    return IsLeaf(node.kind) || (node.kind == OpKind::kStack && std::ranges::all_of(node.inputs, is_leaf));
  }

  void CopyParameter(NodeId id) {
    if (graph_.node(id).kind == OpKind::kStack)
      for (ValueId input : graph_.node(id).inputs) rebuilder_.Copy(graph_.value(input).producer);
    rebuilder_.Copy(id);
  }

  // Parameters that are first read by a later member come with the group.
  void Emit(const std::vector<NodeId>& members) {
    Merged merged = Merge(graph_, members);
    for (ValueId& input : merged.inputs) {
      const NodeId producer = graph_.value(input).producer;
      if (IsParameter(producer)) CopyParameter(producer);
      input = rebuilder_.Map(input);
    }
    const ir::Graph::Scope scope(rebuilder_.graph(), graph_.node(members.front()).name);
    const auto outputs =
        ops::Emit(rebuilder_.graph(), OpKind::kSeparable, std::move(merged.attributes), std::move(merged.inputs));
    size_t next = 0;
    for (NodeId id : members)
      for (ValueId output : graph_.node(id).outputs) rebuilder_.Replace(output, outputs[next++]);
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  std::vector<char> live_;
  std::map<Key, NodeId> open_;                    // the first member
  std::map<NodeId, std::vector<NodeId>> groups_;  // by the first member
  std::set<NodeId> gone_;                         // the other members
};

class BackwardGrouper {
 public:
  explicit BackwardGrouper(const ir::Graph& graph) : graph_(graph), rebuilder_(graph), uses_(graph) {
    std::vector<NodeId> nodes;
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (!uses_.Live(id)) continue;
      const Node& node = graph.node(id);
      // A source's own normalisation is one convolution's: fuse_separable takes it where nothing else reads it.
      if (node.kind == OpKind::kSeparableBwd && node.attributes.Int("normalized") == 0) nodes.push_back(id);
    }
    std::map<Key, std::vector<NodeId>> candidates;
    for (NodeId id : nodes)
      if (const auto sum = uses_.OnlyReader(graph.node(id).outputs[0], OpKind::kAddN))
        candidates[KeyOf(graph.node(id), *sum)].push_back(id);
    for (auto& [key, members] : candidates) Take(std::get<NodeId>(key), std::move(members));
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < uses_.Nodes(); ++id) {
      if (const auto group = groups_.find(id); group != groups_.end())
        Emit(group->second);
      else if (uses_.Live(id) && !gone_.contains(id) && !DropTerms(graph_.node(id)))
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  struct Group {
    std::vector<NodeId> members;
    std::optional<NodeId> mask;  // the relu_bwd that it does itself
  };

  // A group of the candidates, but for those with a weights' gradient that is read before all have run; an unstack of
  // it waits for the group.
  void Take(NodeId sum, std::vector<NodeId> members) {
    const NodeId place = members.back();
    std::erase_if(members, [&](NodeId id) {
      return std::ranges::any_of(graph_.node(id).outputs, [&](ValueId output) {
        return std::ranges::any_of(uses_.Readers(output), [&](NodeId reader) {
          return reader <= place && !(IsUnstack(reader) && ReadAfter(reader, place));
        });
      });
    });
    if (members.size() < 2) return;
    for (NodeId id : members)
      for (ValueId output : graph_.node(id).outputs)
        for (NodeId reader : uses_.Readers(output))
          if (IsUnstack(reader)) gone_.insert(reader);
    Group group{members, MaskOf(graph_.node(sum), members)};
    gone_.insert(members.begin(), members.end());
    if (group.mask) {
      gone_.insert({sum, *group.mask});
    } else {
      for (size_t i = 1; i < members.size(); ++i) dropped_.insert(graph_.node(members[i]).outputs[0]);
    }
    groups_[place] = std::move(group);
  }

  bool IsUnstack(NodeId id) const { return graph_.node(id).kind == OpKind::kUnstack; }

  bool ReadAfter(NodeId id, NodeId place) const {
    const auto after = [&](NodeId reader) { return reader > place; };
    return std::ranges::all_of(uses_.Readers(graph_.node(id).outputs[0]), after);
  }

  // The relu_bwd that alone reads the sum of just these members, and masks it as their ReLU does.
  std::optional<NodeId> MaskOf(const Node& sum, const std::vector<NodeId>& members) const {
    const Node& first = graph_.node(members[0]);
    if (sum.inputs.size() != members.size() || first.attributes.Int("relu") == 0 || first.attributes.Int("mask") != 0)
      return std::nullopt;
    const auto mask = uses_.OnlyReader(sum.outputs[0], OpKind::kReluBwd);
    if (!mask || graph_.node(*mask).inputs[0] != sum.outputs[0]) return std::nullopt;
    const ValueId read = graph_.node(*mask).inputs[1], src = first.inputs[0];
    const Node& relu = graph_.node(graph_.value(read).producer);
    return read == src || (relu.kind == OpKind::kRelu && relu.inputs[0] == src) ? mask : std::nullopt;
  }

  void Emit(const Group& group) {
    Merged merged = Merge(graph_, group.members);
    for (ValueId& input : merged.inputs) input = rebuilder_.Map(input);
    if (group.mask) merged.attributes.Set("mask", int64_t{1});
    const ir::Graph::Scope scope(rebuilder_.graph(), graph_.node(group.members.front()).name);
    const auto outputs =
        ops::Emit(rebuilder_.graph(), OpKind::kSeparableBwd, std::move(merged.attributes), std::move(merged.inputs));
    size_t next = 0;
    rebuilder_.Replace(graph_.node(group.mask.value_or(group.members.front())).outputs[0], outputs[next++]);
    for (NodeId id : group.members) {
      const auto& own = graph_.node(id).outputs;
      for (auto output = own.begin() + 1; output != own.end(); ++output) {
        rebuilder_.Replace(*output, outputs[next++]);
        for (NodeId reader : uses_.Readers(*output))
          if (IsUnstack(reader)) rebuilder_.Copy(reader);
      }
    }
  }

  // In a sum, the first member's term stands for all.
  bool DropTerms(const Node& sum) { return sum.kind == OpKind::kAddN && ReplaceByRest(rebuilder_, sum, dropped_); }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  Uses uses_;
  std::map<NodeId, Group> groups_;  // by the last member
  std::set<NodeId> gone_;
  std::set<ValueId> dropped_;  // terms that are in another
};

}  // namespace

ir::Graph GroupSeparable(const ir::Graph& graph) { return BackwardGrouper(ForwardGrouper(graph).Run()).Run(); }

}  // namespace pdarts::passes
