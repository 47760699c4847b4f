// What a plan needs of a device: proposals for each node, and kernels that run without looking anything up.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace pdarts::device {

// One way to run a node.
struct KernelSpec {
  std::string name;  // shown by bench and dumps: "onednn:brgconv:avx2", "own:dw3x3:avx2"
  std::vector<tensor::Layout> input_layouts, output_layouts;
  size_t workspace_bytes = 0;                 // scratch for one launch, aligned to kAlignment
  std::vector<std::pair<int, int>> in_place;  // (input, output) that may be the same memory
  double cost = 0;                            // relative, to choose among proposals; 0 is best
  int variant = 0;                            // the backend's own number of this proposal, to Build it
};
inline constexpr size_t kAlignment = 64;

// A node ready to run. Launch allocates nothing and looks nothing up: inputs, outputs and workspace are plain
// addresses.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Launch(std::span<const void* const> inputs, std::span<void* const> outputs, void* workspace) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string Name() const = 0;       // "ref", "cpu"
  virtual std::string Signature() const = 0;  // all that the bits of a result depend on: library versions, ISA, threads
  virtual std::vector<KernelSpec> Propose(const ir::Graph& graph, ir::NodeId node) = 0;  // never empty
  virtual std::unique_ptr<Kernel> Build(const ir::Graph& graph, ir::NodeId node, const KernelSpec& spec) = 0;
  virtual size_t Bytes(const tensor::TensorDesc& desc, tensor::Layout layout) const = 0;
  virtual std::string LayoutName(tensor::Layout layout) const = 0;
};

}  // namespace pdarts::device
