// Each op file's definitions, gathered by op.cpp. Only op.cpp and the op files include this.
#pragma once

#include "base/dropout_mask.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pdarts::ops {

extern const OpDefinition kInputDefinition, kReadSlotDefinition, kZerosDefinition, kOnesDefinition;
extern const OpDefinition kConv2dDefinition, kConv2dBwdDataDefinition, kConv2dBwdWeightsDefinition;
extern const OpDefinition kLinearDefinition, kLinearBwdDataDefinition, kLinearBwdWeightsDefinition;
extern const OpDefinition kBatchNormStatisticsDefinition, kBatchNormApplyDefinition, kBatchNormBwdSumsDefinition,
    kBatchNormBwdDataDefinition, kUpdateStatisticsDefinition, kWidenDefinition;
extern const OpDefinition kSeparableDefinition, kSeparableBwdDefinition;
extern const OpDefinition kPoolNormDefinition, kPoolNormBwdDefinition;
extern const OpDefinition kReluDefinition, kReluBwdDefinition;
extern const OpDefinition kMaxPoolDefinition, kMaxPoolBwdDefinition, kAvgPoolDefinition, kAvgPoolBwdDefinition;
extern const OpDefinition kGlobalAvgPoolDefinition, kGlobalAvgPoolBwdDefinition;
extern const OpDefinition kConcatDefinition, kSliceDefinition, kSubsampleDefinition, kSubsampleBwdDefinition;
extern const OpDefinition kStackDefinition, kUnstackDefinition;
extern const OpDefinition kDropoutDefinition, kAddNDefinition, kScaleDefinition;
extern const OpDefinition kDropPathDefinition, kScaleSamplesDefinition, kPathSumDefinition, kPathSumBwdDefinition;
extern const OpDefinition kSoftmaxDefinition, kSoftmaxBwdDefinition, kWeightedSumDefinition,
    kWeightedSumBwdWeightsDefinition, kScaleByWeightDefinition;
extern const OpDefinition kNormalizedSumDefinition, kNormalizedSumBwdDefinition;
extern const OpDefinition kCrossEntropyDefinition, kCrossEntropyBwdDefinition, kCountCorrectDefinition;
extern const OpDefinition kSumSquaresDefinition, kSgdDefinition, kAdamDefinition;
extern const OpDefinition kReorderDefinition, kCopyDefinition;

// Runs body(float{}) or body(double{}) by the op's dtype.
template <class F>
void ByDType(const ReferenceContext& context, F&& body) {
  tensor::DispatchFloat(context.dtype(), body);
}

// What dropout keeps of a tensor, by inputs `rate` and `rate` + 1, the random state.
class ReferenceMask {
 public:
  ReferenceMask(const ReferenceContext& context, int rate, int64_t op_id);
  bool Keeps(const tensor::Shape& shape, int64_t i) const;                      // element i of a tensor [N, C, H, W]
  double rate() const { return base::DropoutRate(static_cast<float>(rate_)); }  // that is drawn

 private:
  double rate_;
  base::DropoutDraw draw_;
};

// Shape rules that several ops share.
std::vector<tensor::TensorDesc> SameAsFirst(const ir::Attributes&, std::span<const tensor::TensorDesc> inputs);

}  // namespace pdarts::ops
