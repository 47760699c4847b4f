#include "kernels/elementwise.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/lowering.h"
#include "base/dropout_mask.h"
#include "kernels/dropout.h"
#include "kernels/layout.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

Lowered LowerConstant(const NodeView& view, float value) {
  PD_CHECK(view.graph.desc(view.node.outputs[0]).dtype == tensor::DType::kF32);
  const int64_t count = view.out(0).elements();
  return OwnKernel(view, "own:fill", 0,
                   [count, value](auto, auto out, void*) { kernels::Fill(Out<float>(out, 0), value, count); });
}

Lowered LowerCopy(const NodeView& view) {
  const size_t bytes = view.graph.desc(view.node.inputs[0]).bytes();
  return PlainKernel(view, "own:copy", 0, [bytes](auto in, auto out, void*) { std::memcpy(out[0], in[0], bytes); });
}

Lowered LowerAdd(const NodeView& view) {
  const int64_t sources = view.inputs(), count = view.out(0).elements();
  Lowered lowered = OwnKernel(view, "own:add_n", static_cast<size_t>(sources) * sizeof(void*),
                              [=](auto in, auto out, void* workspace) {
                                auto** srcs = static_cast<const float**>(workspace);
                                for (int64_t i = 0; i < sources; ++i) srcs[i] = In<float>(in, static_cast<size_t>(i));
                                kernels::WeightedSum({srcs, nullptr, sources, Out<float>(out, 0), count});
                              });
  lowered.spec.in_place = {{0, 0}};
  return lowered;
}

Lowered LowerDropout(const NodeView& view) {
  const auto a = ir::Unpack<ops::DropoutAttributes>(view.node.attributes);
  const tensor::Shape s = view.in(0);
  const int64_t size = s.c() * s.h() * s.w();
  return OwnKernel(view, "own:dropout", 0, [=](auto in, auto out, void*) {
    const auto rate = static_cast<float>(In<double>(in, 1)[0]);
    const base::DropoutDraw draw = DrawOf(base::RandomStream::kDropout, a.op_id, In<int64_t>(in, 2));
    const float weight = a.index < 0 ? 1.0f : In<float>(in, 3)[a.index];
    kernels::Dropout({In<float>(in, 0), Out<float>(out, 0), s.n() * size, rate, draw, weight});
  });
}

Lowered LowerDropPath(const NodeView& view) {
  const auto a = ir::Unpack<ops::DropPathAttributes>(view.node.attributes);
  return OwnKernel(view, "own:drop_path", 0, [a](auto in, auto out, void*) {
    const base::DropoutDraw draw = DrawOf(base::RandomStream::kDropPath, a.op_id, In<int64_t>(in, 1));
    kernels::DropPath(draw, static_cast<float>(In<double>(in, 0)[0]), a.samples, Out<double>(out, 0));
  });
}

Lowered LowerScaleSamples(const NodeView& view) {
  const int64_t samples = view.in(0).n(), size = view.in(0).elements() / samples;
  return OwnKernel(view, "own:scale_samples", 0, [=](auto in, auto out, void*) {
    kernels::ScaleSamples({In<float>(in, 0), In<double>(in, 1), Out<float>(out, 0), samples, size});
  });
}

// Running statistics, a few hundred channels at most.
Lowered LowerWiden(const NodeView& view) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < view.inputs(); ++i) sizes.push_back(view.in(i).elements());
  return OwnKernel(view, "own:widen", 0, [sizes](auto in, auto out, void*) {
    for (size_t i = 0; i < sizes.size(); ++i) std::copy_n(In<float>(in, i), sizes[i], Out<double>(out, i));
  });
}

}  // namespace

base::DropoutDraw DrawOf(base::RandomStream stream, int64_t op_id, const int64_t* rng) {
  return {base::PhiloxKey(static_cast<uint64_t>(rng[0]), stream), static_cast<uint32_t>(op_id),
          static_cast<uint32_t>(rng[1])};
}

Lowered LowerElementwise(const NodeView& view) {
  const int64_t count = view.out(0).elements();
  Lowered lowered;
  switch (view.node.kind) {
    case ir::OpKind::kZeros:
      return LowerConstant(view, 0);
    case ir::OpKind::kOnes:
      return LowerConstant(view, 1);
    case ir::OpKind::kCopy:
      return LowerCopy(view);
    case ir::OpKind::kWiden:
      return LowerWiden(view);
    case ir::OpKind::kAddN:
      return LowerAdd(view);
    case ir::OpKind::kDropout:
      return LowerDropout(view);
    case ir::OpKind::kDropPath:
      return LowerDropPath(view);
    case ir::OpKind::kScaleSamples:
      return LowerScaleSamples(view);
    case ir::OpKind::kRelu:
      lowered = OwnKernel(view, "own:relu", 0, [count](auto in, auto out, void*) {
        kernels::Relu(In<float>(in, 0), Out<float>(out, 0), count);
      });
      break;
    case ir::OpKind::kReluBwd:
      lowered = OwnKernel(view, "own:relu_bwd", 0, [count](auto in, auto out, void*) {
        kernels::ReluBackward(In<float>(in, 1), In<float>(in, 0), Out<float>(out, 0), count);
      });
      break;
    default: {
      const auto factor = static_cast<float>(std::get<double>(view.node.attributes.Get("factor")));
      lowered = OwnKernel(view, "own:scale", 0, [=](auto in, auto out, void*) {
        kernels::Scale(In<float>(in, 0), factor, Out<float>(out, 0), count);
      });
    }
  }
  lowered.spec.in_place = {{0, 0}};
  return lowered;
}

}  // namespace pdarts::backends::cpu
