// Separable convolutions with the normalisations around them: operands of the fused kernels, by the flags of the node.
#include "kernels/separable.h"

#include <algorithm>
#include <memory>

#include "backends/cpu/lowering.h"
#include "base/parallel.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

// The sizes of a node's kernel.
struct Sizes {
  kernels::SeparableSource source;
  std::vector<kernels::SeparableBranch> branches;
};

// `A`: the attributes of either node, which say where a branch's weights stand. Where all branches are 1x1, it does not
// matter which image a row belongs to, and tiles can be smaller than images.
template <class A>
Sizes SizesOf(const NodeView& view, const A& a) {
  const tensor::Shape& src = view.in(0);
  const bool rows = std::ranges::all_of(a.stride, [](int64_t stride) { return stride == 0; });
  const int64_t n = rows ? src.n() * src.h() : src.n(), h = rows ? 1 : src.h();
  const int64_t c = a.sources * src.c();
  Sizes sizes{{n, h, src.w(), c, a.relu != 0, base::Threads(), static_cast<float>(a.epsilon), a.sources}, {}};
  size_t next = a.source_inputs();
  for (size_t b = 0; b < a.branches(); ++b) {
    const tensor::Shape &first = view.in(static_cast<int>(next)),
                        &pointwise = view.in(static_cast<int>(next + a.weights_of(b)) - 1);
    PD_CHECK(first[2] == first[3], "a window that is no square");
    kernels::DepthwiseParams depthwise{n, h, src.w(), c, first[2]};
    if (a.depthwise(b)) depthwise.stride = a.stride[b], depthwise.dilation = a.dilation[b], depthwise.pad = a.pad[b];
    sizes.branches.push_back({depthwise, pointwise[0], !a.depthwise(b), a.groups[b]});
    next += a.branch_inputs(b);
  }
  return sizes;
}

