// The kinds of node. What each means is specified in its file in ops/.
#pragma once

#include <cstdint>
#include <string_view>

namespace pdarts::ir {

enum class OpKind : uint8_t {
  // leaves
  kInput,
  kReadSlot,
  kZeros,
  kOnes,
  // convolution and linear
  kConv2d,
  kConv2dBwdData,
  kConv2dBwdWeights,
  kLinear,
  kLinearBwdData,
  kLinearBwdWeights,
  // normalisation
  kBatchNormStatistics,
  kBatchNormApply,
  kBatchNormBwdSums,
  kBatchNormBwdData,
  kUpdateStatistics,
  kWiden,
  // convolutions with the normalisations beside them, made by a pass
  kSeparable,
  kSeparableBwd,
  // pools with the normalisations behind them, made by a pass
  kPoolNorm,
  kPoolNormBwd,
  // sums of normalised paths, made by a pass
  kPathSum,
  kPathSumBwd,
  // element-wise, pooling, shape
  kRelu,
  kReluBwd,
  kMaxPool,
  kMaxPoolBwd,
  kAvgPool,
  kAvgPoolBwd,
  kGlobalAvgPool,
  kGlobalAvgPoolBwd,
  kConcat,
  kSlice,
  kSubsample,
  kSubsampleBwd,
  kStack,
  kUnstack,
  kDropout,
  kDropPath,
  kScaleSamples,
  kAddN,
  kScale,
  // mixed operation
  kSoftmax,
  kSoftmaxBwd,
  kWeightedSum,
  kWeightedSumBwdWeights,
  kScaleByWeight,
  kNormalizedSum,
  kNormalizedSumBwd,
  // loss and measures
  kCrossEntropy,
  kCrossEntropyBwd,
  kCountCorrect,
  // optimizers
  kSumSquares,
  kSgd,
  kAdam,
  // inserted by the passes
  kReorder,
  kCopy,
};
inline constexpr int kOpKinds = static_cast<int>(OpKind::kCopy) + 1;

std::string_view Name(OpKind kind);  // "conv2d_bwd_data"
OpKind OpKindFromName(std::string_view name);

}  // namespace pdarts::ir
