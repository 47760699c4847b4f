#include "backends/ref/ref_backend.h"

#include "ops/op.h"

namespace pdarts::backends {
namespace {

using tensor::Layout;

// Optimizers and statistics read an element before they write it, so they work in place on their slots.
std::vector<std::pair<int, int>> InPlacePairs(const ir::Node& node) {
  std::vector<std::pair<int, int>> pairs;
  const int outputs = static_cast<int>(node.outputs.size());
  if (node.kind == ir::OpKind::kUpdateStatistics)
    for (int i = 0; i < outputs; ++i) pairs.emplace_back(i / 2 * 4 + i % 2, i);
  if (node.kind == ir::OpKind::kSgd || node.kind == ir::OpKind::kAdam) {
    const int k = outputs / (node.kind == ir::OpKind::kSgd ? 2 : 3);
    for (int i = 0; i < outputs; ++i) pairs.emplace_back(i < k ? i : i + k, i);  // the diffs lie between
  }
  return pairs;
}

class RefKernel final : public device::Kernel {
 public:
  RefKernel(const ir::Graph& graph, ir::NodeId id) : node_(graph.node(id)) {
    // The kernel outlives the graph: keep only this node and its values.
    for (ir::ValueId& input : node_.inputs) input = Keep(graph, input);
    const std::vector<tensor::TensorDesc> outputs = Descs(graph, node_.outputs);
    node_.outputs = own_.AddNode(node_.kind, node_.attributes, node_.inputs, outputs);
  }

  void Launch(std::span<const void* const> inputs, std::span<void* const> outputs, void*) override {
    ops::Definition(node_.kind).reference({own_, node_, inputs, outputs});
  }

 private:
  static std::vector<tensor::TensorDesc> Descs(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
    std::vector<tensor::TensorDesc> descs;
    for (ir::ValueId value : values) descs.push_back(graph.desc(value));
    return descs;
  }

  ir::ValueId Keep(const ir::Graph& graph, ir::ValueId value) {
    return own_.Input(fmt::format("v{}", value), graph.desc(value));
  }

  ir::Graph own_;
  ir::Node node_;
};

class RefBackend final : public device::Backend {
 public:
  std::string Name() const override { return "ref"; }
  std::string Signature() const override { return "ref"; }

  std::vector<device::KernelSpec> Propose(const ir::Graph& graph, ir::NodeId id) override {
    const ir::Node& node = graph.node(id);
    PD_CHECK(ops::Definition(node.kind).reference != nullptr, "{} is not computed", ir::Name(node.kind));
    device::KernelSpec spec;
    spec.name = fmt::format("ref:{}", ir::Name(node.kind));
    spec.input_layouts.assign(node.inputs.size(), Layout::kPlain);
    spec.output_layouts.assign(node.outputs.size(), Layout::kPlain);
    spec.in_place = InPlacePairs(node);
    return {spec};
  }

  std::unique_ptr<device::Kernel> Build(const ir::Graph& graph, ir::NodeId id, const device::KernelSpec&) override {
    return std::make_unique<RefKernel>(graph, id);
  }

  size_t Bytes(const tensor::TensorDesc& desc, Layout layout) const override {
    PD_CHECK(layout == Layout::kPlain);
    return desc.bytes();
  }
  std::string LayoutName(Layout) const override { return "plain"; }
};

}  // namespace

std::unique_ptr<device::Backend> NewRefBackend() { return std::make_unique<RefBackend>(); }

}  // namespace pdarts::backends