// By the window, where all branches have the same; else by their number.
std::string NameOf(const char* pass, const std::vector<kernels::SeparableBranch>& branches) {
  const kernels::DepthwiseParams& first = branches.front().depthwise;
  for (const kernels::SeparableBranch& branch : branches)
    if (branch.depthwise.kernel != first.kernel || branch.depthwise.dilation != first.dilation ||
        branch.pointwise_only != branches.front().pointwise_only)
      return fmt::format("own:{} x{}", pass, branches.size());
  return fmt::format("own:{}{}x{}{}", pass, first.kernel, first.kernel,
                     first.dilation > 1 ? "d" + std::to_string(first.dilation) : "");
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

// Lists of operands lie in the workspace, as a launch allocates nothing; the kernel's own scratch follows.
template <class T>
size_t ListBytes(size_t count) {
  return (count * sizeof(T) + 63) / 64 * 64;
}

// Takes the workspace list by list.
class Lists {
 public:
  explicit Lists(void* workspace) : next_(static_cast<std::byte*>(workspace)) {}
  template <class T>
  std::span<T> Take(size_t count) {
    auto* first = reinterpret_cast<T*>(next_);
    std::uninitialized_value_construct_n(first, count);
    next_ += ListBytes<T>(count);
    return {first, count};
  }
  std::byte* rest() const { return next_; }

 private:
  std::byte* next_;
};

std::span<const float*> SourcesOf(const ops::SeparableAttributes& a, Operands& in, Lists& lists) {
  const auto sources = lists.Take<const float*>(static_cast<size_t>(a.sources));
  for (const float*& source : sources) source = in.Next();
  return sources;
}

Lowered LowerForward(const NodeView& view, const ops::SeparableAttributes& a) {
  using Branch = kernels::SeparableForwardBranch;
  const Sizes sizes = SizesOf(view, a);
  const size_t list_bytes = ListBytes<const float*>(static_cast<size_t>(a.sources)) + ListBytes<Branch>(a.branches());
  const size_t scratch = kernels::SeparableForwardScratch(sizes.source, sizes.branches);
  return OwnKernel(view, NameOf("separable", sizes.branches), list_bytes + scratch,
                   [sizes, a](auto in, auto out, void* workspace) {
                     Operands operands(in);
                     Lists lists(workspace);
                     kernels::SeparableForwardArgs args{};
                     args.src = SourcesOf(a, operands, lists);
                     args.norm = NormOf(a, operands);
                     const std::span<Branch> branches = lists.Take<Branch>(a.branches());
                     for (size_t b = 0; b < branches.size(); ++b) {
                       branches[b].depthwise_weights = operands.Next(a.depthwise(b));
                       branches[b].pointwise_weights = operands.Next();
                       branches[b].dst = Out<float>(out, 3 * b);
                       branches[b].mean = Out<double>(out, 3 * b + 1);
                       branches[b].variance = Out<double>(out, 3 * b + 2);
                     }
                     args.branches = branches;
                     args.scratch = lists.rest();
                     kernels::SeparableForward(sizes.source, sizes.branches, args);
                   });
}

kernels::SeparableBackwardBranch BackwardBranch(const ops::SeparableBwdAttributes& a, size_t b, Operands& operands,
                                                std::span<void* const> out, size_t& next_output) {
  kernels::SeparableBackwardBranch branch{};
  branch.depthwise_weights = operands.Next(a.depthwise(b));
  branch.pointwise_weights = operands.Next();
  branch.dst = operands.Next();
  branch.dst_mean = operands.Next<double>();
  branch.dst_variance = operands.Next<double>();
  branch.diff_dst = operands.Next();
  branch.diff_gamma = operands.Next();
  branch.diff_beta = operands.Next();
  branch.dst_gamma = operands.Next(a.dst_affine[b] != 0);
  branch.factor = a.index[b] >= 0 ? operands.Next()[a.index[b]] : 1;
  branch.factors = operands.Next<double>(a.path(b));
  if (a.weights == 0) return branch;
  if (a.depthwise(b)) branch.diff_depthwise_weights = Out<float>(out, next_output++);
  branch.diff_pointwise_weights = Out<float>(out, next_output++);
  return branch;
}

Lowered LowerBackward(const NodeView& view, const ops::SeparableBwdAttributes& a) {
  using Branch = kernels::SeparableBackwardBranch;
  const Sizes sizes = SizesOf(view, a);
  const auto parts = static_cast<size_t>(a.sources);
  const int64_t samples = view.in(0).n();
  const size_t list_bytes = 2 * ListBytes<float*>(parts) + ListBytes<Branch>(a.branches());
  const size_t scratch = kernels::SeparableBackwardScratch(sizes.source, sizes.branches);
  return OwnKernel(view, NameOf("separable_bwd", sizes.branches), list_bytes + scratch,
                   [sizes, a, parts, samples](auto in, auto out, void* workspace) {
                     Operands operands(in);
                     Lists lists(workspace);
                     kernels::SeparableBackwardArgs args{};
                     args.src = SourcesOf(a, operands, lists);
                     args.norm = NormOf(a, operands);
                     args.mask = a.mask != 0;
                     args.samples = samples;
                     const std::span<float*> diffs = lists.Take<float*>(parts);
                     for (size_t i = 0; i < parts; ++i) diffs[i] = Out<float>(out, i);
                     args.diff_src = diffs;
                     if (a.normalized != 0) {
                       args.src_diff_gamma = Out<float>(out, 1);
                       args.src_diff_beta = Out<float>(out, 2);
                     }
                     const std::span<Branch> branches = lists.Take<Branch>(a.branches());
                     size_t output = a.source_outputs();
                     for (size_t b = 0; b < branches.size(); ++b)
                       branches[b] = BackwardBranch(a, b, operands, out, output);
                     args.branches = branches;
                     args.scratch = lists.rest();
                     kernels::SeparableBackward(sizes.source, sizes.branches, args);
                   });
}

// Parameters are plain.
template <class A>
void PlainInputs(const A& a, Lowered& lowered) {
  size_t next = a.source_inputs();
  for (size_t b = 0; b < a.branches(); next += a.branch_inputs(b++))
    for (size_t i = 0; i < a.weights_of(b); ++i) lowered.spec.input_layouts[next + i] = tensor::Layout::kPlain;
}

}  // namespace

Lowered LowerSeparable(const NodeView& view) {
  if (view.node.kind == ir::OpKind::kSeparable) {
    const auto a = ir::Unpack<ops::SeparableAttributes>(view.node.attributes);
    Lowered lowered = LowerForward(view, a);
    PlainInputs(a, lowered);
    return lowered;
  }
  const auto a = ir::Unpack<ops::SeparableBwdAttributes>(view.node.attributes);
  Lowered lowered = LowerBackward(view, a);
  PlainInputs(a, lowered);
  for (size_t at = a.source_outputs(); at < lowered.spec.output_layouts.size(); ++at)
    lowered.spec.output_layouts[at] = tensor::Layout::kPlain;
  return lowered;
}

}  // namespace pdarts::backends::cpu
