#include "ops/op.h"

#include "ops/definitions.h"

namespace pdarts::ops {
namespace {

using ir::OpKind;

const OpDefinition* DefinitionOrNull(OpKind kind) {
  switch (kind) {
    case OpKind::kInput:
      return &kInputDefinition;
    case OpKind::kReadSlot:
      return &kReadSlotDefinition;
    case OpKind::kZeros:
      return &kZerosDefinition;
    case OpKind::kOnes:
      return &kOnesDefinition;
    case OpKind::kConv2d:
      return &kConv2dDefinition;
    case OpKind::kConv2dBwdData:
      return &kConv2dBwdDataDefinition;
    case OpKind::kConv2dBwdWeights:
      return &kConv2dBwdWeightsDefinition;
    case OpKind::kLinear:
      return &kLinearDefinition;
    case OpKind::kLinearBwdData:
      return &kLinearBwdDataDefinition;
    case OpKind::kLinearBwdWeights:
      return &kLinearBwdWeightsDefinition;
    case OpKind::kBatchNorm:
      return &kBatchNormDefinition;
    case OpKind::kBatchNormBwd:
      return &kBatchNormBwdDefinition;
    case OpKind::kBatchNormInference:
      return &kBatchNormInferenceDefinition;
    case OpKind::kUpdateStatistics:
      return &kUpdateStatisticsDefinition;
    case OpKind::kRelu:
      return &kReluDefinition;
    case OpKind::kReluBwd:
      return &kReluBwdDefinition;
    case OpKind::kMaxPool:
      return &kMaxPoolDefinition;
    case OpKind::kMaxPoolBwd:
      return &kMaxPoolBwdDefinition;
    case OpKind::kAvgPool:
      return &kAvgPoolDefinition;
    case OpKind::kAvgPoolBwd:
      return &kAvgPoolBwdDefinition;
    case OpKind::kGlobalAvgPool:
      return &kGlobalAvgPoolDefinition;
    case OpKind::kGlobalAvgPoolBwd:
      return &kGlobalAvgPoolBwdDefinition;
    case OpKind::kConcat:
      return &kConcatDefinition;
    case OpKind::kSlice:
      return &kSliceDefinition;
    case OpKind::kSubsample:
      return &kSubsampleDefinition;
    case OpKind::kSubsampleBwd:
      return &kSubsampleBwdDefinition;
    case OpKind::kDropout:
      return &kDropoutDefinition;
    case OpKind::kAddN:
      return &kAddNDefinition;
    case OpKind::kScale:
      return &kScaleDefinition;
    case OpKind::kSoftmax:
      return &kSoftmaxDefinition;
    case OpKind::kSoftmaxBwd:
      return &kSoftmaxBwdDefinition;
    case OpKind::kWeightedSum:
      return &kWeightedSumDefinition;
    case OpKind::kWeightedSumBwdWeights:
      return &kWeightedSumBwdWeightsDefinition;
    case OpKind::kScaleByWeight:
      return &kScaleByWeightDefinition;
    case OpKind::kCrossEntropy:
      return &kCrossEntropyDefinition;
    case OpKind::kCrossEntropyBwd:
      return &kCrossEntropyBwdDefinition;
    case OpKind::kCountCorrect:
      return &kCountCorrectDefinition;
    case OpKind::kSumSquares:
      return &kSumSquaresDefinition;
    case OpKind::kSgd:
      return &kSgdDefinition;
    case OpKind::kAdam:
      return &kAdamDefinition;
    case OpKind::kReorder:
      return &kReorderDefinition;
    case OpKind::kCopy:
      return &kCopyDefinition;
  }
  return nullptr;
}

}  // namespace

const OpDefinition& Definition(ir::OpKind kind) {
  const OpDefinition* definition = DefinitionOrNull(kind);
  PD_CHECK(definition != nullptr, "kind {}", static_cast<int>(kind));
  return *definition;
}

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
