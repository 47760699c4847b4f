#include "passes/memory.h"

#include <algorithm>
#include <numeric>

namespace pdarts::passes {
namespace {

using ir::NodeId;
using ir::ValueId;

size_t Aligned(size_t bytes) { return (bytes + device::kAlignment - 1) / device::kAlignment * device::kAlignment; }

// A piece of the arena from the step that first writes it to the step that last reads it.
struct Buffer {
  size_t bytes = 0;
  int first = 0, last = 0;
  size_t offset = 0;

  size_t WithGap() const { return bytes < kLargeBuffer ? bytes : bytes + kGapBehindLarge; }
};

class Planner {
 public:
  Planner(const LaidOut& laid_out, std::span<const NodeId> order, std::span<const size_t> bytes, bool no_reuse)
      : laid_out_(laid_out), graph_(laid_out.graph), order_(order), bytes_(bytes), no_reuse_(no_reuse) {}

  MemoryPlan Run() {
    PlaceOutside();
    FindLastUses();
    MakeBuffers();
    plan_.live_bytes = LiveBytes();
    if (no_reuse_)
      PlaceApart();
    else
      PlaceBuffers();
    Report();
    return std::move(plan_);
  }

 private:
  int Steps() const { return static_cast<int>(order_.size()); }
  bool InArena(ValueId value) const { return plan_.places[value].area == Area::kTemporary; }

  void PlaceOutside() {
    plan_.places.resize(graph_.values().size());
    for (size_t value = 0; value < plan_.places.size(); ++value) {
      Place& place = plan_.places[value];
      place.bytes = bytes_[value];
      const NodeId producer = graph_.value(static_cast<ValueId>(value)).producer;
      const ir::Node& node = graph_.node(producer);
      if (node.kind == ir::OpKind::kInput) {
        place.area = Area::kInput;
        place.index = producer;
      } else if (node.kind == ir::OpKind::kReadSlot) {
        place.area = Area::kSlot;
        place.index = *graph_.FindSlot(std::get<std::string>(node.attributes.Get("slot")));
      }
    }
    for (const auto& [slot, value] : graph_.assignments()) {
      plan_.places[value].area = Area::kSlot;
      plan_.places[value].index = slot;
    }
  }

  // Outputs live on after the last step.
  void FindLastUses() {
    last_use_.assign(graph_.values().size(), -1);
    for (int step = 0; step < Steps(); ++step) {
      for (ValueId output : graph_.node(order_[step]).outputs) last_use_[output] = step;
      for (ValueId input : graph_.node(order_[step]).inputs) last_use_[input] = step;
    }
    for (const auto& output : graph_.outputs()) last_use_[output.second] = Steps();
  }

  void MakeBuffers() {
    buffer_of_.assign(graph_.values().size(), -1);
    workspace_of_.assign(order_.size(), -1);
    for (int step = 0; step < Steps(); ++step) {
      const device::KernelSpec& spec = laid_out_.specs[order_[step]];
      const ir::Node& node = graph_.node(order_[step]);
      if (!no_reuse_) ShareInPlace(node, spec, step);
      for (ValueId output : node.outputs)
        if (InArena(output) && buffer_of_[output] < 0)
          buffer_of_[output] = NewBuffer(bytes_[output], step, last_use_[output]);
      if (spec.workspace_bytes > 0) workspace_of_[step] = NewBuffer(spec.workspace_bytes, step, step);
    }
  }

  void ShareInPlace(const ir::Node& node, const device::KernelSpec& spec, int step) {
    std::vector<int> taken;
    for (const auto& [input, output] : spec.in_place) {
      const ValueId from = node.inputs[input], to = node.outputs[output];
      if (!InArena(from) || !InArena(to) || buffer_of_[to] >= 0) continue;
      Buffer& buffer = buffers_[buffer_of_[from]];
      if (last_use_[from] != step || buffer.last != step || buffer.bytes < Aligned(bytes_[to])) continue;
      if (std::ranges::count(node.inputs, from) != 1 || std::ranges::count(taken, buffer_of_[from]) != 0) continue;
      buffer_of_[to] = buffer_of_[from];
      buffer.last = std::max(last_use_[to], step);
      taken.push_back(buffer_of_[from]);
    }
  }

