#include "ops/op.h"

#include <iterator>

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

// In the order of OpKind.
constexpr const OpDefinition* kDefinitions[] = {
    &kInputDefinition,
    &kReadSlotDefinition,
    &kZerosDefinition,
    &kOnesDefinition,
    &kConv2dDefinition,
    &kConv2dBwdDataDefinition,
    &kConv2dBwdWeightsDefinition,
    &kLinearDefinition,
    &kLinearBwdDataDefinition,
    &kLinearBwdWeightsDefinition,
    &kBatchNormStatisticsDefinition,
    &kBatchNormApplyDefinition,
    &kBatchNormBwdSumsDefinition,
    &kBatchNormBwdDataDefinition,
    &kUpdateStatisticsDefinition,
    &kWidenDefinition,
    &kSeparableDefinition,
    &kSeparableBwdDefinition,
    &kPoolNormDefinition,
    &kPoolNormBwdDefinition,
    &kPathSumDefinition,
    &kPathSumBwdDefinition,
    &kReluDefinition,
    &kReluBwdDefinition,
    &kMaxPoolDefinition,
    &kMaxPoolBwdDefinition,
    &kAvgPoolDefinition,
    &kAvgPoolBwdDefinition,
    &kGlobalAvgPoolDefinition,
    &kGlobalAvgPoolBwdDefinition,
    &kConcatDefinition,
    &kSliceDefinition,
    &kSubsampleDefinition,
    &kSubsampleBwdDefinition,
    &kStackDefinition,
    &kUnstackDefinition,
    &kDropoutDefinition,
    &kDropPathDefinition,
    &kScaleSamplesDefinition,
    &kAddNDefinition,
    &kScaleDefinition,
    &kSoftmaxDefinition,
    &kSoftmaxBwdDefinition,
    &kWeightedSumDefinition,
    &kWeightedSumBwdWeightsDefinition,
    &kScaleByWeightDefinition,
    &kNormalizedSumDefinition,
    &kNormalizedSumBwdDefinition,
    &kCrossEntropyDefinition,
    &kCrossEntropyBwdDefinition,
    &kCountCorrectDefinition,
    &kSumSquaresDefinition,
    &kSgdDefinition,
    &kAdamDefinition,
    &kReorderDefinition,
    &kCopyDefinition,
};
static_assert(std::size(kDefinitions) == ir::kOpKinds);

}  // namespace

const OpDefinition& Definition(ir::OpKind kind) { return *kDefinitions[static_cast<size_t>(kind)]; }

int64_t MultiplyAdds(const ir::Graph& graph, const ir::Node& node) {
  const MultiplyAddsFunction count = Definition(node.kind).multiply_adds;
  return count == nullptr ? 0 : count(graph, node);
}

std::vector<ir::ValueId> Emit(ir::Graph& graph, ir::OpKind kind, ir::Attributes attributes,
                              std::vector<ir::ValueId> inputs) {
  std::vector<tensor::TensorDesc> descs;
  descs.reserve(inputs.size());
  for (ir::ValueId input : inputs) descs.push_back(graph.desc(input));
  const InferFunction infer = Definition(kind).infer;
  PD_CHECK(infer != nullptr, "{} cannot be emitted", Name(kind));
  const std::vector<tensor::TensorDesc> outputs = infer(attributes, descs);
  return graph.AddNode(kind, std::move(attributes), std::move(inputs), outputs);
}

std::vector<tensor::TensorDesc> SameAsFirst(const ir::Attributes&, std::span<const tensor::TensorDesc> inputs) {
  return {inputs[0]};
}

}  // namespace pdarts::ops
