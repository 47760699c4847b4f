#include "passes/rebuild.h"

#include "ops/ops.h"

namespace pdarts::passes {

Rebuilder::Rebuilder(const ir::Graph& from) : from_(from), map_(from.values().size(), ir::kNoValue) {
  for (const ir::Slot& slot : from.slots()) to_.AddSlot(slot);
}

ir::ValueId Rebuilder::Map(ir::ValueId old) const {
  PD_CHECK(map_[old] != ir::kNoValue, "value %{} is not in the new graph", old);
  return map_[old];
}

std::vector<ir::ValueId> Rebuilder::MapInputs(const ir::Node& node) const {
  std::vector<ir::ValueId> inputs;
  inputs.reserve(node.inputs.size());
  for (ir::ValueId input : node.inputs) inputs.push_back(Map(input));
  return inputs;
}

void Rebuilder::Copy(ir::NodeId id) {
  const ir::Node& node = from_.node(id);
  std::vector<tensor::TensorDesc> descs;
  for (ir::ValueId output : node.outputs) descs.push_back(from_.desc(output));
  const ir::Graph::Scope scope(to_, node.name);
  const std::vector<ir::ValueId> outputs = to_.AddNode(node.kind, node.attributes, MapInputs(node), descs);
  for (size_t i = 0; i < outputs.size(); ++i) map_[node.outputs[i]] = outputs[i];
}

void Rebuilder::Replace(ir::ValueId old, ir::ValueId new_value) {
  PD_CHECK(from_.desc(old) == to_.desc(new_value), "%{} and %{}", old, new_value);
  map_[old] = new_value;
}

ir::Graph Rebuilder::Finish() {
  for (const auto& [slot, value] : from_.assignments()) to_.Assign(slot, Map(value));
  for (const auto& [name, value] : from_.outputs()) to_.Output(name, Map(value));
  return std::move(to_);
}

bool ReplaceByRest(Rebuilder& rebuilder, const ir::Node& sum, const std::set<ir::ValueId>& dropped) {
  std::vector<ir::ValueId> kept;
  for (ir::ValueId input : sum.inputs)
    if (!dropped.contains(input)) kept.push_back(rebuilder.Map(input));
  if (kept.size() == sum.inputs.size()) return false;
  const ir::Graph::Scope scope(rebuilder.graph(), sum.name);
  rebuilder.Replace(sum.outputs[0], ops::AddN(rebuilder.graph(), kept));
  return true;
}

double Epsilon(const ir::Node& node) { return std::get<double>(node.attributes.Get("epsilon")); }

std::vector<char> LiveNodes(const ir::Graph& graph) {
  std::vector<char> live(graph.nodes().size());
  const auto need = [&](ir::ValueId value) { live[graph.value(value).producer] = 1; };
  for (const auto& assignment : graph.assignments()) need(assignment.second);
  for (const auto& output : graph.outputs()) need(output.second);
  for (auto id = static_cast<ir::NodeId>(graph.nodes().size()); id-- > 0;)
    if (live[id])
      for (ir::ValueId input : graph.node(id).inputs) need(input);
  return live;
}

std::vector<std::vector<ir::NodeId>> FindReaders(const ir::Graph& graph) {
  std::vector<std::vector<ir::NodeId>> readers(graph.values().size());
  const std::vector<char> live = LiveNodes(graph);
  for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(live.size()); ++id)
    if (live[id])
      for (ir::ValueId input : graph.node(id).inputs) readers[input].push_back(id);
  return readers;
}

std::vector<int> CountUses(const ir::Graph& graph) {
  std::vector<int> uses(graph.values().size());
  const std::vector<char> live = LiveNodes(graph);
  for (size_t id = 0; id < live.size(); ++id)
    if (live[id])
      for (ir::ValueId input : graph.nodes()[id].inputs) ++uses[input];
  for (const auto& assignment : graph.assignments()) ++uses[assignment.second];
  for (const auto& output : graph.outputs()) ++uses[output.second];
  return uses;
}

Uses::Uses(const ir::Graph& graph)
    : graph_(graph), live_(LiveNodes(graph)), counts_(CountUses(graph)), readers_(FindReaders(graph)) {}

std::optional<ir::NodeId> Uses::Reader(ir::ValueId value, ir::OpKind kind) const {
  const auto found = std::ranges::find_if(readers_[value], [&](ir::NodeId id) { return graph_.node(id).kind == kind; });
  return found == readers_[value].end() ? std::nullopt : std::optional(*found);
}

std::optional<ir::NodeId> Uses::OnlyReader(ir::ValueId value, ir::OpKind kind) const {
  return ReadOnce(value) ? Reader(value, kind) : std::nullopt;
}

}  // namespace pdarts::passes
