// Layouts: for each node one of the backend's proposals, and reorders, as nodes of the graph, where a value is wanted
// otherwise.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "device/backend.h"
#include "ir/graph.h"

namespace pdarts::passes {

// What is moved between layouts, by what it is.
struct ReorderStats {
  int activations = 0, weights = 0;  // steps; weights: parameters read from slots, and their gradients
  size_t activation_bytes = 0, weight_bytes = 0;
};

// A graph whose nodes have kernels and whose values have layouts.
struct LaidOut {
  ir::Graph graph;
  std::vector<device::KernelSpec> specs;  // by node; empty for inputs and slot reads, which are no steps
  std::vector<tensor::Layout> layouts;    // by value
  ReorderStats reorders;
  // Order that the data do not tell: the first node must run before the second, which overwrites what the first reads.
  std::vector<std::pair<ir::NodeId, ir::NodeId>> before;
};

// Inputs and slot reads: values that lie somewhere before the first step.
inline bool IsLeaf(ir::OpKind kind) { return kind == ir::OpKind::kInput || kind == ir::OpKind::kReadSlot; }

// Walks the graph in order and takes for each node the proposal that moves the fewest bytes, then the one of least
// cost, then the first. Slots, what is assigned to them, and outputs are plain; graph inputs have the layout they were
// declared with. A value is reordered once per layout. Reorder nodes carry the attributes `from` and `to`
// (tensor::Layout as integers).
LaidOut AssignLayouts(const ir::Graph& graph, device::Backend& backend);

// Makes every assigned value lie in its slot's own storage. Where its producer may write there (everyone else who reads
// the old content can run before, and the producer itself reads it in place or not at all), only `before` grows;
// elsewhere a copy is added. Called by AssignLayouts, on a graph that has no assignments and outputs yet; adds them.
void PlaceAssignments(const ir::Graph& original, const std::vector<ir::ValueId>& assigned,
                      const std::vector<ir::ValueId>& outputs, device::Backend& backend, LaidOut& result);

}  // namespace pdarts::passes
