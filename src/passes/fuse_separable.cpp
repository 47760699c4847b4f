#include <algorithm>
#include <map>

#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"
#include "passes/separable_match.h"

namespace pdarts::passes {
namespace {

using ir::NodeId;
using ir::OpKind;
using ir::ValueId;

class SeparableFuser {
 public:
  explicit SeparableFuser(const ir::Graph& graph)
      : graph_(graph), rebuilder_(graph), matcher_(graph), gone_(graph.nodes().size()) {
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id)
      if (const auto match = matcher_.Match(id)) Take(*match);
  }

  ir::Graph Run() {
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes().size()); ++id) {
      if (const auto forward = forward_.find(id); forward != forward_.end())
        EmitForward(forward->second);
      else if (const auto backward = backward_.find(id); backward != backward_.end())
        EmitBackward(backward->second);
      else if (!gone_[id] && !ReadReluInput(id))
        rebuilder_.Copy(id);
    }
    return rebuilder_.Finish();
  }

 private:
  void Take(const SeparableMatch& match) {
    forward_[match.pointwise] = match;
    if (match.norm_data != kNoNode) backward_[match.norm_data] = match;
    for (NodeId id :
         {match.statistics, match.pointwise, match.depthwise, match.norm_data, match.pointwise_data,
          match.pointwise_weights, match.depthwise_data, match.depthwise_weights, match.relu_bwd, match.norm_sums})
      if (id != kNoNode) gone_[id] = true;
  }

  // The inputs as far as both nodes share them, and the flags that say which there are.
  std::vector<ValueId> Source(const SeparableMatch& match, ops::SeparableAttributes& a) const {
    const bool separable = match.depthwise != kNoNode;
    const ir::Node &pointwise = graph_.node(match.pointwise),
                   &first = separable ? graph_.node(match.depthwise) : pointwise;
    const auto conv = ir::Unpack<ops::ConvAttributes>(first.attributes);
    a.stride = {separable ? conv.stride_h : 0}, a.pad = {conv.pad_h}, a.dilation = {conv.dilation};
    a.groups = {pointwise.attributes.Int("groups")};
    a.relu = match.relu != kNoNode;
    a.normalized = match.apply != kNoNode;
    std::vector<ValueId> inputs = {match.relu != kNoNode ? graph_.node(match.relu).inputs[0] : first.inputs[0]};
    if (match.apply != kNoNode) {
      const ir::Node& apply = graph_.node(match.apply);
      a.affine = apply.inputs.size() == 5;
      a.epsilon = std::get<double>(apply.attributes.Get("epsilon"));
      inputs = apply.inputs;
    }
    if (separable) inputs.push_back(first.inputs[1]);
    inputs.push_back(pointwise.inputs[1]);
    return inputs;
  }

  std::vector<ValueId> Mapped(std::vector<ValueId> values) const {
    for (ValueId& value : values) value = rebuilder_.Map(value);
    return values;
  }

  void EmitForward(const SeparableMatch& match) {
    const ir::Node& pointwise = graph_.node(match.pointwise);
    ops::SeparableAttributes a;
    const std::vector<ValueId> inputs = Mapped(Source(match, a));
    const ir::Graph::Scope scope(rebuilder_.graph(), pointwise.name);
    const auto outputs = ops::Separable(rebuilder_.graph(), inputs, a);
    rebuilder_.Replace(pointwise.outputs[0], outputs[0]);
    if (match.statistics == kNoNode) return;
    const ir::Node& statistics = graph_.node(match.statistics);
    rebuilder_.Replace(statistics.outputs[0], outputs[1]);
    rebuilder_.Replace(statistics.outputs[1], outputs[2]);
  }

  void EmitBackward(const SeparableMatch& match) {
    const ir::Node& norm = graph_.node(match.norm_data);
    ops::SeparableBwdAttributes a;
    std::vector<ValueId> inputs = Source(match, a);
    inputs.insert(inputs.end(), norm.inputs.begin(), norm.inputs.end());
    const auto norm_attributes = ir::Unpack<ops::BatchNormBwdDataAttributes>(norm.attributes);
    a.epsilon = norm_attributes.epsilon;
    a.index = {norm_attributes.index};
    a.dst_affine = {norm.inputs.size() - (norm_attributes.index >= 0) == 7};
    a.mask = match.relu_bwd != kNoNode;
    a.weights = match.pointwise_weights != kNoNode;
    const ir::Graph::Scope scope(rebuilder_.graph(), norm.name);
    const auto outputs = ops::SeparableBwd(rebuilder_.graph(), Mapped(std::move(inputs)), a);

    size_t next = 0;
    const auto replace = [&](NodeId id, int output) {
      rebuilder_.Replace(graph_.node(id).outputs[output], outputs[next++]);
    };
    const bool separable = match.depthwise != kNoNode;
    replace(a.mask != 0 ? match.relu_bwd : separable ? match.depthwise_data : match.pointwise_data, 0);
    if (a.normalized != 0) replace(match.norm_sums, 0), replace(match.norm_sums, 1);
    if (a.weights != 0 && separable) replace(match.depthwise_weights, 0);
    if (a.weights != 0) replace(match.pointwise_weights, 0);
  }

  // relu_bwd reads the ReLU's input instead of its output, which masks the same, where that leaves the output unread.
  bool ReadReluInput(NodeId id) {
    const ir::Node& node = graph_.node(id);
    if (node.kind != OpKind::kReluBwd) return false;
    const ir::Node& relu = graph_.node(graph_.value(node.inputs[1]).producer);
    if (relu.kind != OpKind::kRelu) return false;
    const auto& readers = matcher_.readers(relu.outputs[0]);
    const auto fused = [&](NodeId reader) { return gone_[reader] || graph_.node(reader).kind == OpKind::kReluBwd; };
    if (std::ranges::none_of(readers, [&](NodeId r) { return gone_[r]; }) || !std::ranges::all_of(readers, fused))
      return false;
    const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
    const tensor::TensorDesc desc = graph_.desc(node.outputs[0]);
    rebuilder_.Replace(node.outputs[0],
                       rebuilder_.graph().AddNode(OpKind::kReluBwd, node.attributes,
                                                  Mapped({node.inputs[0], relu.inputs[0]}), {&desc, 1})[0]);
    return true;
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
  SeparableMatcher matcher_;
  std::vector<char> gone_;
  std::map<NodeId, SeparableMatch> forward_, backward_;  // by the node in whose place the fused one comes
};

}  // namespace

ir::Graph FuseSeparable(const ir::Graph& graph) { return SeparableFuser(graph).Run(); }

}  // namespace pdarts::passes
