#include "kernels/pool.h"

#include "backends/cpu/lowering.h"
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

}  // namespace

Lowered LowerPool(const NodeView& view) {
  switch (view.node.kind) {
    case ir::OpKind::kMaxPool:
    case ir::OpKind::kAvgPool:
      return LowerForward(view);
    case ir::OpKind::kMaxPoolBwd:
    case ir::OpKind::kAvgPoolBwd:
      return LowerBackward(view);
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
