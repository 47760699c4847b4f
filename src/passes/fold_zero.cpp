#include <algorithm>

#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {
namespace {

using ir::OpKind;
using ir::ValueId;

// One output, which is zero wherever input 0 is.
bool IsLinearInFirst(const ir::Node& node) {
  switch (node.kind) {
    case OpKind::kRelu:
    case OpKind::kScale:
    case OpKind::kScaleByWeight:
    case OpKind::kConv2d:
    case OpKind::kConv2dBwdData:
    case OpKind::kAvgPool:
    case OpKind::kAvgPoolBwd:
    case OpKind::kGlobalAvgPool:
    case OpKind::kGlobalAvgPoolBwd:
    case OpKind::kSlice:
    case OpKind::kSubsample:
    case OpKind::kDropout:
    case OpKind::kScaleSamples:
      return true;
    case OpKind::kSubsampleBwd:  // unless it has a further term
      return node.inputs.size() == 1;
    default:
      return false;
  }
}

class Folder {
 public:
  explicit Folder(const ir::Graph& graph) : graph_(graph), rebuilder_(graph) {}

  ir::Graph Run() {
    for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph_.nodes().size()); ++id)
      if (!Fold(graph_.node(id))) rebuilder_.Copy(id);
    return rebuilder_.Finish();
  }

 private:
  bool IsZero(ValueId old) {
    const ir::Graph& to = rebuilder_.graph();
    return to.node(to.value(rebuilder_.Map(old)).producer).kind == OpKind::kZeros;
  }

  void BecomesZero(const ir::Node& node) {
    const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
    rebuilder_.Replace(node.outputs[0], ops::Zeros(rebuilder_.graph(), graph_.desc(node.outputs[0])));
  }

  bool Fold(const ir::Node& node) {
    if (node.kind == OpKind::kAddN) return FoldAdd(node);
    if (node.kind == OpKind::kWeightedSum || node.kind == OpKind::kWeightedSumBwdWeights) return FoldWeighted(node);
    if (!IsLinearInFirst(node) || !IsZero(node.inputs[0])) return false;
    BecomesZero(node);
    return true;
  }

  bool FoldAdd(const ir::Node& node) {
    std::vector<ValueId> kept;
    for (ValueId input : node.inputs)
      if (!IsZero(input)) kept.push_back(rebuilder_.Map(input));
    if (kept.size() == node.inputs.size()) return false;
    if (kept.empty()) {
      BecomesZero(node);
    } else {
      const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
      rebuilder_.Replace(node.outputs[0], ops::AddN(rebuilder_.graph(), kept));
    }
    return true;
  }

  // Input 0 is the table of weights, or the gradient of the sum; then one value for each index. A weight whose value is
  // zero gets the gradient 0, which is what the backward op gives to a weight that has no index.
  bool FoldWeighted(const ir::Node& node) {
    const auto& indices = std::get<std::vector<int64_t>>(node.attributes.Get("indices"));
    std::vector<ValueId> kept = {rebuilder_.Map(node.inputs[0])};
    std::vector<int64_t> kept_indices;
    for (size_t i = 0; i < indices.size(); ++i) {
      if (IsZero(node.inputs[i + 1])) continue;
      kept.push_back(rebuilder_.Map(node.inputs[i + 1]));
      kept_indices.push_back(indices[i]);
    }
    const bool zero_diff = node.kind == OpKind::kWeightedSumBwdWeights && IsZero(node.inputs[0]);
    if (kept_indices.size() == indices.size() && !zero_diff) return false;
    if (kept_indices.empty() || zero_diff) {
      BecomesZero(node);
      return true;
    }
    ir::Attributes attributes = node.attributes;
    attributes.Set("indices", kept_indices);
    const ir::Graph::Scope scope(rebuilder_.graph(), node.name);
    const tensor::TensorDesc desc = graph_.desc(node.outputs[0]);
    rebuilder_.Replace(node.outputs[0],
                       rebuilder_.graph().AddNode(node.kind, std::move(attributes), std::move(kept), {&desc, 1})[0]);
    return true;
  }

  const ir::Graph& graph_;
  Rebuilder rebuilder_;
};

}  // namespace

ir::Graph FoldZero(const ir::Graph& graph) { return Folder(graph).Run(); }

}  // namespace pdarts::passes
