#include "backends/cpu/onednn.h"

namespace pdarts::backends::cpu {
namespace {

using dnnl::memory;
using tensor::Layout;

memory::dims Dims(const tensor::Shape& shape) { return {shape.dims().begin(), shape.dims().end()}; }

memory::desc PlainDesc(const tensor::Shape& shape) {
  constexpr memory::format_tag kTags[] = {memory::format_tag::a, memory::format_tag::a, memory::format_tag::ab,
                                          memory::format_tag::abc, memory::format_tag::abcd};
  PD_CHECK(shape.rank() >= 1 && shape.rank() <= 4, "rank {}", shape.rank());
  return {Dims(shape), memory::data_type::f32, kTags[shape.rank()]};
}

}  // namespace

memory::desc OneDnn::Desc(const tensor::TensorDesc& desc, Layout layout) const {
  PD_CHECK(desc.dtype == tensor::DType::kF32, "oneDNN is used for f32 only, not {}", Name(desc.dtype));
  if (layout == Layout::kPlain) return PlainDesc(desc.shape);
  if (layout == Layout::kChannelsLast) return {Dims(desc.shape), memory::data_type::f32, memory::format_tag::acdb};
  const size_t index = static_cast<size_t>(layout) - static_cast<size_t>(Layout::kFirstOpaque);
  PD_CHECK(index < interned_.size(), "layout {}", static_cast<int>(layout));
  return interned_[index];
}

Layout OneDnn::Intern(const tensor::TensorDesc& desc, const memory::desc& chosen) {
  if (chosen == PlainDesc(desc.shape)) return Layout::kPlain;
  for (size_t i = 0; i < interned_.size(); ++i)
    if (interned_[i] == chosen)
      return static_cast<Layout>(static_cast<int>(Layout::kFirstOpaque) + static_cast<int>(i));
  interned_.push_back(chosen);
  return static_cast<Layout>(static_cast<int>(Layout::kFirstOpaque) + static_cast<int>(interned_.size()) - 1);
}

PrimitiveKernel::PrimitiveKernel(OneDnn& onednn, dnnl::primitive primitive, const std::vector<Argument>& inputs,
                                 const std::vector<Argument>& outputs, const memory::desc& scratchpad)
    : stream_(onednn.stream()), primitive_(std::move(primitive)), scratchpad_(scratchpad, onednn.engine(), nullptr) {
  const auto add = [&](const std::vector<Argument>& arguments, std::vector<memory>& memories) {
    for (const Argument& argument : arguments) {
      memories.emplace_back(argument.desc, onednn.engine(), nullptr);
      arguments_.emplace(argument.dnnl_argument, memories.back());  // shares the handle with the list
    }
  };
  add(inputs, inputs_);
  add(outputs, outputs_);
  arguments_.emplace(DNNL_ARG_SCRATCHPAD, scratchpad_);
}

void PrimitiveKernel::Launch(std::span<const void* const> in, std::span<void* const> out, void* workspace) {
  for (size_t i = 0; i < inputs_.size(); ++i)
    inputs_[i].set_data_handle(const_cast<void*>(in[i]));  // oneDNN's API takes no const
  for (size_t i = 0; i < outputs_.size(); ++i) outputs_[i].set_data_handle(out[i]);
  scratchpad_.set_data_handle(workspace);
  primitive_.execute(stream_, arguments_);
}

dnnl::primitive_attr ScratchpadAttr() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

Lowered LowerReorder(const NodeView& view, OneDnn& onednn) {
  const auto from = static_cast<Layout>(view.node.attributes.Int("from")),
             to = static_cast<Layout>(view.node.attributes.Int("to"));
  const tensor::TensorDesc desc = view.graph.desc(view.node.inputs[0]);
  const memory::desc src = onednn.Desc(desc, from), dst = onednn.Desc(desc, to);
  const dnnl::reorder::primitive_desc pd(onednn.engine(), src, onednn.engine(), dst, ScratchpadAttr());
  Lowered lowered;
  lowered.spec.name = fmt::format("onednn:{}", pd.impl_info_str());
  lowered.spec.input_layouts = {from};
  lowered.spec.output_layouts = {to};
  lowered.spec.workspace_bytes = pd.scratchpad_desc().get_size();
  lowered.build = [&onednn, pd, src, dst] {
    return std::make_unique<PrimitiveKernel>(
        onednn, dnnl::reorder(pd), std::vector<PrimitiveKernel::Argument>{{DNNL_ARG_FROM, src}},
        std::vector<PrimitiveKernel::Argument>{{DNNL_ARG_TO, dst}}, pd.scratchpad_desc());
  };
  return lowered;
}

}  // namespace pdarts::backends::cpu
