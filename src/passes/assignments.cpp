#include <algorithm>
#include <map>
#include <set>

#include "passes/layout.h"

namespace pdarts::passes {
namespace {

using ir::NodeId;
using ir::OpKind;
using ir::SlotId;
using ir::ValueId;

class Placer {
 public:
  Placer(device::Backend& backend, LaidOut& result) : backend_(backend), result_(result) {}

  void Run(const ir::Graph& original, const std::vector<ValueId>& assigned, const std::vector<ValueId>& outputs) {
    for (const auto& assignment : original.assignments()) assigned_slots_.insert(assignment.first);
    CollectSuccessors();
    // Outputs first: they may read a slot's old content and are then its readers.
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = original.outputs()[i].first;
      const std::optional<SlotId> slot = SlotRead(outputs[i]);
      const bool will_change = slot && assigned_slots_.contains(*slot);
      result_.graph.Output(name, will_change ? Copy(outputs[i], "output", name) : outputs[i]);
    }
    // So are slots that take another's content: all of them are known before the first slot is overwritten.
    std::vector<ValueId> values = assigned;
    for (size_t i = 0; i < values.size(); ++i) {
      const SlotId slot = original.assignments()[i].first;
      const bool keeps_content = SlotRead(values[i]) == slot;
      if (!keeps_content && IsLeaf(graph().node(graph().value(values[i]).producer).kind))
        values[i] = Copy(values[i], "slot", graph().slots()[slot].name);
    }
    for (size_t i = 0; i < values.size(); ++i) Place(original.assignments()[i].first, values[i]);
  }

 private:
  const ir::Graph& graph() const { return result_.graph; }

  void CollectSuccessors() {
    successors_.resize(graph().nodes().size());
    for (NodeId id = 0; id < static_cast<NodeId>(graph().nodes().size()); ++id) {
      for (ValueId input : graph().node(id).inputs) successors_[graph().value(input).producer].push_back(id);
      if (graph().node(id).kind == OpKind::kReadSlot) reads_.emplace(*SlotRead(graph().node(id).outputs[0]), id);
    }
  }

  std::optional<SlotId> SlotRead(ValueId value) const {
    const ir::Node& node = graph().node(graph().value(value).producer);
    if (node.kind != OpKind::kReadSlot) return std::nullopt;
    return graph().FindSlot(std::get<std::string>(node.attributes.Get("slot")));
  }

  // Two copies of one value are two nodes: the purpose tells them apart.
  ValueId Copy(ValueId value, const char* purpose, const std::string& name) {
    ir::Attributes attributes;
    attributes.Set(purpose, name);
    const tensor::TensorDesc desc = graph().desc(value);
    const ValueId copy = result_.graph.AddNode(OpKind::kCopy, std::move(attributes), {value}, {&desc, 1})[0];
    const auto id = static_cast<NodeId>(graph().nodes().size() - 1);
    std::vector<device::KernelSpec> proposals = backend_.Propose(graph(), id);
    const auto plain = std::ranges::find_if(proposals, [](const device::KernelSpec& spec) {
      return spec.input_layouts[0] == tensor::Layout::kPlain && spec.output_layouts[0] == tensor::Layout::kPlain;
    });
    PD_CHECK(plain != proposals.end(), "{} does not copy plain tensors", backend_.Name());
    result_.specs.push_back(*plain);
    result_.layouts.push_back(tensor::Layout::kPlain);
    successors_.emplace_back();
    successors_[graph().value(value).producer].push_back(id);
    reached_from_ = -1;
    return copy;
  }

  void Place(SlotId slot, ValueId value) {
    if (SlotRead(value) == slot) return;  // it keeps its content
    if (placed_.contains(value) || !OrderReadersBefore(slot, value)) {
      const std::string& name = graph().slots()[slot].name;
      value = Copy(value, "slot", name);
      PD_CHECK(OrderReadersBefore(slot, value), "slot {}", name);
    }
    placed_.insert(value);
    result_.graph.Assign(slot, value);
  }

  // Everyone who reads the slot's old content shall run before the value's producer, which may read it in place itself.
  // False, and nothing done, where the data forbid that.
  bool OrderReadersBefore(SlotId slot, ValueId value) {
    const NodeId writer = graph().value(value).producer;
    const auto read = reads_.find(slot);
    if (read == reads_.end()) return true;
    if (!ReadsInPlaceOnly(writer, graph().node(read->second).outputs[0], graph().value(value).output)) return false;
    std::vector<NodeId> readers = successors_[read->second];
    std::erase(readers, writer);
    const std::vector<char>& after = ReachableFrom(writer);
    if (std::ranges::any_of(readers, [&](NodeId reader) { return after[reader] != 0; })) return false;
    for (NodeId reader : readers) {
      result_.before.emplace_back(reader, writer);
      successors_[reader].push_back(writer);
    }
    return true;
  }

  bool ReadsInPlaceOnly(NodeId writer, ValueId old_content, int output) const {
    const std::vector<ValueId>& inputs = graph().node(writer).inputs;
    const auto count = std::ranges::count(inputs, old_content);
    if (count == 0) return true;
    const int input = static_cast<int>(std::ranges::find(inputs, old_content) - inputs.begin());
    const auto& pairs = result_.specs[writer].in_place;
    return count == 1 && std::ranges::find(pairs, std::pair(input, output)) != pairs.end();
  }

  // By node; kept, since an optimizer writes hundreds of slots and edges into it change nothing behind it.
  const std::vector<char>& ReachableFrom(NodeId start) {
    if (reached_from_ == start) return reached_;
    reached_from_ = start;
    reached_.assign(graph().nodes().size(), 0);
    std::vector<NodeId> stack = {start};
    while (!stack.empty()) {
      const NodeId id = stack.back();
      stack.pop_back();
      if (reached_[id]) continue;
      reached_[id] = 1;
      stack.insert(stack.end(), successors_[id].begin(), successors_[id].end());
    }
    return reached_;
  }

  device::Backend& backend_;
  LaidOut& result_;
  std::set<SlotId> assigned_slots_;
  std::set<ValueId> placed_;
  std::map<SlotId, NodeId> reads_;
  std::vector<std::vector<NodeId>> successors_;  // by node: who reads its outputs or must run later
  NodeId reached_from_ = -1;
  std::vector<char> reached_;
};

}  // namespace

void PlaceAssignments(const ir::Graph& original, const std::vector<ValueId>& assigned,
                      const std::vector<ValueId>& outputs, device::Backend& backend, LaidOut& result) {
  Placer(backend, result).Run(original, assigned, outputs);
}

}  // namespace pdarts::passes
