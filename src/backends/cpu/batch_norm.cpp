#include "kernels/batch_norm.h"

#include <cstring>

#include "backends/cpu/lowering.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

struct Rows {
  int64_t rows, channels;
};

Rows RowsOf(const NodeView& view) {
  const tensor::Shape& src = view.in(0);
  return {src.n() * src.h() * src.w(), src.c()};
}

float Epsilon(const NodeView& view) {
  return static_cast<float>(ir::Unpack<ops::BatchNormAttributes>(view.node.attributes).epsilon);
}

size_t Floats(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }
size_t Doubles(int64_t count) { return static_cast<size_t>(count) * sizeof(double); }

Lowered LowerStatistics(const NodeView& view) {
  const Rows r = RowsOf(view);
  return OwnKernel(view, "own:batch_norm_statistics", Floats(kernels::BatchNormStatisticsScratch(r.rows, r.channels)),
                   [r](auto in, auto out, void* workspace) {
                     kernels::BatchNormStatistics({In<float>(in, 0), r.rows, r.channels, Out<double>(out, 0),
                                                   Out<double>(out, 1), static_cast<float*>(workspace)});
                   });
}

// Inputs: src, mean, variance [, gamma, beta].
Lowered LowerApply(const NodeView& view) {
  const Rows r = RowsOf(view);
  const float epsilon = Epsilon(view);
  const bool affine = view.inputs() == 5;
  return OwnKernel(view, "own:batch_norm_apply", Doubles(2 * r.channels), [=](auto in, auto out, void* workspace) {
    kernels::BatchNormApply({In<float>(in, 0), r.rows, r.channels, In<double>(in, 1), In<double>(in, 2), epsilon,
                             affine ? In<float>(in, 3) : nullptr, affine ? In<float>(in, 4) : nullptr,
                             Out<float>(out, 0), static_cast<double*>(workspace)});
  });
}

// Inputs: src, mean, variance, diff_dst; outputs: diff_gamma, diff_beta.
Lowered LowerBackwardSums(const NodeView& view) {
  const Rows r = RowsOf(view);
  const float epsilon = Epsilon(view);
  return OwnKernel(view, "own:batch_norm_bwd_sums", Floats(kernels::BatchNormReduceScratch(r.rows, r.channels)),
                   [=](auto in, auto out, void* workspace) {
                     kernels::BatchNormBackwardReduce(
                         {In<float>(in, 0), In<float>(in, 3), r.rows, r.channels, In<double>(in, 1), In<double>(in, 2),
                          epsilon, Out<float>(out, 0), Out<float>(out, 1), static_cast<float*>(workspace)});
                   });
}

// Inputs: src, mean, variance, diff_dst, diff_gamma, diff_beta [, gamma] [, table].
Lowered LowerBackwardData(const NodeView& view) {
  const Rows r = RowsOf(view);
  const float epsilon = Epsilon(view);
  const int64_t index = ir::Unpack<ops::BatchNormBwdDataAttributes>(view.node.attributes).index;
  const bool affine = view.inputs() - (index >= 0) == 7;
  return OwnKernel(
      view, "own:batch_norm_bwd_data", Floats(kernels::BatchNormGradientLinesSize(r.channels)),
      [=](auto in, auto out, void* workspace) {
        kernels::BatchNormBackwardData(
            {In<float>(in, 0), In<float>(in, 3), r.rows, r.channels, In<double>(in, 1), In<double>(in, 2), epsilon,
             affine ? In<float>(in, 6) : nullptr, In<float>(in, 4), In<float>(in, 5), Out<float>(out, 0),
             static_cast<float*>(workspace), index >= 0 ? In<float>(in, in.size() - 1)[index] : 1});
      });
}

Lowered LowerUpdate(const NodeView& view) {
  const auto a = ir::Unpack<ops::UpdateStatisticsAttributes>(view.node.attributes);
  std::vector<int64_t> channels;
  for (size_t i = 0; i < a.counts.size(); ++i) channels.push_back(view.in(static_cast<int>(4 * i)).elements());
  Lowered lowered = OwnKernel(view, "own:update_statistics", 0, [a, channels](auto in, auto out, void*) {
    for (size_t i = 0; i < channels.size(); ++i) {
      for (size_t which : {0, 1})  // in place on the slots; a copy where the plan had to keep the old values
        if (out[2 * i + which] != in[4 * i + which])
          std::memcpy(out[2 * i + which], in[4 * i + which], static_cast<size_t>(channels[i]) * sizeof(float));
      kernels::UpdateRunningStatistics({In<double>(in, 4 * i + 2), In<double>(in, 4 * i + 3), a.counts[i], channels[i],
                                        static_cast<float>(a.momentum), Out<float>(out, 2 * i),
                                        Out<float>(out, 2 * i + 1)});
    }
  });
  for (int i = 0; i < view.outputs(); ++i) lowered.spec.in_place.emplace_back(i / 2 * 4 + i % 2, i);
  return lowered;
}

}  // namespace

Lowered LowerBatchNorm(const NodeView& view) {
  switch (view.node.kind) {
    case ir::OpKind::kBatchNormStatistics:
      return LowerStatistics(view);
    case ir::OpKind::kBatchNormApply:
      return LowerApply(view);
    case ir::OpKind::kBatchNormBwdSums:
      return LowerBackwardSums(view);
    case ir::OpKind::kBatchNormBwdData:
      return LowerBackwardData(view);
    default:
      return LowerUpdate(view);
  }
}

}  // namespace pdarts::backends::cpu
