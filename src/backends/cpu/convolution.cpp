// Convolutions: depthwise, 1x1 and the stems' forward by own kernels, other dense ones by oneDNN with channels-last
// activations and the weights' layout of its choice.
#include "backends/cpu/onednn.h"
#include "kernels/depthwise.h"
#include "kernels/narrow.h"
#include "kernels/pointwise.h"
#include "ops/ops.h"

namespace pdarts::backends::cpu {
namespace {

using dnnl::memory;
using ir::OpKind;
using tensor::Layout;
using tensor::Shape;

// The three shapes of any of the three passes.
struct Shapes {
  ir::ValueId src, weights, dst;
};

Shapes ShapesOf(const ir::Node& node) {
  switch (node.kind) {
    case OpKind::kConv2d:
      return {node.inputs[0], node.inputs[1], node.outputs[0]};
    case OpKind::kConv2dBwdData:
      return {node.outputs[0], node.inputs[1], node.inputs[0]};
    default:
      return {node.inputs[0], node.outputs[0], node.inputs[1]};
  }
}

bool IsDepthwise(const ops::ConvAttributes& a, const Shape& src, const Shape& weights) {
  return a.groups == src.c() && weights[0] == src.c() && weights[2] == weights[3] && a.stride_h == a.stride_w &&
         a.pad_h == a.pad_w && weights[2] <= kernels::kMaxDepthwiseKernel;
}

kernels::DepthwiseParams DepthwiseParamsOf(const ops::ConvAttributes& a, const Shape& src, const Shape& weights) {
  kernels::DepthwiseParams p{src.n(), src.h(), src.w(), src.c(), weights[2]};
  p.stride = a.stride_h;
  p.dilation = a.dilation;
  p.pad = a.pad_h;
  return p;
}

Lowered LowerDepthwise(const NodeView& view, const kernels::DepthwiseParams& p) {
  const auto floats = [](int64_t count) { return static_cast<size_t>(count) * sizeof(float); };
  const std::string shape =
      fmt::format("{}x{}{}", p.kernel, p.kernel, p.dilation > 1 ? "d" + std::to_string(p.dilation) : "");
  if (view.node.kind == OpKind::kConv2d)
    return OwnKernel(view, "own:dw" + shape, floats(kernels::DepthwiseScratch(p)),
                     [p](auto in, auto out, void* workspace) {
                       kernels::DepthwiseForward(
                           p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
                     });
  if (view.node.kind == OpKind::kConv2dBwdData)
    return OwnKernel(view, "own:dw_bwd_data" + shape, floats(kernels::DepthwiseScratch(p)),
                     [p](auto in, auto out, void* workspace) {
                       kernels::DepthwiseBackwardData(
                           p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
                     });
  return OwnKernel(view, "own:dw_bwd_weights" + shape, floats(kernels::DepthwiseWeightsScratch(p)),
                   [p](auto in, auto out, void* workspace) {
                     kernels::DepthwiseBackwardWeights(
                         p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
                   });
}

bool IsPointwise(const ops::ConvAttributes& a, const Shape& weights) {
  return weights[2] == 1 && weights[3] == 1 && a.stride_h == 1 && a.stride_w == 1 && a.pad_h == 0 && a.pad_w == 0;
}

Lowered LowerPointwise(const NodeView& view, const kernels::PointwiseParams& p) {
  const auto floats = [](int64_t count) { return static_cast<size_t>(count) * sizeof(float); };
  if (view.node.kind == OpKind::kConv2d)
    return OwnKernel(view, "own:1x1", floats(kernels::PointwiseScratch(p)), [p](auto in, auto out, void* workspace) {
      kernels::PointwiseForward(
          p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
    });
  if (view.node.kind == OpKind::kConv2dBwdData)
    return OwnKernel(view, "own:1x1_bwd_data", floats(kernels::PointwiseDataScratch(p)),
                     [p](auto in, auto out, void* workspace) {
                       kernels::PointwiseBackwardData(
                           p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
                     });
  return OwnKernel(view, "own:1x1_bwd_weights", floats(kernels::PointwiseWeightsScratch(p)),
                   [p](auto in, auto out, void* workspace) {
                     kernels::PointwiseBackwardWeights(
                         p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<float*>(workspace)});
                   });
}

bool IsNarrow(const ops::ConvAttributes& a, const Shape& src) {
  return a.groups == 1 && src.c() <= kernels::kMaxNarrowChannels && a.dilation == 1 && a.stride_h == a.stride_w &&
         a.pad_h == a.pad_w;
}

Lowered LowerNarrow(const NodeView& view, const kernels::NarrowParams& p) {
  return OwnKernel(view, fmt::format("own:{0}x{0}_narrow", p.kernel),
                   static_cast<size_t>(kernels::NarrowScratch(p)) * sizeof(double),
                   [p](auto in, auto out, void* workspace) {
                     kernels::NarrowForward(
                         p, {In<float>(in, 0), In<float>(in, 1), Out<float>(out, 0), static_cast<double*>(workspace)});
                   });
}

// Own kernels take parameters as they are.
Lowered WithPlainWeights(const NodeView& view, Lowered lowered) {
  auto& layouts =
      view.node.kind == OpKind::kConv2dBwdWeights ? lowered.spec.output_layouts : lowered.spec.input_layouts;
  layouts.back() = Layout::kPlain;
  return lowered;
}

// Descriptors and geometry in oneDNN's words; weights in any layout, grouped ones with a dimension of their own.
struct DenseConvolution {
  memory::desc src, weights, dst;
  memory::dims strides, dilates, pad;
};

DenseConvolution Describe(const NodeView& view, const ops::ConvAttributes& a, const Shapes& shapes,
                          memory::format_tag activations) {
  const Shape weights = view.graph.shape(shapes.weights);
  const auto activation = [&](ir::ValueId value) {
    const Shape& shape = view.graph.shape(value);
    return memory::desc({shape.n(), shape.c(), shape.h(), shape.w()}, memory::data_type::f32, activations);
  };
  memory::dims dims{weights[0], weights[1], weights[2], weights[3]};
  if (a.groups > 1) dims = {a.groups, weights[0] / a.groups, weights[1], weights[2], weights[3]};
  DenseConvolution conv;
  conv.src = activation(shapes.src);
  conv.dst = activation(shapes.dst);
  conv.weights = {dims, memory::data_type::f32, memory::format_tag::any};
  conv.strides = {a.stride_h, a.stride_w};
  conv.dilates = {a.dilation - 1, a.dilation - 1};
  conv.pad = {a.pad_h, a.pad_w};
  return conv;
}

// Proposes primitive P of descriptor pd over (input, input) -> output, whose weights are wanted as pd says.
template <class P, class D>
Lowered Propose(const NodeView& view, OneDnn& onednn, const D& pd, std::array<int, 3> arguments,
                std::array<memory::desc, 3> descs) {
  Lowered lowered;
  lowered.spec.name = fmt::format("onednn:{}", pd.impl_info_str());
  const auto layout_of = [&](ir::ValueId value, const memory::desc& desc, int argument) {
    const bool weights = argument == DNNL_ARG_WEIGHTS || argument == DNNL_ARG_DIFF_WEIGHTS;
    // Told by the descriptor alone, channels-last could not be told from plain where a side is 1.
    const bool channels_last = !weights && desc == onednn.Desc(view.graph.desc(value), Layout::kChannelsLast);
    return channels_last ? Layout::kChannelsLast : onednn.Intern(view.graph.desc(value), desc);
  };
  for (int i : {0, 1}) lowered.spec.input_layouts.push_back(layout_of(view.node.inputs[i], descs[i], arguments[i]));
  lowered.spec.output_layouts = {layout_of(view.node.outputs[0], descs[2], arguments[2])};
  lowered.spec.workspace_bytes = pd.scratchpad_desc().get_size();
  lowered.build = [&onednn, pd, arguments, descs] {
    return std::make_unique<PrimitiveKernel>(
        onednn, P(pd), std::vector<PrimitiveKernel::Argument>{{arguments[0], descs[0]}, {arguments[1], descs[1]}},
        std::vector<PrimitiveKernel::Argument>{{arguments[2], descs[2]}}, pd.scratchpad_desc());
  };
  return lowered;
}

// The implementation that comes so many behind oneDNN's first.
template <class D>
const D& Later(D& pd, int behind) {
  for (; behind > 0; --behind)
    if (!pd.next_impl()) throw dnnl::error(dnnl_unimplemented, "oneDNN has no other implementation");
  return pd;
}

Lowered LowerByOneDnn(const NodeView& view, const DenseConvolution& c, OneDnn& onednn, int behind = 0) {
  using Direct = dnnl::algorithm;
  const auto algorithm = Direct::convolution_direct;
  dnnl::convolution_forward::primitive_desc forward(onednn.engine(), dnnl::prop_kind::forward_training, algorithm,
                                                    c.src, c.weights, c.dst, c.strides, c.dilates, c.pad, c.pad,
                                                    ScratchpadAttr());
  if (view.node.kind == OpKind::kConv2d)
    return Propose<dnnl::convolution_forward>(view, onednn, Later(forward, behind),
                                              {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                              {forward.src_desc(), forward.weights_desc(), forward.dst_desc()});
  if (view.node.kind == OpKind::kConv2dBwdData) {
    dnnl::convolution_backward_data::primitive_desc pd(onednn.engine(), algorithm, c.src, c.weights, c.dst, c.strides,
                                                       c.dilates, c.pad, c.pad, forward, ScratchpadAttr());
    return Propose<dnnl::convolution_backward_data>(view, onednn, Later(pd, behind),
                                                    {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC},
                                                    {pd.diff_dst_desc(), pd.weights_desc(), pd.diff_src_desc()});
  }
  dnnl::convolution_backward_weights::primitive_desc pd(onednn.engine(), algorithm, c.src, c.weights, c.dst, c.strides,
                                                        c.dilates, c.pad, c.pad, forward, ScratchpadAttr());
  return Propose<dnnl::convolution_backward_weights>(view, onednn, Later(pd, behind),
                                                     {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS},
                                                     {pd.src_desc(), pd.diff_dst_desc(), pd.diff_weights_desc()});
}

}  // namespace

Lowered LowerConvolution(const NodeView& view, OneDnn& onednn) {
  const auto a = ir::Unpack<ops::ConvAttributes>(view.node.attributes);
  const Shapes shapes = ShapesOf(view.node);
  const Shape &src = view.graph.shape(shapes.src), &weights = view.graph.shape(shapes.weights);
  if (IsDepthwise(a, src, weights))
    return WithPlainWeights(view, LowerDepthwise(view, DepthwiseParamsOf(a, src, weights)));
  if (IsPointwise(a, weights))
    return WithPlainWeights(view, LowerPointwise(view, {src.n() * src.h() * src.w(), src.c(), weights[0], a.groups}));
  if (view.node.kind == OpKind::kConv2d && IsNarrow(a, src) && weights[2] == weights[3])
    return WithPlainWeights(
        view, LowerNarrow(view, {src.n(), src.h(), src.w(), src.c(), weights[0], weights[2], a.stride_h, a.pad_h}));
  PD_CHECK(a.groups == 1, "a grouped convolution that is neither depthwise nor 1x1 of stride 1");
  return LowerByOneDnn(view, Describe(view, a, shapes, memory::format_tag::acdb), onednn);
}

bool LowerConvolutionByOneDnn(const NodeView& view, OneDnn& onednn, int variant, Lowered* lowered) {
  const auto a = ir::Unpack<ops::ConvAttributes>(view.node.attributes);
  const auto activations = variant == 2 ? memory::format_tag::any : memory::format_tag::acdb;
  try {
    *lowered = LowerByOneDnn(view, Describe(view, a, ShapesOf(view.node), activations), onednn, variant == 3 ? 1 : 0);
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    return false;
  }
  lowered->spec.variant = variant;
  return lowered->spec.name.find("ref") == std::string::npos;
}

}  // namespace pdarts::backends::cpu
