// Separable convolutions with the normalisations around them: operands of the fused kernels, by the flags of the node.
#include "kernels/separable.h"

#include <algorithm>

#include "backends/cpu/lowering.h"
#include "base/parallel.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

kernels::SeparableParams ParamsOf(const NodeView& view, const ops::SeparableAttributes& a) {
  const tensor::Shape &src = view.in(0), &depthwise = view.in(1), &pointwise = view.in(2);
  PD_CHECK(depthwise[2] == depthwise[3] && a.stride_h == a.stride_w && a.pad_h == a.pad_w,
           "a window that is no square");
  kernels::SeparableParams p{};
  p.depthwise = {src.n(), src.h(), src.w(), src.c(), depthwise[2], a.stride_h, a.dilation, a.pad_h, a.relu != 0};
  p.out = pointwise[0];
  p.lanes = base::Threads();
  p.epsilon = static_cast<float>(a.epsilon);
  return p;
}

std::string NameOf(const char* pass, const kernels::DepthwiseParams& p) {
  return fmt::format("own:{}{}x{}{}", pass, p.kernel, p.kernel, p.dilation > 1 ? "d" + std::to_string(p.dilation) : "");
}

// Takes a node's inputs in their order; what a node lacks is null.
class Operands {
 public:
  explicit Operands(std::span<const void* const> in) : in_(in) {}
  template <class T = float>
  const T* Next(bool present = true) {
    return present ? In<T>(in_, next_++) : nullptr;
  }

 private:
  std::span<const void* const> in_;
  size_t next_ = 0;
};

kernels::Normalizer NormOf(const ops::SeparableAttributes& a, Operands& in) {
  const bool present = a.normalized != 0, affine = a.affine != 0;
  const double *mean = in.Next<double>(present), *variance = in.Next<double>(present);
  const float *gamma = in.Next(affine), *beta = in.Next(affine);
  return {mean, variance, gamma, beta};
}

Lowered LowerForward(const NodeView& view) {
  const auto a = ir::Unpack<ops::SeparableAttributes>(view.node.attributes);
  const kernels::SeparableParams p = ParamsOf(view, a);
  return OwnKernel(view, NameOf("separable", p.depthwise), kernels::SeparableForwardScratch(p, a.normalized != 0),
                   [p, a](auto in, auto out, void* workspace) {
                     Operands operands(in);
                     kernels::SeparableForwardArgs args{};
                     args.src = operands.Next();
                     args.depthwise_weights = operands.Next();
                     args.pointwise_weights = operands.Next();
                     args.norm = NormOf(a, operands);
                     args.dst = Out<float>(out, 0);
                     args.mean = Out<double>(out, 1);
                     args.variance = Out<double>(out, 2);
                     args.scratch = static_cast<std::byte*>(workspace);
                     kernels::SeparableForward(p, args);
                   });
}

// Rounds statistics to floats at `to`, and moves it on; null stays null.
const float* Rounded(const double* from, int64_t count, float*& to) {
  if (from == nullptr) return nullptr;
  std::transform(from, from + count, to, [](double value) { return static_cast<float>(value); });
  to += count;
  return to - count;
}

kernels::SeparableBackwardArgs BackwardArgs(const ops::SeparableBwdAttributes& a, std::span<const void* const> in,
                                            std::span<void* const> out, const kernels::SeparableParams& p,
                                            float* statistics) {
  Operands operands(in);
  kernels::SeparableBackwardArgs args{};
  args.src = operands.Next();
  args.depthwise_weights = operands.Next();
  args.pointwise_weights = operands.Next();
  args.norm = NormOf(a, operands);
  args.src_mean = Rounded(args.norm.mean, p.depthwise.c, statistics);
  args.src_variance = Rounded(args.norm.variance, p.depthwise.c, statistics);
  args.dst = operands.Next();
  args.dst_mean = Rounded(operands.Next<double>(), p.out, statistics);
  args.dst_variance = Rounded(operands.Next<double>(), p.out, statistics);
  args.diff_dst = operands.Next();
  args.diff_gamma = operands.Next();
  args.diff_beta = operands.Next();
  args.dst_gamma = operands.Next(a.dst_affine != 0);
  args.factor = a.index >= 0 ? operands.Next()[a.index] : 1;
  args.mask = a.mask != 0;

  size_t next = 0;
  args.diff_src = Out<float>(out, next++);
  if (a.weights != 0) {
    args.diff_depthwise_weights = Out<float>(out, next++);
    args.diff_pointwise_weights = Out<float>(out, next++);
  }
  if (a.normalized != 0) {
    args.src_diff_gamma = Out<float>(out, next++);
    args.src_diff_beta = Out<float>(out, next++);
  }
  return args;
}

Lowered LowerBackward(const NodeView& view) {
  const auto a = ir::Unpack<ops::SeparableBwdAttributes>(view.node.attributes);
  const kernels::SeparableParams p = ParamsOf(view, a);
  const size_t scratch = kernels::SeparableBackwardScratch(p);
  const size_t statistics = static_cast<size_t>(2 * (p.depthwise.c + p.out)) * sizeof(float);
  return OwnKernel(view, NameOf("separable_bwd", p.depthwise), scratch + statistics,
                   [=](auto in, auto out, void* workspace) {
                     auto* bytes = static_cast<std::byte*>(workspace);
                     auto args = BackwardArgs(a, in, out, p, reinterpret_cast<float*>(bytes + scratch));
                     args.scratch = bytes;
                     kernels::SeparableBackward(p, args);
                   });
}

}  // namespace

Lowered LowerSeparable(const NodeView& view) {
  const bool forward = view.node.kind == ir::OpKind::kSeparable;
  Lowered lowered = forward ? LowerForward(view) : LowerBackward(view);
  for (int weights : {1, 2}) {  // parameters are plain, and so are their gradients
    lowered.spec.input_layouts[weights] = tensor::Layout::kPlain;
    if (!forward && view.node.attributes.Int("weights") != 0)
      lowered.spec.output_layouts[weights] = tensor::Layout::kPlain;
  }
  return lowered;
}

}  // namespace pdarts::backends::cpu
