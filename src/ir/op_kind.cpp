#include "ir/op_kind.h"

#include "base/error.h"

namespace pdarts::ir {
namespace {

constexpr std::string_view kNames[kOpKinds] = {"input",
                                               "read_slot",
                                               "zeros",
                                               "ones",
                                               "conv2d",
                                               "conv2d_bwd_data",
                                               "conv2d_bwd_weights",
                                               "linear",
                                               "linear_bwd_data",
                                               "linear_bwd_weights",
                                               "batch_norm_statistics",
                                               "batch_norm_apply",
                                               "batch_norm_bwd_sums",
                                               "batch_norm_bwd_data",
                                               "update_statistics",
                                               "widen",
                                               "separable",
                                               "separable_bwd",
                                               "pool_norm",
                                               "pool_norm_bwd",
                                               "path_sum",
                                               "path_sum_bwd",
                                               "relu",
                                               "relu_bwd",
                                               "max_pool",
                                               "max_pool_bwd",
                                               "avg_pool",
                                               "avg_pool_bwd",
                                               "global_avg_pool",
                                               "global_avg_pool_bwd",
                                               "concat",
                                               "slice",
                                               "subsample",
                                               "subsample_bwd",
                                               "stack",
                                               "unstack",
                                               "dropout",
                                               "drop_path",
                                               "scale_samples",
                                               "add_n",
                                               "scale",
                                               "softmax",
                                               "softmax_bwd",
                                               "weighted_sum",
                                               "weighted_sum_bwd_weights",
                                               "scale_by_weight",
                                               "normalized_sum",
                                               "normalized_sum_bwd",
                                               "cross_entropy",
                                               "cross_entropy_bwd",
                                               "count_correct",
                                               "sum_squares",
                                               "sgd",
                                               "adam",
                                               "reorder",
                                               "copy"};

}  // namespace

std::string_view Name(OpKind kind) { return kNames[static_cast<int>(kind)]; }

OpKind OpKindFromName(std::string_view name) {
  for (int i = 0; i < kOpKinds; ++i)
    if (kNames[i] == name) return static_cast<OpKind>(i);
  PD_CHECK(false, "no op kind {}", name);
}

}  // namespace pdarts::ir
