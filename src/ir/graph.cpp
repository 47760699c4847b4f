#include "ir/graph.h"

#include "base/hash.h"

namespace pdarts::ir {
namespace {

uint64_t HashOf(OpKind kind, const Attributes& attributes, const std::vector<ValueId>& inputs) {
  uint64_t hash = attributes.Hash() * 31 + static_cast<uint64_t>(kind);
  for (ValueId input : inputs) hash = hash * 0x100000001b3 + static_cast<uint64_t>(input) + 1;
  return hash;
}

}  // namespace

std::vector<ValueId> Graph::AddNode(OpKind kind, Attributes attributes, std::vector<ValueId> inputs,
                                    std::span<const tensor::TensorDesc> outputs) {
  const uint64_t hash = HashOf(kind, attributes, inputs);
  for (auto [it, end] = node_by_hash_.equal_range(hash); it != end; ++it) {
    const Node& node = nodes_[it->second];
    if (node.kind == kind && node.inputs == inputs && node.attributes == attributes) return node.outputs;
  }
  const auto id = static_cast<NodeId>(nodes_.size());
  Node node{kind, std::move(attributes), std::move(inputs), {}, scope_};
  for (const tensor::TensorDesc& desc : outputs) {
    node.outputs.push_back(static_cast<ValueId>(values_.size()));
    values_.push_back({desc, id, static_cast<int>(node.outputs.size()) - 1});
  }
  nodes_.push_back(std::move(node));
  node_by_hash_.emplace(hash, id);
  return nodes_.back().outputs;
}

ValueId Graph::Input(const std::string& name, tensor::TensorDesc desc, tensor::Layout layout) {
  Attributes attributes;
  attributes.Set("name", name);
  attributes.Set("layout", static_cast<int64_t>(layout));
  return AddNode(OpKind::kInput, std::move(attributes), {}, {&desc, 1})[0];
}

SlotId Graph::AddSlot(Slot slot) {
  if (const auto it = slot_by_name_.find(slot.name); it != slot_by_name_.end()) {
    PD_CHECK(slots_[it->second].desc == slot.desc && slots_[it->second].role == slot.role, "slot {} declared twice",
             slot.name);
    return it->second;
  }
  const auto id = static_cast<SlotId>(slots_.size());
  slot_by_name_.emplace(slot.name, id);
  slots_.push_back(std::move(slot));
  return id;
}

ValueId Graph::ReadSlot(SlotId slot) {
  Attributes attributes;
  attributes.Set("slot", slots_[slot].name);
  return AddNode(OpKind::kReadSlot, std::move(attributes), {}, {&slots_[slot].desc, 1})[0];
}

void Graph::Assign(SlotId slot, ValueId value) {
  for (const auto& assignment : assignments_)
    PD_CHECK(assignment.first != slot, "slot {} assigned twice", slots_[slot].name);
  assignments_.emplace_back(slot, value);
}

void Graph::Output(const std::string& name, ValueId value) {
  for (const auto& output : outputs_) PD_CHECK(output.first != name, "output {} named twice", name);
  outputs_.emplace_back(name, value);
}

std::optional<SlotId> Graph::FindSlot(const std::string& name) const {
  const auto it = slot_by_name_.find(name);
  if (it == slot_by_name_.end()) return std::nullopt;
  return it->second;
}

Graph::Scope::Scope(Graph& graph, const std::string& name) : graph_(graph), length_(graph.scope_.size()) {
  graph_.scope_ = graph_.Scoped(name);
}

void Verify(const Graph& graph) {
  for (size_t id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.nodes()[id];
    for (ValueId input : node.inputs) {
      PD_CHECK(input >= 0 && static_cast<size_t>(input) < graph.values().size(), "node {} {}", id, Name(node.kind));
      PD_CHECK(graph.value(input).producer < static_cast<NodeId>(id), "node {} {} used before it is made", id,
               Name(node.kind));
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Value& value = graph.value(node.outputs[i]);
      PD_CHECK(value.producer == static_cast<NodeId>(id) && value.output == static_cast<int>(i), "node {} {}", id,
               Name(node.kind));
    }
  }
  for (const auto& [slot, value] : graph.assignments())
    PD_CHECK(graph.slots()[slot].desc == graph.desc(value), "slot {} assigned {}", graph.slots()[slot].name,
             graph.shape(value).ToString());
}

std::string ToString(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    std::string outputs, descs, inputs;
    for (ValueId id : node.outputs) {
      outputs += fmt::format("{}%{}", outputs.empty() ? "" : ", ", id);
      descs += fmt::format("{}{} {}", descs.empty() ? "" : ", ", tensor::Name(graph.desc(id).dtype),
                           graph.shape(id).ToString());
    }
    for (ValueId id : node.inputs) inputs += fmt::format("{}%{}", inputs.empty() ? "" : ", ", id);
    const std::string attributes = node.attributes.ToString();
    text += fmt::format("{} = {}({}){}{} : {}{}\n", outputs, Name(node.kind), inputs, attributes.empty() ? "" : " ",
                        attributes, descs, node.name.empty() ? "" : "  # " + node.name);
  }
  for (const auto& [slot, value] : graph.assignments())
    text += fmt::format("assign {} = %{}\n", graph.slots()[slot].name, value);
  for (const auto& [name, value] : graph.outputs()) text += fmt::format("output {} = %{}\n", name, value);
  return text;
}

}  // namespace pdarts::ir
