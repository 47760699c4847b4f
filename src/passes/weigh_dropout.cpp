// The gradient of a dropped skip connection in a mixed sum is scale_by_weight and then dropout: one node does both.
#include "ops/op.h"
#include "ops/ops.h"
#include "passes/rebuild.h"
#include "passes/rewrite.h"

namespace pdarts::passes {

ir::Graph WeighDropout(const ir::Graph& graph) {
  Rebuilder rebuilder(graph);
  const std::vector<int> uses = CountUses(graph);
  for (ir::NodeId id = 0; id < static_cast<ir::NodeId>(graph.nodes().size()); ++id) {
    const ir::Node& node = graph.node(id);
    const bool alone = node.kind == ir::OpKind::kDropout && node.inputs.size() == 3 && uses[node.inputs[0]] == 1;
    const ir::Node& scale = graph.node(alone ? graph.value(node.inputs[0]).producer : id);
    if (scale.kind != ir::OpKind::kScaleByWeight || !alone) {
      rebuilder.Copy(id);
      continue;
    }
    ir::Attributes attributes = node.attributes;
    attributes.Set("index", scale.attributes.Int("index"));
    const ir::Graph::Scope scope(rebuilder.graph(), node.name);
    rebuilder.Replace(node.outputs[0], ops::Emit(rebuilder.graph(), node.kind, std::move(attributes),
                                                 {rebuilder.Map(scale.inputs[0]), rebuilder.Map(node.inputs[1]),
                                                  rebuilder.Map(node.inputs[2]), rebuilder.Map(scale.inputs[1])})[0]);
  }
  return rebuilder.Finish();
}

}  // namespace pdarts::passes
