#include "kernels/batch_norm.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/lowering.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

struct Rows {
  int64_t rows, channels;
  float epsilon;
};

Rows RowsOf(const NodeView& view) {
  const tensor::Shape& src = view.in(0);
  return {src.n() * src.h() * src.w(), src.c(),
          static_cast<float>(ir::Unpack<ops::BatchNormAttributes>(view.node.attributes).epsilon)};
}

size_t Floats(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }
size_t Doubles(int64_t count) { return static_cast<size_t>(count) * sizeof(double); }

float Round(double value) { return static_cast<float>(value); }

Lowered LowerForward(const NodeView& view) {
  const Rows r = RowsOf(view);
  const bool affine = view.inputs() == 3;
  const size_t scratch = Doubles(4 * r.channels) + Floats(kernels::BatchNormStatisticsScratch(r.rows, r.channels));
  return OwnKernel(view, "own:batch_norm", scratch, [r, affine](auto in, auto out, void* workspace) {
    const int64_t c = r.channels;
    auto *mean = static_cast<double*>(workspace), *variance = mean + c, *rest = mean + 2 * c;
    kernels::BatchNormStatistics({In<float>(in, 0), r.rows, c, mean, variance, reinterpret_cast<float*>(rest + 2 * c)});
    std::transform(mean, mean + c, Out<float>(out, 1), Round);
    std::transform(variance, variance + c, Out<float>(out, 2), Round);
    kernels::BatchNormApply({In<float>(in, 0), r.rows, c, mean, variance, r.epsilon,
                             affine ? In<float>(in, 1) : nullptr, affine ? In<float>(in, 2) : nullptr,
                             Out<float>(out, 0), rest});
  });
}

// Inputs: src, mean, variance, diff_dst [, gamma]; outputs: diff_src [, diff_gamma, diff_beta].
Lowered LowerBackward(const NodeView& view) {
  const Rows r = RowsOf(view);
  const bool affine = view.inputs() == 5;
  const int64_t scratch = std::max(kernels::BatchNormReduceScratch(r.rows, r.channels), 3 * r.channels);
  return OwnKernel(view, "own:batch_norm_bwd", Floats(scratch + 2 * r.channels),
                   [=](auto in, auto out, void* workspace) {
                     auto* floats = static_cast<float*>(workspace);
                     float* diff_gamma = affine ? Out<float>(out, 1) : floats + scratch;
                     float* diff_beta = affine ? Out<float>(out, 2) : floats + scratch + r.channels;
                     const float *src = In<float>(in, 0), *mean = In<float>(in, 1), *variance = In<float>(in, 2),
                                 *diff = In<float>(in, 3);
                     kernels::BatchNormBackwardReduce(
                         {src, diff, r.rows, r.channels, mean, variance, r.epsilon, diff_gamma, diff_beta, floats});
                     kernels::BatchNormBackwardData({src, diff, r.rows, r.channels, mean, variance, r.epsilon,
                                                     affine ? In<float>(in, 4) : nullptr, diff_gamma, diff_beta,
                                                     Out<float>(out, 0), floats});
                   });
}

// Inputs: src, mean, variance [, gamma, beta].
Lowered LowerInference(const NodeView& view) {
  const Rows r = RowsOf(view);
  const bool affine = view.inputs() == 5;
  return OwnKernel(view, "own:batch_norm_inference", Doubles(4 * r.channels),
                   [r, affine](auto in, auto out, void* workspace) {
                     const int64_t c = r.channels;
                     auto *mean = static_cast<double*>(workspace), *variance = mean + c;
                     std::copy_n(In<float>(in, 1), c, mean);
                     std::copy_n(In<float>(in, 2), c, variance);
                     kernels::BatchNormApply({In<float>(in, 0), r.rows, c, mean, variance, r.epsilon,
                                              affine ? In<float>(in, 3) : nullptr, affine ? In<float>(in, 4) : nullptr,
                                              Out<float>(out, 0), mean + 2 * c});
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
      kernels::UpdateRunningStatistics({In<float>(in, 4 * i + 2), In<float>(in, 4 * i + 3), a.counts[i], channels[i],
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
    case ir::OpKind::kBatchNorm:
      return LowerForward(view);
    case ir::OpKind::kBatchNormBwd:
      return LowerBackward(view);
    case ir::OpKind::kBatchNormInference:
      return LowerInference(view);
    default:
      return LowerUpdate(view);
  }
}

}  // namespace pdarts::backends::cpu
