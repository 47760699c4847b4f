#include "passes/layout.h"

#include <map>

#include "ops/op.h"
#include "passes/rebuild.h"

namespace pdarts::passes {
namespace {

using device::KernelSpec;
using ir::NodeId;
using ir::OpKind;
using ir::ValueId;
using tensor::Layout;

using Proposals = std::vector<std::vector<KernelSpec>>;  // by node

enum class Order { kBytesFirst, kCostFirst };

class Assigner {
 public:
  Assigner(const ir::Graph& graph, device::Backend& backend, const Proposals& proposals, Order order)
      : graph_(graph), backend_(backend), proposals_(proposals), order_(order), wants_plain_(graph.values().size()) {
    for (const auto& assignment : graph.assignments()) wants_plain_[assignment.second] = 1;
    for (const auto& output : graph.outputs()) wants_plain_[output.second] = 1;
    for (const ir::Slot& slot : graph.slots()) result_.graph.AddSlot(slot);
    map_.resize(graph.values().size());
  }

  // Bytes moved and the kernels' cost, after Run: what is to be small.
  std::pair<size_t, double> Score() const { return {bytes_, cost_}; }

  LaidOut Run() {
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes().size()); ++id) {
      if (IsLeaf(graph_.node(id).kind))
        AddLeaf(id);
      else
        AddStep(id, Choose(id));
    }
    std::vector<ValueId> assigned, outputs;
    for (const auto& assignment : graph_.assignments()) assigned.push_back(In(assignment.second, Layout::kPlain));
    for (const auto& output : graph_.outputs()) outputs.push_back(In(output.second, Layout::kPlain));
    PlaceAssignments(graph_, assigned, outputs, backend_, result_);
    return std::move(result_);
  }

 private:
  Layout LayoutOf(ValueId old) const { return result_.layouts[map_[old]]; }

  bool HasLayout(ValueId old, Layout layout) const {
    return LayoutOf(old) == layout || reordered_.contains({map_[old], layout});
  }

  KernelSpec Choose(NodeId id) {
    const ir::Node& node = graph_.node(id);
    const std::vector<KernelSpec>& proposals = proposals_[id];
    size_t best = 0, best_bytes = 0;
    for (size_t p = 0; p < proposals.size(); ++p) {
      const KernelSpec& spec = proposals[p];
      PD_CHECK(spec.input_layouts.size() == node.inputs.size() && spec.output_layouts.size() == node.outputs.size(),
               "{}: layouts of {}", spec.name, ir::Name(node.kind));
      size_t bytes = 0;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (!HasLayout(node.inputs[i], spec.input_layouts[i]))
          bytes += backend_.Bytes(graph_.desc(node.inputs[i]), spec.input_layouts[i]);
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (wants_plain_[node.outputs[i]] && spec.output_layouts[i] != Layout::kPlain)
          bytes += graph_.desc(node.outputs[i]).bytes();
      const double cost = proposals[best].cost;
      const bool better = order_ == Order::kBytesFirst ? std::pair(bytes, spec.cost) < std::pair(best_bytes, cost)
                                                       : std::pair(spec.cost, bytes) < std::pair(cost, best_bytes);
      if (p > 0 && !better) continue;
      best = p;
      best_bytes = bytes;
    }
    cost_ += proposals[best].cost;
    return proposals[best];
  }

  void Append(const ir::Node& node, std::vector<ValueId> inputs, KernelSpec spec) {
    std::vector<tensor::TensorDesc> descs;
    for (ValueId output : node.outputs) descs.push_back(graph_.desc(output));
    const ir::Graph::Scope scope(result_.graph, node.name);
    const size_t nodes = result_.graph.nodes().size();
    const std::vector<ValueId> outputs = result_.graph.AddNode(node.kind, node.attributes, std::move(inputs), descs);
    PD_CHECK(result_.graph.nodes().size() == nodes + 1, "{} twice in one graph", ir::Name(node.kind));
    for (size_t i = 0; i < outputs.size(); ++i) map_[node.outputs[i]] = outputs[i];
    result_.layouts.insert(result_.layouts.end(), spec.output_layouts.begin(), spec.output_layouts.end());
    result_.specs.push_back(std::move(spec));
  }

