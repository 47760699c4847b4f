#include <cstring>

#include "backends/cpu/lowering.h"
#include "kernels/layout.h"

namespace pdarts::backends::cpu {
namespace {

int64_t Rows(const tensor::Shape& s) { return s.n() * s.h() * s.w(); }

// The workspace holds the sources' addresses.
Lowered LowerConcat(const NodeView& view) {
  std::vector<int64_t> channels;
  for (int i = 0; i < view.inputs(); ++i) channels.push_back(view.in(i).c());
  const int64_t rows = Rows(view.out(0));
  return OwnKernel(view, "own:concat", channels.size() * sizeof(void*),
                   [channels, rows](auto in, auto out, void* workspace) {
                     auto** srcs = static_cast<const float**>(workspace);
                     for (size_t i = 0; i < channels.size(); ++i) srcs[i] = In<float>(in, i);
                     kernels::ConcatChannels(
                         {srcs, channels.data(), static_cast<int64_t>(channels.size()), rows, Out<float>(out, 0)});
                   });
}

Lowered LowerSlice(const NodeView& view) {
  const int64_t first = view.node.attributes.Int("first_channel"), channels = view.out(0).c();
  const int64_t src_channels = view.in(0).c(), rows = Rows(view.in(0));
  return OwnKernel(view, "own:slice", 0, [=](auto in, auto out, void*) {
    kernels::SliceChannels({In<float>(in, 0), src_channels, first, channels, rows, Out<float>(out, 0)});
  });
}

// Parameters one after another.
Lowered LowerStack(const NodeView& view) {
  std::vector<size_t> bytes;
  for (int i = 0; i < view.inputs(); ++i) bytes.push_back(static_cast<size_t>(view.in(i).elements()) * sizeof(float));
  return PlainKernel(view, "own:stack", 0, [bytes](auto in, auto out, void*) {
    auto* to = Out<std::byte>(out, 0);
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::memcpy(to, in[i], bytes[i]);
      to += bytes[i];
    }
  });
}

Lowered LowerUnstack(const NodeView& view) {
  const int64_t slab = view.in(0).elements() / view.in(0)[0], first = view.node.attributes.Int("first") * slab;
  const size_t bytes = static_cast<size_t>(view.out(0).elements()) * sizeof(float);
  return PlainKernel(view, "own:unstack", 0, [first, bytes](auto in, auto out, void*) {
    std::memcpy(out[0], In<float>(in, 0) + first, bytes);
  });
}

Lowered LowerSubsampleBwd(const NodeView& view, const kernels::SubsampleParams& p) {
  const bool added = view.inputs() == 2;
  Lowered lowered = OwnKernel(view, "own:subsample_bwd", 0, [p, added](auto in, auto out, void*) {
    kernels::SubsampleBackward(p, In<float>(in, 0), added ? In<float>(in, 1) : nullptr, Out<float>(out, 0));
  });
  if (added) lowered.spec.in_place = {{1, 0}};
  return lowered;
}

}  // namespace

Lowered LowerShape(const NodeView& view) {
  if (view.node.kind == ir::OpKind::kConcat) return LowerConcat(view);
  if (view.node.kind == ir::OpKind::kSlice) return LowerSlice(view);
  if (view.node.kind == ir::OpKind::kStack) return LowerStack(view);
  if (view.node.kind == ir::OpKind::kUnstack) return LowerUnstack(view);
  const bool forward = view.node.kind == ir::OpKind::kSubsample;
  const tensor::Shape large = forward ? view.in(0) : view.out(0);
  const kernels::SubsampleParams p{large.n(), large.h(), large.w(), large.c(), view.node.attributes.Int("offset")};
  if (forward)
    return OwnKernel(view, "own:subsample", 0,
                     [p](auto in, auto out, void*) { kernels::Subsample(p, In<float>(in, 0), Out<float>(out, 0)); });
  return LowerSubsampleBwd(view, p);
}

}  // namespace pdarts::backends::cpu
