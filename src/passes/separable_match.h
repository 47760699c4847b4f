// Finds what fuse_separable replaces.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace pdarts::passes {

inline constexpr ir::NodeId kNoNode = -1;

// The nodes of one separable convolution, or of a 1x1 convolution alone. kNoNode: it has none, as an evaluation has no
// statistics, or keeps it as it is.
struct SeparableMatch {
  ir::NodeId pointwise = kNoNode, depthwise = kNoNode, statistics = kNoNode;
  ir::NodeId relu = kNoNode, apply = kNoNode;  // before the depthwise convolution, in its node
  // The gradients; norm_data is batch_norm_bwd_data. Either all that is wanted, or none (norm_data == kNoNode).
  ir::NodeId norm_data = kNoNode, pointwise_data = kNoNode, pointwise_weights = kNoNode;
  ir::NodeId depthwise_data = kNoNode, depthwise_weights = kNoNode;
  ir::NodeId relu_bwd = kNoNode;   // the mask, in the node
  ir::NodeId norm_sums = kNoNode;  // batch_norm_bwd_sums of apply
};

class SeparableMatcher {
 public:
  explicit SeparableMatcher(const ir::Graph& graph);

  // The separable convolution that ends in this convolution, if it can be fused without keeping anything twice.
  std::optional<SeparableMatch> Match(ir::NodeId pointwise) const;

  const std::vector<ir::NodeId>& readers(ir::ValueId value) const { return readers_[value]; }  // live ones

 private:
  const ir::Node& node(ir::NodeId id) const { return graph_.node(id); }
  ir::NodeId Producer(ir::ValueId value, ir::OpKind kind) const;
  ir::ValueId Out(ir::NodeId id) const { return graph_.node(id).outputs[0]; }
  ir::NodeId Reader(ir::ValueId value, ir::OpKind kind, size_t input) const;
  bool ReadOnlyBy(ir::ValueId value, std::initializer_list<ir::NodeId> nodes) const;
  bool IsDepthwise(const ir::Node& node) const;
  bool IsNormalised(ir::ValueId value) const;
  // The convolution that reads what the ReLU gives, and its weights' gradient.
  static ir::NodeId First(const SeparableMatch& m) { return m.depthwise != kNoNode ? m.depthwise : m.pointwise; }
  static ir::NodeId FirstWeights(const SeparableMatch& m) {
    return m.depthwise != kNoNode ? m.depthwise_weights : m.pointwise_weights;
  }
  bool MatchForward(SeparableMatch& match) const;
  bool MatchBackward(SeparableMatch& match) const;
  void MatchMask(SeparableMatch& match) const;
  void MatchApply(SeparableMatch& match) const;

  const ir::Graph& graph_;
  std::vector<std::vector<ir::NodeId>> readers_;
  std::vector<int> uses_;
};

}  // namespace pdarts::passes
