#include "kernels/normalized_sum.h"

#include <algorithm>

#include "backends/cpu/lowering.h"
#include "base/parallel.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

using kernels::NormalizedTerm;

struct Sizes {
  int64_t terms, rows, channels, drops;
  int lanes;
};

Sizes SizesOf(const NodeView& view, const ops::NormalizedSumAttributes& a) {
  const tensor::Shape& src = view.in(1);
  return {static_cast<int64_t>(a.indices.size()), src.n() * src.h() * src.w(), src.c(),
          std::ranges::count_if(a.drops, [](int64_t drop) { return drop >= 0; }), base::Threads()};
}

// Of the last two inputs.
kernels::NormalizedDrops DropsOf(const ops::NormalizedSumAttributes& a, std::span<const void* const> in) {
  if (a.drops.empty()) return {};
  return {DrawOf(base::RandomStream::kDropout, 0, In<int64_t>(in, in.size() - 1)),
          static_cast<float>(In<double>(in, in.size() - 2)[0])};
}

// Inputs from 1 on: each term's src and, where it is normalised, mean and variance. Weights: the table, or nullptr.
void FillTerms(const ops::NormalizedSumAttributes& a, std::span<const void* const> in, const float* weights,
               NormalizedTerm* terms) {
  size_t input = 1;
  for (size_t k = 0; k < a.indices.size(); ++k) {
    const bool normalized = a.normalized[k] != 0;
    terms[k] = {In<float>(in, input), normalized ? In<double>(in, input + 1) : nullptr,
                normalized ? In<double>(in, input + 2) : nullptr, weights ? weights[a.indices[k]] : 0.0f,
                a.drops.empty() ? -1 : a.drops[k]};
    input += normalized ? 3 : 1;
  }
}

// Inputs: table, then the terms.
Lowered LowerForward(const NodeView& view) {
  const auto a = ir::Unpack<ops::NormalizedSumAttributes>(view.node.attributes);
  const Sizes s = SizesOf(view, a);
  const size_t count = a.indices.size(), scratch_at = LinesOf<NormalizedTerm>(count);
  const size_t bytes = scratch_at + kernels::NormalizedSumScratch(s.terms, s.channels, s.drops, s.lanes);
  return OwnKernel(view, "own:normalized_sum", bytes, [=](auto in, auto out, void* workspace) {
    NormalizedTerm* terms = At<NormalizedTerm>(workspace, 0, count).data();
    FillTerms(a, in, In<float>(in, 0), terms);
    kernels::NormalizedSum({terms, s.terms, s.rows, s.channels, a.epsilon, Out<float>(out, 0), s.lanes,
                            static_cast<std::byte*>(workspace) + scratch_at, DropsOf(a, in)});
  });
}

// Inputs: diff_dst, then the terms; outputs: a diff_gamma for each normalised term, diff_beta [, table].
Lowered LowerBackward(const NodeView& view) {
  const auto a = ir::Unpack<ops::NormalizedSumBwdAttributes>(view.node.attributes);
  const Sizes s = SizesOf(view, a);
  const int64_t table = a.rows * a.columns;
  const size_t count = a.indices.size(), gammas_at = LinesOf<NormalizedTerm>(count);
  const size_t dots_at = gammas_at + LinesOf<float*>(count), scratch_at = dots_at + LinesOf<float>(count);
  const size_t scratch = kernels::NormalizedSumBackwardScratch(s.terms, s.rows, s.channels, s.drops, s.lanes);
  return OwnKernel(view, "own:normalized_sum_bwd", scratch_at + scratch, [=](auto in, auto out, void* workspace) {
    NormalizedTerm* terms = At<NormalizedTerm>(workspace, 0, count).data();
    float** gammas = At<float*>(workspace, gammas_at, count).data();
    float* dots = At<float>(workspace, dots_at, count).data();
    FillTerms(a, in, nullptr, terms);
    size_t output = 0;
    for (int64_t k = 0; k < s.terms; ++k) gammas[k] = a.normalized[k] != 0 ? Out<float>(out, output++) : nullptr;
    kernels::NormalizedSumBackward({terms, s.terms, s.rows, s.channels, a.epsilon, In<float>(in, 0), gammas,
                                    Out<float>(out, output), table > 0 ? dots : nullptr, s.lanes,
                                    static_cast<std::byte*>(workspace) + scratch_at, DropsOf(a, in)});
    if (table == 0) return;
    float* weights = Out<float>(out, output + 1);
    for (int64_t i = 0; i < table; ++i) weights[i] = 0;
    for (int64_t k = 0; k < s.terms; ++k) weights[a.indices[k]] += dots[k];
  });
}

}  // namespace

Lowered LowerNormalizedSum(const NodeView& view) {
  return view.node.kind == ir::OpKind::kNormalizedSum ? LowerForward(view) : LowerBackward(view);
}

}  // namespace pdarts::backends::cpu
