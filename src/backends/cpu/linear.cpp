// Linear layers by oneDNN's inner product on plain layouts: they are small (batch x classes), so no layout is worth a
// reorder.
#include "backends/cpu/onednn.h"

namespace pdarts::backends::cpu {
namespace {

using tensor::Layout;

template <class P, class D>
Lowered Propose(const NodeView& view, OneDnn& onednn, const D& pd, const std::vector<int>& in,
                const std::vector<int>& out) {
  Lowered lowered;
  lowered.spec.name = fmt::format("onednn:{}", pd.impl_info_str());
  lowered.spec.input_layouts.assign(in.size(), Layout::kPlain);
  lowered.spec.output_layouts.assign(out.size(), Layout::kPlain);
  lowered.spec.workspace_bytes = pd.scratchpad_desc().get_size();
  std::vector<PrimitiveKernel::Argument> inputs, outputs;
  for (size_t i = 0; i < in.size(); ++i)
    inputs.push_back({in[i], onednn.Desc(view.graph.desc(view.node.inputs[i]), Layout::kPlain)});
  for (size_t i = 0; i < out.size(); ++i)
    outputs.push_back({out[i], onednn.Desc(view.graph.desc(view.node.outputs[i]), Layout::kPlain)});
  lowered.build = [&onednn, pd, inputs, outputs] {
    return std::make_unique<PrimitiveKernel>(onednn, P(pd), inputs, outputs, pd.scratchpad_desc());
  };
  return lowered;
}

}  // namespace

Lowered LowerLinear(const NodeView& view, OneDnn& onednn) {
  using ir::OpKind;
  const auto desc = [&](ir::ValueId value) { return onednn.Desc(view.graph.desc(value), Layout::kPlain); };
  const std::vector<ir::ValueId>&in = view.node.inputs, &out = view.node.outputs;
  const auto forward = [&](const dnnl::memory::desc& src, const dnnl::memory::desc& weights,
                           const dnnl::memory::desc& dst) {
    const dnnl::memory::desc bias({dst.get_dims()[1]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
    return dnnl::inner_product_forward::primitive_desc(onednn.engine(), dnnl::prop_kind::forward_training, src, weights,
                                                       bias, dst, ScratchpadAttr());
  };
  if (view.node.kind == OpKind::kLinear)
    return Propose<dnnl::inner_product_forward>(view, onednn, forward(desc(in[0]), desc(in[1]), desc(out[0])),
                                                {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS}, {DNNL_ARG_DST});
  if (view.node.kind == OpKind::kLinearBwdData) {
    const dnnl::inner_product_backward_data::primitive_desc pd(onednn.engine(), desc(out[0]), desc(in[1]), desc(in[0]),
                                                               forward(desc(out[0]), desc(in[1]), desc(in[0])),
                                                               ScratchpadAttr());
    return Propose<dnnl::inner_product_backward_data>(view, onednn, pd, {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS},
                                                      {DNNL_ARG_DIFF_SRC});
  }
  const dnnl::inner_product_backward_weights::primitive_desc pd(
      onednn.engine(), desc(in[0]), desc(out[0]), desc(out[1]), desc(in[1]),
      forward(desc(in[0]), desc(out[0]), desc(in[1])), ScratchpadAttr());
  return Propose<dnnl::inner_product_backward_weights>(view, onednn, pd, {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST},
                                                       {DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS});
}

}  // namespace pdarts::backends::cpu
