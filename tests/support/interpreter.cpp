#include "support/interpreter.h"

#include "base/philox.h"
#include "ops/op.h"

namespace pdarts::tests {

using tensor::HostTensor;

std::vector<HostTensor> Interpret(const ir::Graph& graph, const std::map<std::string, HostTensor>& named) {
  std::vector<HostTensor> values;
  for (const ir::Value& value : graph.values()) values.emplace_back(value.desc);
  for (const ir::Node& node : graph.nodes()) {
    if (node.kind == ir::OpKind::kInput || node.kind == ir::OpKind::kReadSlot) {
      const char* field = node.kind == ir::OpKind::kInput ? "name" : "slot";
      const auto it = named.find(std::get<std::string>(node.attributes.Get(field)));
      PD_CHECK(it != named.end() && it->second.desc() == graph.desc(node.outputs[0]));
      values[node.outputs[0]] = it->second;
      continue;
    }
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(values[id].data());
    for (ir::ValueId id : node.outputs) outputs.push_back(values[id].data());
    ops::Definition(node.kind).reference({graph, node, inputs, outputs});
  }
  return values;
}

HostTensor RandomTensor(const tensor::TensorDesc& desc, uint32_t id, double range, double scale) {
  base::RandomSequence random(1, base::RandomStream::kTest, id);
  std::vector<double> values(static_cast<size_t>(desc.shape.elements()));
  for (double& value : values)
    value = (static_cast<double>(random.Below(static_cast<uint32_t>(2 * range) + 1)) - range) / scale;
  return HostTensor::FromDoubles(desc, values);
}

}  // namespace pdarts::tests