  int NewBuffer(size_t bytes, int first, int last) {
    buffers_.push_back({Aligned(bytes), first, last, 0});
    return static_cast<int>(buffers_.size()) - 1;
  }

  size_t LiveBytes() const {
    std::vector<int64_t> change(order_.size() + 2);
    for (const Buffer& buffer : buffers_) {
      change[buffer.first] += static_cast<int64_t>(buffer.bytes);
      change[buffer.last + 1] -= static_cast<int64_t>(buffer.bytes);
    }
    int64_t live = 0, most = 0;
    for (int64_t bytes : change) most = std::max(most, live += bytes);
    return static_cast<size_t>(most);
  }

  void PlaceApart() {
    for (Buffer& buffer : buffers_) {
      buffer.offset = plan_.temporary_bytes;
      plan_.temporary_bytes += buffer.WithGap();
    }
  }

  void PlaceBuffers() {
    std::vector<int> by_size(buffers_.size());
    std::iota(by_size.begin(), by_size.end(), 0);
    std::ranges::stable_sort(by_size, [&](int a, int b) { return buffers_[a].bytes > buffers_[b].bytes; });
    std::vector<int> placed;  // by offset
    for (int index : by_size) {
      Buffer& buffer = buffers_[index];
      buffer.offset = BestGap(buffer, placed);
      plan_.temporary_bytes = std::max(plan_.temporary_bytes, buffer.offset + buffer.bytes);
      placed.insert(
          std::ranges::upper_bound(placed, buffer.offset, {}, [&](int other) { return buffers_[other].offset; }),
          index);
    }
  }

  // The smallest gap that fits between buffers that live at the same time; behind all of them where none fits.
  size_t BestGap(const Buffer& buffer, const std::vector<int>& placed) const {
    size_t end = 0, best = 0, best_gap = SIZE_MAX;
    for (int index : placed) {
      const Buffer& other = buffers_[index];
      if (other.last < buffer.first || other.first > buffer.last) continue;
      if (other.offset >= end + buffer.WithGap() && other.offset - end < best_gap) {
        best = end;
        best_gap = other.offset - end;
      }
      end = std::max(end, other.offset + other.WithGap());
    }
    return best_gap == SIZE_MAX ? end : best;
  }

  void Report() {
    for (size_t value = 0; value < buffer_of_.size(); ++value)
      if (buffer_of_[value] >= 0) plan_.places[value].offset = buffers_[buffer_of_[value]].offset;
    plan_.workspaces.resize(order_.size());
    for (size_t step = 0; step < order_.size(); ++step)
      if (workspace_of_[step] >= 0)
        plan_.workspaces[step] = {buffers_[workspace_of_[step]].offset, laid_out_.specs[order_[step]].workspace_bytes};
    plan_.freed.resize(order_.size());
    for (const Buffer& buffer : buffers_)
      if (buffer.last < Steps()) plan_.freed[buffer.last].push_back({buffer.offset, buffer.bytes});
  }

  const LaidOut& laid_out_;
  const ir::Graph& graph_;
  std::span<const NodeId> order_;
  std::span<const size_t> bytes_;
  bool no_reuse_;
  MemoryPlan plan_;
  std::vector<int> last_use_;  // by value: step
  std::vector<Buffer> buffers_;
  std::vector<int> buffer_of_;     // by value; -1: not in the arena
  std::vector<int> workspace_of_;  // by step; -1: none
};

}  // namespace

MemoryPlan PlanMemory(const LaidOut& laid_out, std::span<const NodeId> order, std::span<const size_t> bytes,
                      bool no_reuse) {
  return Planner(laid_out, order, bytes, no_reuse).Run();
}

}  // namespace pdarts::passes
