#include "backends/cpu/cpu_backend.h"

#include "backends/cpu/onednn.h"
#include "base/parallel.h"
#include "base/sources_digest.h"
#include "device/alternatives.h"
#include "kernels/isa.h"

namespace pdarts::backends {
namespace cpu {
namespace {

using ir::OpKind;
using tensor::Layout;

// Of an op that passes make of several; nullptr for others.
Lowered (*LoweringOfFused(OpKind kind))(const NodeView&) {
  switch (kind) {
    case OpKind::kSeparable:
    case OpKind::kSeparableBwd:
      return LowerSeparable;
    case OpKind::kPoolNorm:
    case OpKind::kPoolNormBwd:
      return LowerPool;
    case OpKind::kNormalizedSum:
    case OpKind::kNormalizedSumBwd:
      return LowerNormalizedSum;
    case OpKind::kPathSum:
    case OpKind::kPathSumBwd:
      return LowerPathSum;
    default:
      return nullptr;
  }
}

Lowered Lower(const NodeView& view, OneDnn& onednn) {
  if (const auto lower = LoweringOfFused(view.node.kind)) return lower(view);
  switch (view.node.kind) {
    case OpKind::kConv2d:
    case OpKind::kConv2dBwdData:
    case OpKind::kConv2dBwdWeights:
      return LowerConvolution(view, onednn);
    case OpKind::kLinear:
    case OpKind::kLinearBwdData:
    case OpKind::kLinearBwdWeights:
      return LowerLinear(view, onednn);
    case OpKind::kBatchNormStatistics:
    case OpKind::kBatchNormApply:
    case OpKind::kBatchNormBwdSums:
    case OpKind::kBatchNormBwdData:
    case OpKind::kUpdateStatistics:
      return LowerBatchNorm(view);
    case OpKind::kMaxPool:
    case OpKind::kMaxPoolBwd:
    case OpKind::kAvgPool:
    case OpKind::kAvgPoolBwd:
    case OpKind::kGlobalAvgPool:
    case OpKind::kGlobalAvgPoolBwd:
      return LowerPool(view);
    case OpKind::kConcat:
    case OpKind::kSlice:
    case OpKind::kSubsample:
    case OpKind::kSubsampleBwd:
    case OpKind::kStack:
    case OpKind::kUnstack:
      return LowerShape(view);
    case OpKind::kSoftmax:
    case OpKind::kSoftmaxBwd:
    case OpKind::kWeightedSum:
    case OpKind::kWeightedSumBwdWeights:
    case OpKind::kScaleByWeight:
      return LowerMixed(view);
    case OpKind::kCrossEntropy:
    case OpKind::kCrossEntropyBwd:
    case OpKind::kCountCorrect:
    case OpKind::kSumSquares:
    case OpKind::kSgd:
    case OpKind::kAdam:
      return LowerLoss(view);
    case OpKind::kReorder:
      return LowerReorder(view, onednn);
    case OpKind::kInput:
    case OpKind::kReadSlot:
      PD_CHECK(false, "{} is storage, not a kernel", ir::Name(view.node.kind));
    default:
      return LowerElementwise(view);
  }
}

class CpuBackend final : public device::Backend, public device::Alternatives {
 public:
  CpuBackend() { dnnl::set_max_cpu_isa(MaxIsa()); }

  std::string Name() const override { return "cpu"; }

  std::string Signature() const override {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("cpu isa={} threads={} onednn={}.{}.{} effective_isa={} sources={}",
                       kernels::IsaName(kernels::ActiveIsa()), base::Threads(), version->major, version->minor,
                       version->patch, static_cast<int>(dnnl::get_effective_cpu_isa()), base::SourcesDigest());
  }

  std::vector<device::KernelSpec> Propose(const ir::Graph& graph, ir::NodeId node) override {
    return {Lower({graph, graph.node(node)}, onednn_).spec};
  }

  std::vector<device::KernelSpec> AlternativesOf(const ir::Graph& graph, ir::NodeId node) override {
    std::vector<device::KernelSpec> specs = Propose(graph, node);
    const OpKind kind = graph.node(node).kind;
    if (kind != OpKind::kConv2d && kind != OpKind::kConv2dBwdData && kind != OpKind::kConv2dBwdWeights) return specs;
    Lowered lowered;
    for (const int variant : {1, 2, 3})
      if (LowerConvolutionByOneDnn({graph, graph.node(node)}, onednn_, variant, &lowered))
        specs.push_back(lowered.spec);
    return specs;
  }

  std::unique_ptr<device::Kernel> Build(const ir::Graph& graph, ir::NodeId node,
                                        const device::KernelSpec& spec) override {
    const NodeView view{graph, graph.node(node)};
    Lowered lowered;
    if (spec.variant == 0) return Lower(view, onednn_).build();
    PD_CHECK(LowerConvolutionByOneDnn(view, onednn_, spec.variant, &lowered), "{} was never proposed", spec.name);
    return lowered.build();
  }

  size_t Bytes(const tensor::TensorDesc& desc, Layout layout) const override {
    return layout < Layout::kFirstOpaque ? desc.bytes() : onednn_.Desc(desc, layout).get_size();
  }

  std::string LayoutName(Layout layout) const override {
    if (layout == Layout::kPlain) return "plain";
    if (layout == Layout::kChannelsLast) return "nhwc";
    return fmt::format("onednn#{}", static_cast<int>(layout) - static_cast<int>(Layout::kFirstOpaque));
  }

 private:
  // --isa forces oneDNN as well. It can be set only before oneDNN is first used in the process; later calls change
  // nothing.
  static dnnl::cpu_isa MaxIsa() {
    switch (kernels::ActiveIsa()) {
      case kernels::Isa::kScalar:
        return dnnl::cpu_isa::sse41;
      case kernels::Isa::kAvx2:
        return dnnl::cpu_isa::avx2;
      case kernels::Isa::kAvx512:
        return dnnl::cpu_isa::isa_default;
    }
    return dnnl::cpu_isa::isa_default;
  }

  OneDnn onednn_;
};

}  // namespace

Lowered OwnKernel(const NodeView& view, std::string name, size_t workspace_bytes, LaunchFunction launch) {
  const auto layout = [&](ir::ValueId value) {
    return view.graph.shape(value).rank() == 4 ? Layout::kChannelsLast : Layout::kPlain;
  };
  Lowered lowered;
  lowered.spec.name = std::move(name);
  lowered.spec.workspace_bytes = workspace_bytes;
  for (ir::ValueId value : view.node.inputs) lowered.spec.input_layouts.push_back(layout(value));
  for (ir::ValueId value : view.node.outputs) lowered.spec.output_layouts.push_back(layout(value));
  lowered.build = [launch = std::move(launch)] { return std::make_unique<FunctionKernel>(launch); };
  return lowered;
}

Lowered PlainKernel(const NodeView& view, std::string name, size_t workspace_bytes, LaunchFunction launch) {
  Lowered lowered = OwnKernel(view, std::move(name), workspace_bytes, std::move(launch));
  for (Layout& layout : lowered.spec.input_layouts) layout = Layout::kPlain;
  for (Layout& layout : lowered.spec.output_layouts) layout = Layout::kPlain;
  return lowered;
}

}  // namespace cpu

std::unique_ptr<device::Backend> NewCpuBackend() { return std::make_unique<cpu::CpuBackend>(); }

}  // namespace pdarts::backends
