#include "kernels/pool.h"

#include <memory>

#include "backends/cpu/lowering.h"
#include "base/parallel.h"
#include "kernels/pool_norm.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

kernels::PoolParams ParamsOf(const ops::PoolAttributes& a, const tensor::Shape& src) {
  return {src.n(), src.h(), src.w(), src.c(), a.kernel, a.stride, a.pad};
}

Lowered LowerForward(const NodeView& view) {
  const auto p = ParamsOf(ir::Unpack<ops::PoolAttributes>(view.node.attributes), view.in(0));
  if (view.node.kind == ir::OpKind::kMaxPool)
    return OwnKernel(view, "own:max_pool", 0, [p](auto in, auto out, void*) {
      kernels::MaxPoolForward(p, In<float>(in, 0), Out<float>(out, 0), Out<uint8_t>(out, 1));
    });
  return OwnKernel(view, "own:avg_pool", 0, [p](auto in, auto out, void*) {
    kernels::AveragePoolForward(p, In<float>(in, 0), Out<float>(out, 0));
  });
}

Lowered LowerBackward(const NodeView& view) {
  const auto p = ParamsOf(ir::Unpack<ops::PoolBwdAttributes>(view.node.attributes), view.out(0));
  if (view.node.kind == ir::OpKind::kMaxPoolBwd)
    return OwnKernel(view, "own:max_pool_bwd", 0, [p](auto in, auto out, void*) {
      kernels::MaxPoolBackward(p, In<float>(in, 0), In<uint8_t>(in, 1), Out<float>(out, 0));
    });
  return OwnKernel(view, "own:avg_pool_bwd", 0, [p](auto in, auto out, void*) {
    kernels::AveragePoolBackward(p, In<float>(in, 0), Out<float>(out, 0));
  });
}

// The workspace: the branches' operands, then the kernel's own scratch.
Lowered LowerNormForward(const NodeView& view) {
  using Branch = kernels::PoolNormForwardBranch;
  const auto a = ir::Unpack<ops::PoolNormAttributes>(view.node.attributes);
  const auto p = ParamsOf(a, view.in(0));
  const size_t before = LinesOf<Branch>(a.branches());
  const int lanes = base::Threads();
  const size_t scratch = kernels::PoolNormForwardScratch(p, a.branches(), lanes);
  return OwnKernel(view, "own:pool_norm", before + scratch, [=](auto in, auto out, void* workspace) {
    const std::span<Branch> branches = At<Branch>(workspace, 0, a.branches());
    size_t output = 0;
    for (size_t b = 0; b < branches.size(); ++b) {
      branches[b] = {Out<float>(out, output), nullptr, Out<double>(out, output + 1), Out<double>(out, output + 2)};
      output += 3;
      if (a.max[b] != 0) branches[b].workspace = Out<uint8_t>(out, output++);
    }
    kernels::PoolNormForward(p, {In<float>(in, 0), branches, lanes, static_cast<std::byte*>(workspace) + before});
  });
}

// Of the diffs that reach src itself.
std::vector<int64_t> DropsOf(const ops::PoolNormBwdAttributes& a) {
  std::vector<int64_t> drops;
  for (size_t k = 0; k < a.drops.size(); ++k)
    if (a.indices[a.branches() * a.diffs() + k] >= 0) drops.push_back(a.drops[k]);
  return drops;
}

// A branch's own inputs, from number `first` on.
kernels::PoolNormBackwardBranch BranchOf(std::span<const void* const> in, size_t first, bool max) {
  return {.dst = In<float>(in, first),
          .workspace = max ? In<uint8_t>(in, first + 5) : nullptr,
          .mean = In<double>(in, first + 1),
          .variance = In<double>(in, first + 2),
          .diff_gamma = In<float>(in, first + 3),
          .diff_beta = In<float>(in, first + 4),
          .diff_dsts = {},
          .weights = nullptr};
}