  void AddLeaf(NodeId id) {
    const ir::Node& node = graph_.node(id);
    KernelSpec spec;
    spec.output_layouts = {node.kind == OpKind::kInput ? static_cast<Layout>(node.attributes.Int("layout"))
                                                       : Layout::kPlain};
    Append(node, {}, std::move(spec));
  }

  void AddStep(NodeId id, KernelSpec spec) {
    const ir::Node& node = graph_.node(id);
    std::vector<ValueId> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(In(node.inputs[i], spec.input_layouts[i]));
    Append(node, std::move(inputs), std::move(spec));
  }

  bool IsWeight(ValueId old) const {
    const OpKind kind = graph_.node(graph_.value(old).producer).kind;
    return kind == OpKind::kReadSlot || kind == OpKind::kConv2dBwdWeights || kind == OpKind::kLinearBwdWeights;
  }

  // The value in the layout wanted, reordered if nobody needed that before.
  ValueId In(ValueId old, Layout layout) {
    const Layout has = LayoutOf(old);
    if (has == layout) return map_[old];
    const auto [it, is_new] = reordered_.try_emplace({map_[old], layout});
    if (!is_new) return it->second;

    ir::Attributes attributes;
    attributes.Set("from", static_cast<int64_t>(has));
    attributes.Set("to", static_cast<int64_t>(layout));
    const tensor::TensorDesc desc = graph_.desc(old);
    const ir::Graph::Scope scope(result_.graph, graph_.node(graph_.value(old).producer).name);
    it->second = result_.graph.AddNode(OpKind::kReorder, std::move(attributes), {map_[old]}, {&desc, 1})[0];
    const auto reorder = static_cast<NodeId>(result_.graph.nodes().size() - 1);
    KernelSpec spec = backend_.Propose(result_.graph, reorder).at(0);
    PD_CHECK(spec.input_layouts[0] == has && spec.output_layouts[0] == layout, "{} reorders otherwise", spec.name);
    result_.specs.push_back(std::move(spec));
    result_.layouts.push_back(layout);

    const size_t bytes = backend_.Bytes(desc, layout);
    bytes_ += bytes;
    (IsWeight(old) ? result_.reorders.weights : result_.reorders.activations) += 1;
    (IsWeight(old) ? result_.reorders.weight_bytes : result_.reorders.activation_bytes) += bytes;
    return it->second;
  }

  const ir::Graph& graph_;
  device::Backend& backend_;
  const Proposals& proposals_;
  Order order_;
  size_t bytes_ = 0;
  double cost_ = 0;
  LaidOut result_;
  std::vector<ValueId> map_;                                 // old value to new
  std::map<std::pair<ValueId, Layout>, ValueId> reordered_;  // new value and layout to the reordered one
  std::vector<char> wants_plain_;                            // by old value
};

}  // namespace

LaidOut AssignLayouts(const ir::Graph& graph, device::Backend& backend) {
  Proposals proposals(graph.nodes().size());
  for (NodeId id = 0; id < static_cast<NodeId>(proposals.size()); ++id) {
    if (IsLeaf(graph.node(id).kind)) continue;
    proposals[id] = backend.Propose(graph, id);
    PD_CHECK(!proposals[id].empty(), "{} proposes nothing for {}", backend.Name(), ir::Name(graph.node(id).kind));
  }
  Assigner by_bytes(graph, backend, proposals, Order::kBytesFirst),
      by_cost(graph, backend, proposals, Order::kCostFirst);
  LaidOut frugal = by_bytes.Run(), cheap = by_cost.Run();
  LaidOut result = by_bytes.Score() < by_cost.Score() ? std::move(frugal) : std::move(cheap);
  ir::Verify(result.graph);
  return result;
}

}  // namespace pdarts::passes
