#include "passes/separable_match.h"

#include <algorithm>

#include "ops/ops.h"
#include "passes/rebuild.h"

namespace pdarts::passes {

using ir::NodeId;
using ir::OpKind;
using ir::ValueId;

namespace {

// With groups too, unless they are single channels.
bool IsPointwise(const ir::Graph& graph, const ir::Node& node) {
  const auto a = ir::Unpack<ops::ConvAttributes>(node.attributes);
  const tensor::Shape& weights = graph.shape(node.inputs[1]);
  return (a.groups == 1 || weights[1] > 1) && weights[2] == 1 && weights[3] == 1 && a.stride_h == 1 &&
         a.stride_w == 1 && a.pad_h == 0 && a.pad_w == 0;
}

}  // namespace

SeparableMatcher::SeparableMatcher(const ir::Graph& graph)
    : graph_(graph), readers_(FindReaders(graph)), uses_(CountUses(graph)) {}

NodeId SeparableMatcher::Producer(ValueId value, OpKind kind) const {
  const NodeId producer = graph_.value(value).producer;
  return node(producer).kind == kind ? producer : kNoNode;
}

// The first that reads the value as its input of that number.
NodeId SeparableMatcher::Reader(ValueId value, OpKind kind, size_t input) const {
  const auto found = std::ranges::find_if(readers_[value], [&](NodeId id) {
    return node(id).kind == kind && node(id).inputs.size() > input && node(id).inputs[input] == value;
  });
  return found == readers_[value].end() ? kNoNode : *found;
}

// By each of these once (kNoNode: by none), by no assignment and no output.
bool SeparableMatcher::ReadOnlyBy(ValueId value, std::initializer_list<NodeId> nodes) const {
  const auto expected = nodes.size() - static_cast<size_t>(std::ranges::count(nodes, kNoNode));
  return static_cast<size_t>(uses_[value]) == expected && readers_[value].size() == expected &&
         std::ranges::all_of(nodes,
                             [&](NodeId id) { return id == kNoNode || std::ranges::count(readers_[value], id) == 1; });
}

bool SeparableMatcher::IsDepthwise(const ir::Node& conv) const {
  const auto a = ir::Unpack<ops::ConvAttributes>(conv.attributes);
  const tensor::Shape& weights = graph_.shape(conv.inputs[1]);
  return a.groups > 1 && a.groups == graph_.shape(conv.inputs[0]).c() && weights[0] == a.groups &&
         weights[2] == weights[3] && a.stride_h == a.stride_w && a.pad_h == a.pad_w;
}

// By statistics that it has not made itself, in an evaluation.
bool SeparableMatcher::IsNormalised(ValueId value) const {
  return !readers_[value].empty() && std::ranges::all_of(readers_[value], [&](NodeId id) {
    return node(id).kind == OpKind::kBatchNormApply || node(id).kind == OpKind::kNormalizedSum;
  });
}

std::optional<SeparableMatch> SeparableMatcher::Match(NodeId pointwise) const {
  SeparableMatch match;
  match.pointwise = pointwise;
  if (!MatchForward(match) || !MatchBackward(match)) return std::nullopt;
  if (match.depthwise != kNoNode && !ReadOnlyBy(Out(match.depthwise), {match.pointwise, match.pointwise_weights}))
    return std::nullopt;
  MatchMask(match);
  MatchApply(match);
  return match;
}

bool SeparableMatcher::MatchForward(SeparableMatch& match) const {
  if (node(match.pointwise).kind != OpKind::kConv2d || !IsPointwise(graph_, node(match.pointwise))) return false;
  const ValueId dst = Out(match.pointwise);
  match.statistics = Reader(dst, OpKind::kBatchNormStatistics, 0);
  if (match.statistics == kNoNode && !IsNormalised(dst)) return false;
  match.depthwise = Producer(node(match.pointwise).inputs[0], OpKind::kConv2d);
  if (match.depthwise != kNoNode && !IsDepthwise(node(match.depthwise))) match.depthwise = kNoNode;
  match.relu = Producer(node(First(match)).inputs[0], OpKind::kRelu);
  return true;
}

bool SeparableMatcher::MatchBackward(SeparableMatch& match) const {
  match.norm_data = Reader(Out(match.pointwise), OpKind::kBatchNormBwdData, 0);
  if (match.norm_data == kNoNode) return true;
  const ValueId diff_dst = Out(match.norm_data);
  match.pointwise_data = Reader(diff_dst, OpKind::kConv2dBwdData, 0);
  match.pointwise_weights = Reader(diff_dst, OpKind::kConv2dBwdWeights, 1);
  if (match.pointwise_data == kNoNode || !ReadOnlyBy(diff_dst, {match.pointwise_data, match.pointwise_weights}))
    return false;
  if (match.depthwise == kNoNode) return true;
  const ValueId diff_middle = Out(match.pointwise_data);
  match.depthwise_data = Reader(diff_middle, OpKind::kConv2dBwdData, 0);
  match.depthwise_weights = Reader(diff_middle, OpKind::kConv2dBwdWeights, 1);
  return match.depthwise_data != kNoNode &&
         (match.depthwise_weights == kNoNode) == (match.pointwise_weights == kNoNode) &&
         ReadOnlyBy(diff_middle, {match.depthwise_data, match.depthwise_weights});
}

void SeparableMatcher::MatchMask(SeparableMatch& match) const {
  if (match.relu == kNoNode || match.norm_data == kNoNode) return;
  const ValueId diff = Out(match.depthwise != kNoNode ? match.depthwise_data : match.pointwise_data);
  const NodeId mask = Reader(diff, OpKind::kReluBwd, 0);
  if (mask != kNoNode && node(mask).inputs[1] == Out(match.relu) && ReadOnlyBy(diff, {mask})) match.relu_bwd = mask;
}

void SeparableMatcher::MatchApply(SeparableMatch& match) const {
  if (match.relu == kNoNode) return;
  const NodeId apply = Producer(node(match.relu).inputs[0], OpKind::kBatchNormApply);
  if (apply == kNoNode) return;
  if (!ReadOnlyBy(Out(apply), {match.relu}) ||
      !ReadOnlyBy(Out(match.relu), {First(match), FirstWeights(match), match.relu_bwd}))
    return;
  if (match.norm_data != kNoNode) {
    if (match.relu_bwd == kNoNode || Epsilon(node(match.norm_data)) != Epsilon(node(apply))) return;
    const ValueId diff = Out(match.relu_bwd);
    const NodeId sums = Reader(diff, OpKind::kBatchNormBwdSums, 3);
    if (sums == kNoNode || node(sums).inputs[0] != node(apply).inputs[0]) return;
    match.norm_sums = sums;
  }
  match.apply = apply;
}

}  // namespace pdarts::passes
