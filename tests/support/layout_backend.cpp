#include "support/layout_backend.h"

#include <algorithm>
#include <cstring>

#include "backends/ref/ref_backend.h"
#include "plan/storage.h"

namespace pdarts::test {
namespace {

using ir::OpKind;
using tensor::Layout;
using tensor::TensorDesc;

constexpr Layout kReversed{17};

// Moves one tensor of 4-byte elements between plain and another layout.
void Move(const TensorDesc& desc, Layout layout, bool to_plain, const void* from, void* to) {
  const auto* src = static_cast<const std::byte*>(from);
  auto* dst = static_cast<std::byte*>(to);
  const size_t size = tensor::SizeOf(desc.dtype);
  const int64_t elements = desc.shape.elements();
  for (int64_t i = 0; i < elements; ++i) {  // i: plain index
    int64_t there = i;
    if (layout == kReversed) there = elements - 1 - i;
    if (layout == Layout::kChannelsLast) {
      const int64_t pixels = desc.shape.h() * desc.shape.w(), c = desc.shape.c();
      there = i / (c * pixels) * c * pixels + i % pixels * c + i / pixels % c;
    }
    std::memcpy(dst + (to_plain ? i : there) * size, src + (to_plain ? there : i) * size, size);
  }
}

class LayoutKernel final : public device::Kernel {
 public:
  LayoutKernel(std::unique_ptr<device::Kernel> inner, const ir::Graph& graph, const ir::Node& node,
               const device::KernelSpec& spec, bool broken)
      : inner_(std::move(inner)), spec_(spec), broken_(broken) {
    for (ir::ValueId value : node.inputs) input_descs_.push_back(graph.desc(value));
    for (ir::ValueId value : node.outputs) output_descs_.push_back(graph.desc(value));
  }

  void Launch(std::span<const void* const> inputs, std::span<void* const> outputs, void*) override {
    std::vector<plan::AlignedBuffer> plain;
    plain.reserve(inputs.size() + outputs.size());
    std::vector<const void*> in;
    std::vector<void*> out;
    for (size_t i = 0; i < inputs.size(); ++i) {
      plain.emplace_back(input_descs_[i].bytes(), "test");
      Move(input_descs_[i], spec_.input_layouts[i], true, inputs[i], plain.back().data());
      in.push_back(plain.back().data());
    }
    for (const TensorDesc& desc : output_descs_) {
      plain.emplace_back(desc.bytes(), "test");
      out.push_back(plain.back().data());
    }
    inner_->Launch(in, out, nullptr);
    if (broken_)
      for (int64_t i = 0; i < output_descs_[0].shape.elements(); ++i) static_cast<float*>(out[0])[i] *= 1.01f;
    for (size_t i = 0; i < outputs.size(); ++i)
      Move(output_descs_[i], spec_.output_layouts[i], false, out[i], outputs[i]);
  }

 private:
  std::unique_ptr<device::Kernel> inner_;
  device::KernelSpec spec_;
  bool broken_;
  std::vector<TensorDesc> input_descs_, output_descs_;
};

class LayoutBackend final : public device::Backend {
 public:
  explicit LayoutBackend(const LayoutBackendOptions& options) : options_(options) {}
  std::string Name() const override { return "layouts"; }
  std::string Signature() const override { return "layouts"; }

  std::vector<device::KernelSpec> Propose(const ir::Graph& graph, ir::NodeId id) override {
    const ir::Node& node = graph.node(id);
    device::KernelSpec plain = ref_->Propose(graph, id)[0];
    if (node.kind == OpKind::kReorder) {
      plain.input_layouts[0] = static_cast<Layout>(node.attributes.Int("from"));
      plain.output_layouts[0] = static_cast<Layout>(node.attributes.Int("to"));
      return {plain};
    }
    if (node.kind == OpKind::kSgd || node.kind == OpKind::kSumSquares) return {plain};
    device::KernelSpec last = plain;
    plain.cost = 1;
    const bool convolution = node.kind == OpKind::kConv2d || node.kind == OpKind::kConv2dBwdData;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (convolution && i == 1)
        last.input_layouts[i] = plain.input_layouts[i] = options_.opaque_weights ? kReversed : Layout::kPlain;
      else if (graph.shape(node.inputs[i]).rank() == 4)
        last.input_layouts[i] = Layout::kChannelsLast;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (graph.shape(node.outputs[i]).rank() == 4 && node.kind != OpKind::kConv2dBwdWeights)
        last.output_layouts[i] = Layout::kChannelsLast;
    return {plain, last};
  }

  std::unique_ptr<device::Kernel> Build(const ir::Graph& graph, ir::NodeId id,
                                        const device::KernelSpec& spec) override {
    const ir::Node& node = graph.node(id);
    return std::make_unique<LayoutKernel>(ref_->Build(graph, id, spec), graph, node, spec,
                                          node.kind == options_.broken);
  }

  size_t Bytes(const TensorDesc& desc, Layout) const override { return desc.bytes(); }
  std::string LayoutName(Layout layout) const override {
    return layout == Layout::kPlain ? "plain" : layout == Layout::kChannelsLast ? "channels_last" : "reversed";
  }

 private:
  LayoutBackendOptions options_;
  std::unique_ptr<device::Backend> ref_ = backends::NewRefBackend();
};

}  // namespace

std::unique_ptr<device::Backend> NewLayoutBackend(const LayoutBackendOptions& options) {
  return std::make_unique<LayoutBackend>(options);
}

}  // namespace pdarts::test
