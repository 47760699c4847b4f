#include "nn/network_parts.h"

namespace pdarts::nn {
namespace {

// "stem0.1.weight" belongs to "stem", "cells.12._ops.3.op.1" to "cells.12".
std::string PartOf(const std::string& name) {
  if (name.starts_with("stem")) return "stem";
  const size_t first = name.find('.');
  return name.starts_with("cells.") ? name.substr(0, name.find('.', first + 1)) : name.substr(0, first);
}

std::string KindOf(const std::string& name, int64_t cells) {
  if (!name.starts_with("cells.")) return name == "stem" ? "convolutions" : "pool and linear";
  const int64_t cell = std::stoll(name.substr(name.find('.') + 1));
  return cell == cells / 3 || cell == 2 * cells / 3 ? "reduction cell" : "normal cell";
}

}  // namespace

std::vector<NetworkPart> NetworkParts(const EvaluationNetworkSpec& spec, int64_t image_size) {
  Graph graph;
  Layers layers(graph, {tensor::DType::kF32, Mode::kEvaluation});
  EvaluationNetwork(layers, graph.Input("images", {tensor::DType::kF32, {1, 3, image_size, image_size}}), spec);
  std::vector<NetworkPart> parts;
  const auto part = [&](const std::string& name) -> NetworkPart& {
    const std::string key = PartOf(name);
    for (NetworkPart& known : parts)
      if (known.name == key) return known;
    parts.push_back({key, KindOf(key, spec.cells), {}});
    return parts.back();
  };
  for (const ir::Slot& slot : graph.slots())
    if (slot.role == ir::SlotRole::kParameter) part(slot.name).parameters += slot.desc.shape.elements();
  for (const ir::Node& node : graph.nodes()) {
    if (node.name.empty() || node.outputs.empty()) continue;
    if (!node.name.starts_with("stem") && !node.name.starts_with("cells.") && !node.name.starts_with("classifier"))
      continue;
    NetworkPart& owner = part(node.name);
    const tensor::Shape& shape = graph.shape(node.outputs[0]);
    owner.output = shape;  // a part's last node makes its output
    if (node.kind != ir::OpKind::kConv2d && node.kind != ir::OpKind::kLinear) continue;
    const tensor::Shape& weights = graph.shape(node.inputs[1]);  // [outputs, terms of each...]
    owner.multiply_adds += shape.elements() * (weights.elements() / weights[0]);
  }
  return parts;
}

}  // namespace pdarts::nn
