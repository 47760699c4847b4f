#include "kernels/path_sum.h"

#include "backends/cpu/lowering.h"
#include "base/parallel.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

using kernels::PathTerm;

struct Sizes {
  int64_t terms, samples, pixels, channels;
  int lanes;
};

Sizes SizesOf(const NodeView& view, const ops::PathSumAttributes& a) {
  const tensor::Shape& src = view.in(0);
  return {static_cast<int64_t>(a.paths.size()), src.n(), src.h() * src.w(), src.c(), base::Threads()};
}

// Inputs from `input` on.
void FillTerms(const ops::PathSumAttributes& a, std::span<const void* const> in, size_t input,
               std::span<PathTerm> terms) {
  for (size_t k = 0; k < terms.size(); ++k) {
    PathTerm& term = terms[k];
    term.src = In<float>(in, input++);
    if (a.normalized[k] != 0) term.mean = In<double>(in, input++), term.variance = In<double>(in, input++);
    if (a.affine[k] != 0) term.gamma = In<float>(in, input++), term.beta = In<float>(in, input++);
    if (a.paths[k] != 0) term.factors = In<double>(in, input++);
  }
}

Lowered LowerForward(const NodeView& view) {
  const auto a = ir::Unpack<ops::PathSumAttributes>(view.node.attributes);
  const Sizes s = SizesOf(view, a);
  const size_t count = a.paths.size(), scratch_at = LinesOf<PathTerm>(count);
  const size_t bytes = scratch_at + kernels::PathSumScratch(s.terms, s.channels, s.lanes);
  return OwnKernel(view, "own:path_sum", bytes, [=](auto in, auto out, void* workspace) {
    const std::span<PathTerm> terms = At<PathTerm>(workspace, 0, count);
    FillTerms(a, in, 0, terms);
    kernels::PathSum({terms.data(), s.terms, s.samples, s.pixels, s.channels, a.epsilon, Out<float>(out, 0), s.lanes,
                      static_cast<std::byte*>(workspace) + scratch_at});
  });
}

// Inputs: diff_dst, then the terms; outputs: each term's diff_gamma and diff_beta.
Lowered LowerBackward(const NodeView& view) {
  const auto a = ir::Unpack<ops::PathSumAttributes>(view.node.attributes);
  const Sizes s = SizesOf(view, a);
  const size_t count = a.paths.size(), gammas_at = LinesOf<PathTerm>(count);
  const size_t betas_at = gammas_at + LinesOf<float*>(count), scratch_at = betas_at + LinesOf<float*>(count);
  const size_t bytes = scratch_at + kernels::PathSumBackwardScratch(s.terms, s.samples, s.pixels, s.channels, s.lanes);
  return OwnKernel(view, "own:path_sum_bwd", bytes, [=](auto in, auto out, void* workspace) {
    const std::span<PathTerm> terms = At<PathTerm>(workspace, 0, count);
    FillTerms(a, in, 1, terms);
    const std::span<float*> gammas = At<float*>(workspace, gammas_at, count),
                            betas = At<float*>(workspace, betas_at, count);
    for (size_t k = 0; k < count; ++k) gammas[k] = Out<float>(out, 2 * k), betas[k] = Out<float>(out, 2 * k + 1);
    kernels::PathSumBackward({terms.data(), s.terms, s.samples, s.pixels, s.channels, a.epsilon, In<float>(in, 0),
                              gammas.data(), betas.data(), s.lanes, static_cast<std::byte*>(workspace) + scratch_at});
  });
}

}  // namespace

Lowered LowerPathSum(const NodeView& view) {
  return view.node.kind == ir::OpKind::kPathSum ? LowerForward(view) : LowerBackward(view);
}

}  // namespace pdarts::backends::cpu
