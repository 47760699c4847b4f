#include "ops/body.h"

#include <cstring>
#include <string>

namespace pdarts::ops {

void RunBody(const ir::Graph& body, std::span<const void* const> inputs, std::span<void* const> outputs) {
  std::vector<tensor::HostTensor> values;
  for (const ir::Value& value : body.values()) values.emplace_back(value.desc);
  size_t next = 0;
  for (const ir::Node& node : body.nodes()) {
    if (node.kind == ir::OpKind::kInput) {
      const tensor::TensorDesc& desc = body.desc(node.outputs[0]);
      std::memcpy(values[node.outputs[0]].data(), inputs[next++], desc.bytes());
      continue;
    }
    std::vector<const void*> from;
    std::vector<void*> to;
    for (ir::ValueId id : node.inputs) from.push_back(values[id].data());
    for (ir::ValueId id : node.outputs) to.push_back(values[id].data());
    Definition(node.kind).reference({body, node, from, to});
  }
  PD_CHECK(next == inputs.size() && outputs.size() == body.outputs().size(), "{} inputs, {} outputs", inputs.size(),
           outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ir::ValueId id = body.outputs()[i].second;
    std::memcpy(outputs[i], values[id].data(), body.desc(id).bytes());
  }
}

ir::ValueId BodyInputs::Next(bool present) {
  if (!present) return ir::kNoValue;
  PD_CHECK(next_ < descs_.size(), "{} inputs", descs_.size());
  const std::string name = std::to_string(next_);
  return body_.Input(name, descs_[next_++]);
}

std::vector<tensor::TensorDesc> InputDescs(const ir::Graph& graph, const ir::Node& node) {
  std::vector<tensor::TensorDesc> descs;
  for (ir::ValueId input : node.inputs) descs.push_back(graph.desc(input));
  return descs;
}

std::vector<tensor::TensorDesc> OutputDescs(const ir::Graph& body) {
  std::vector<tensor::TensorDesc> descs;
  for (const auto& output : body.outputs()) descs.push_back(body.desc(output.second));
  return descs;
}

}  // namespace pdarts::ops
