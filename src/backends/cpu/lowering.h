// How one kind of node becomes a kernel. Each file of this folder lowers a family of ops; cpu_backend.cpp holds the
// table.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/dropout_mask.h"
#include "device/backend.h"

namespace pdarts::backends::cpu {

// What a lowering sees of its node.
struct NodeView {
  const ir::Graph& graph;
  const ir::Node& node;

  const tensor::Shape& in(int i) const { return graph.shape(node.inputs[i]); }
  const tensor::Shape& out(int i) const { return graph.shape(node.outputs[i]); }
  int inputs() const { return static_cast<int>(node.inputs.size()); }
  int outputs() const { return static_cast<int>(node.outputs.size()); }
};

using LaunchFunction =
    std::function<void(std::span<const void* const> in, std::span<void* const> out, void* workspace)>;

class FunctionKernel final : public device::Kernel {
 public:
  explicit FunctionKernel(LaunchFunction launch) : launch_(std::move(launch)) {}
  void Launch(std::span<const void* const> in, std::span<void* const> out, void* workspace) override {
    launch_(in, out, workspace);
  }

 private:
  LaunchFunction launch_;
};

// A proposal and the way to build it.
struct Lowered {
  device::KernelSpec spec;
  std::function<std::unique_ptr<device::Kernel>()> build;
};

// An own kernel on activations: every 4-D value channels-last, all else plain.
Lowered OwnKernel(const NodeView& view, std::string name, size_t workspace_bytes, LaunchFunction launch);

// The same for kernels on parameters (copies into slots, optimizers): every value plain.
Lowered PlainKernel(const NodeView& view, std::string name, size_t workspace_bytes, LaunchFunction launch);

template <class T>
const T* In(std::span<const void* const> in, size_t i) {
  return static_cast<const T*>(in[i]);
}
template <class T>
T* Out(std::span<void* const> out, size_t i) {
  return static_cast<T*>(out[i]);
}

// Room for `count` operands, in whole cache lines.
template <class T>
constexpr size_t LinesOf(size_t count) {
  return (count * sizeof(T) + 63) / 64 * 64;
}

// `count` of them in a workspace.
template <class T>
std::span<T> At(void* workspace, size_t offset, size_t count) {
  auto* first = reinterpret_cast<T*>(static_cast<std::byte*>(workspace) + offset);
  std::uninitialized_value_construct_n(first, count);
  return {first, count};
}

// The draw of a dropout op; rng: seed and step.
base::DropoutDraw DrawOf(base::RandomStream stream, int64_t op_id, const int64_t* rng);

class OneDnn;  // engine, stream, interned layouts: onednn.h

Lowered LowerConvolution(const NodeView& view, OneDnn& onednn);  // all three passes, dense and depthwise
Lowered LowerLinear(const NodeView& view, OneDnn& onednn);       // all three passes
Lowered LowerBatchNorm(const NodeView& view);                    // training, backward, inference, statistics
Lowered LowerSeparable(const NodeView& view);                    // what fuse_separable makes, both passes
Lowered LowerElementwise(const NodeView& view);                  // relu, add_n, scale, dropout, drop path, constants
Lowered LowerPool(const NodeView& view);                         // all pools
Lowered LowerShape(const NodeView& view);                        // concat, slice, subsample, stack
Lowered LowerMixed(const NodeView& view);                        // softmax, weighted sums
Lowered LowerNormalizedSum(const NodeView& view);                // normalised sums, both ways
Lowered LowerPathSum(const NodeView& view);                      // sums of normalised paths, both ways
Lowered LowerLoss(const NodeView& view);                         // cross entropy, counts, optimizers
Lowered LowerReorder(const NodeView& view, OneDnn& onednn);

}  // namespace pdarts::backends::cpu