// The workspace: the branches' operands, the addresses and the weights of their diffs, the kernel's own scratch.
Lowered LowerNormBackward(const NodeView& view) {
  using Branch = kernels::PoolNormBackwardBranch;
  const auto a = ir::Unpack<ops::PoolNormBwdAttributes>(view.node.attributes);
  const auto p = ParamsOf(a, view.out(0));
  const size_t srcs_at = LinesOf<Branch>(a.branches()), weights_at = srcs_at + LinesOf<const float*>(a.indices.size());
  const size_t scratch_at = weights_at + LinesOf<float>(a.indices.size());
  const int lanes = base::Threads();
  const std::vector<int64_t> drops = DropsOf(a);
  const size_t bytes = scratch_at + kernels::PoolNormBackwardScratch(p, a.branches(), a.diffs(), drops.size(), lanes);
  Lowered lowered = OwnKernel(view, "own:pool_norm_bwd", bytes, [=](auto in, auto out, void* workspace) {
    const std::span<Branch> branches = At<Branch>(workspace, 0, a.branches());
    const auto srcs = At<const float*>(workspace, srcs_at, a.indices.size());
    const auto weights = At<float>(workspace, weights_at, a.indices.size());
    const size_t first_diff = a.add != 0 ? 2 : 1;
    size_t input = first_diff + a.diffs(), first = 0, used = 0;
    const auto take_row = [&](size_t row) {
      first = used;
      for (size_t k = 0; k < a.diffs(); ++k) {
        const int64_t index = a.indices[row * a.diffs() + k];
        if (index < 0) continue;
        srcs[used] = In<float>(in, first_diff + k);
        weights[used++] = In<float>(in, 0)[index];
      }
      return srcs.subspan(first, used - first);
    };
    for (size_t b = 0; b < branches.size(); ++b) {
      branches[b] = BranchOf(in, input, a.max[b] != 0);
      branches[b].diff_dsts = take_row(b);
      branches[b].weights = weights.data() + first;
      input += a.max[b] != 0 ? 6 : 5;
    }
    const auto direct = take_row(branches.size());
    kernels::PoolNormBackwardArgs args{.branches = branches,
                                       .add = a.add != 0 ? In<float>(in, 1) : nullptr,
                                       .direct = direct,
                                       .direct_weights = weights.data() + first,
                                       .drops = drops,
                                       .draw = {},
                                       .drop_rate = 0,
                                       .diff_src = Out<float>(out, 0),
                                       .lanes = lanes,
                                       .epsilon = static_cast<float>(a.epsilon),
                                       .sums = {},
                                       .scratch = static_cast<std::byte*>(workspace) + scratch_at};
    if (!drops.empty()) {
      args.drop_rate = static_cast<float>(In<double>(in, input)[0]);
      args.draw = DrawOf(base::RandomStream::kDropout, 0, In<int64_t>(in, input + 1));
    }
    if (a.sums != 0)
      args.sums = {In<float>(in, in.size() - 3), In<double>(in, in.size() - 2), In<double>(in, in.size() - 1),
                   Out<float>(out, 1), Out<float>(out, 2)};
    kernels::PoolNormBackward(p, args);
  });
  if (a.add != 0) lowered.spec.in_place = {{1, 0}};
  return lowered;
}

}  // namespace

Lowered LowerPool(const NodeView& view) {
  switch (view.node.kind) {
    case ir::OpKind::kMaxPool:
    case ir::OpKind::kAvgPool:
      return LowerForward(view);
    case ir::OpKind::kMaxPoolBwd:
    case ir::OpKind::kAvgPoolBwd:
      return LowerBackward(view);
    case ir::OpKind::kPoolNorm:
      return LowerNormForward(view);
    case ir::OpKind::kPoolNormBwd:
      return LowerNormBackward(view);
    case ir::OpKind::kGlobalAvgPool:
      return OwnKernel(view, "own:global_avg_pool", 0, [s = view.in(0)](auto in, auto out, void*) {
        kernels::GlobalAveragePoolForward(In<float>(in, 0), s.n(), s.h() * s.w(), s.c(), Out<float>(out, 0));
      });
    default:
      return OwnKernel(view, "own:global_avg_pool_bwd", 0, [s = view.out(0)](auto in, auto out, void*) {
        kernels::GlobalAveragePoolBackward(In<float>(in, 0), s.n(), s.h() * s.w(), s.c(), Out<float>(out, 0));
      });
  }
}

}  // namespace pdarts::backends::cpu
