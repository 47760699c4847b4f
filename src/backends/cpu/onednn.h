// What the oneDNN lowerings share: engine, stream, and the layouts that oneDNN chose, interned as
// pdarts::tensor::Layout numbers.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "backends/cpu/lowering.h"

namespace pdarts::backends::cpu {

class OneDnn {
 public:
  OneDnn() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  dnnl::engine& engine() { return engine_; }
  dnnl::stream& stream() { return stream_; }

  // The descriptor of a tensor in a layout; and the layout's number for a descriptor that oneDNN chose (plain and
  // channels-last are recognised). The number stands for the exact descriptor, shape included.
  dnnl::memory::desc Desc(const tensor::TensorDesc& desc, tensor::Layout layout) const;
  tensor::Layout Intern(const tensor::TensorDesc& desc, const dnnl::memory::desc& chosen);

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<dnnl::memory::desc> interned_;
};

// Runs a primitive over prepared memory objects; only the addresses change from launch to launch.
class PrimitiveKernel final : public device::Kernel {
 public:
  struct Argument {
    int dnnl_argument;  // DNNL_ARG_SRC, ...
    dnnl::memory::desc desc;
  };
  PrimitiveKernel(OneDnn& onednn, dnnl::primitive primitive, const std::vector<Argument>& inputs,
                  const std::vector<Argument>& outputs, const dnnl::memory::desc& scratchpad);
  void Launch(std::span<const void* const> in, std::span<void* const> out, void* workspace) override;

 private:
  dnnl::stream& stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::vector<dnnl::memory> inputs_, outputs_;
  dnnl::memory scratchpad_;
};

// User-managed scratchpad, so that a launch allocates nothing.
dnnl::primitive_attr ScratchpadAttr();

// A convolution by oneDNN, whatever LowerConvolution takes for it: with channels-last activations (variant 1, or by
// oneDNN's second choice variant 3: of depthwise forwards it puts its jit behind another kernel) or in the layouts of
// oneDNN's choice (variant 2). False where oneDNN has nothing but its reference code.
bool LowerConvolutionByOneDnn(const NodeView& view, OneDnn& onednn, int variant, Lowered* lowered);

}  // namespace pdarts::backends::cpu
