// Shares no code with the planner: it walks the steps and looks at what is alive.
#include <algorithm>

#include "passes/memory.h"

namespace pdarts::passes {
namespace {

using ir::NodeId;
using ir::ValueId;

struct Region {
  ValueId value = ir::kNoValue;  // kNoValue: a workspace
  size_t begin = 0, end = 0;
};

bool Overlap(const Region& a, const Region& b) { return std::max(a.begin, b.begin) < std::min(a.end, b.end); }

std::string NameOf(const Region& region) {
  return region.value == ir::kNoValue ? "the workspace" : fmt::format("%{}", region.value);
}

class Checker {
 public:
  Checker(const LaidOut& laid_out, std::span<const NodeId> order, std::span<const size_t> bytes, const MemoryPlan& plan)
      : laid_out_(laid_out), graph_(laid_out.graph), order_(order), bytes_(bytes), plan_(plan) {}

  std::string Run() {
    CountReads();
    for (step_ = 0; step_ < order_.size() && fault_.empty(); ++step_) {
      const ir::Node& node = graph_.node(order_[step_]);
      CheckInputs(node);
      CheckSlotWrites(node);
      CheckRegions(node);
      for (ValueId input : node.inputs) --reads_left_[input];
      std::erase_if(live_, [&](const Region& region) { return reads_left_[region.value] == 0; });
      for (ValueId output : node.outputs) made_[output] = 1;
    }
    return fault_;
  }

 private:
  // A fault found first is kept.
  template <class... Args>
  void Require(bool holds, fmt::format_string<Args...> format, Args&&... args) {
    if (holds || !fault_.empty()) return;
    fault_ = fmt::format(format, std::forward<Args>(args)...) + fmt::format(" at step {}", step_);
  }

  void CountReads() {
    reads_left_.assign(graph_.values().size(), 0);
    made_.assign(graph_.values().size(), 0);
    overwritten_.assign(graph_.slots().size(), 0);
    for (const ir::Node& node : graph_.nodes())
      for (ValueId input : node.inputs) ++reads_left_[input];
    for (const auto& output : graph_.outputs()) ++reads_left_[output.second];  // never read off: alive to the end
    for (const auto& assignment : graph_.assignments()) {
      const Place& place = plan_.places[assignment.second];
      Require(place.area == Area::kSlot && place.index == assignment.first, "%{} lies outside its slot",
              assignment.second);
    }
  }

  const ir::Node& Producer(ValueId value) const { return graph_.node(graph_.value(value).producer); }

  void CheckInputs(const ir::Node& node) {
    for (ValueId input : node.inputs) {
      const ir::OpKind kind = Producer(input).kind;
      if (kind == ir::OpKind::kInput) continue;
      if (kind == ir::OpKind::kReadSlot)
        Require(!overwritten_[plan_.places[input].index], "%{} is read after its slot was overwritten", input);
      else
        Require(made_[input], "%{} is read before it is made", input);
    }
  }

  void CheckSlotWrites(const ir::Node& node) {
    for (size_t j = 0; j < node.outputs.size(); ++j) {
      const Place& place = plan_.places[node.outputs[j]];
      if (place.area != Area::kSlot) continue;
      Require(!overwritten_[place.index], "slot {} is written twice", place.index);
      Require(bytes_[node.outputs[j]] == graph_.slots()[place.index].desc.bytes(), "%{} does not fit its slot",
              node.outputs[j]);
      overwritten_[place.index] = 1;
      for (ValueId input : node.inputs) {
        const bool same = plan_.places[input].area == Area::kSlot && plan_.places[input].index == place.index;
        Require(!same || MayShare(node, input, node.outputs[j]), "%{} is read while its slot is overwritten", input);
      }
    }
  }

  bool MayShare(const ir::Node& node, ValueId input, ValueId output) const {
    if (std::ranges::count(node.inputs, input) != 1) return false;
    return std::ranges::any_of(laid_out_.specs[order_[step_]].in_place, [&](const std::pair<int, int>& pair) {
      return node.inputs[pair.first] == input && node.outputs[pair.second] == output;
    });
  }

  // What this step makes must not touch what is alive, nor each other. Any two values that are ever alive together meet
  // here, when the later one is made.
  void CheckRegions(const ir::Node& node) {
    std::vector<Region> made;
    for (ValueId output : node.outputs) {
      const Place& place = plan_.places[output];
      if (place.area != Area::kTemporary) continue;
      Require(place.bytes == bytes_[output], "%{} has another size", output);
      made.push_back({output, place.offset, place.offset + bytes_[output]});
    }
    const size_t workspace = laid_out_.specs[order_[step_]].workspace_bytes, at = plan_.workspaces[step_].offset;
    Require(plan_.workspaces[step_].bytes == workspace, "the workspace has another size");
    if (workspace > 0) made.push_back({ir::kNoValue, at, at + workspace});

    for (size_t i = 0; i < made.size(); ++i) {
      Require(made[i].begin % device::kAlignment == 0, "{} is not aligned", NameOf(made[i]));
      Require(made[i].end <= plan_.temporary_bytes, "{} ends outside the arena", NameOf(made[i]));
      for (size_t j = 0; j < i; ++j)
        Require(!Overlap(made[i], made[j]), "{} and {} overlap", NameOf(made[j]), NameOf(made[i]));
      for (const Region& other : live_) {
        if (!Overlap(made[i], other)) continue;
        const bool dies = reads_left_[other.value] == 1 && made[i].value != ir::kNoValue;
        Require(dies && made[i].begin == other.begin && MayShare(node, other.value, made[i].value), "{} and {} overlap",
                NameOf(other), NameOf(made[i]));
      }
    }
    for (const Region& region : made)
      if (region.value != ir::kNoValue && reads_left_[region.value] > 0) live_.push_back(region);
  }

  const LaidOut& laid_out_;
  const ir::Graph& graph_;
  std::span<const NodeId> order_;
  std::span<const size_t> bytes_;
  const MemoryPlan& plan_;
  size_t step_ = 0;
  std::string fault_;
  std::vector<int> reads_left_;    // by value
  std::vector<char> made_;         // by value
  std::vector<char> overwritten_;  // by slot
  std::vector<Region> live_;
};

}  // namespace

std::string FindMemoryFault(const LaidOut& laid_out, std::span<const NodeId> order, std::span<const size_t> bytes,
                            const MemoryPlan& plan) {
  return Checker(laid_out, order, bytes, plan).Run();
}

}  // namespace pdarts::passes
