#include "nn/step_graphs.h"

namespace pdarts::nn {
namespace {

using tensor::DType;
using tensor::Shape;

// The forward pass that all steps share.
struct Forward {
  Forward(const NetworkSpec& spec, const StepOptions& options, Mode mode) : layers(graph, {options.dtype, mode}) {
    const Shape shape{options.batch, 3, options.image_size, options.image_size};
    const ValueId images = graph.Input("images", {options.dtype, shape}, options.image_layout);
    const ValueId labels = graph.Input("labels", {DType::kI32, Shape{options.batch}});
    if (const auto* search = std::get_if<SearchNetworkSpec>(&spec))
      network = SearchNetwork(layers, images, *search);
    else
      network = EvaluationNetwork(layers, images, std::get<EvaluationNetworkSpec>(spec));
    loss = ops::CrossEntropy(graph, network.logits, labels, options.label_smoothing);
    if (network.auxiliary_logits != ir::kNoValue) {
      const ValueId auxiliary = ops::CrossEntropy(graph, network.auxiliary_logits, labels, options.label_smoothing);
      loss = ops::AddN(graph, {loss, ops::Scale(graph, auxiliary, options.auxiliary_weight)});
      graph.Output("logits_auxiliary", network.auxiliary_logits);
    }
    graph.Output("loss", loss);
    graph.Output("logits", network.logits);
    graph.Output("correct", ops::CountCorrect(graph, network.logits, labels));
  }

  ValueId Scalar(const std::string& name) { return graph.Input(name, {DType::kF64, Shape{1}}); }

  Graph graph;
  Layers layers;
  NetworkOutputs network;
  ValueId loss = ir::kNoValue;
};

// The slots that the loss depends on, their values and gradients.
struct Gradients {
  std::vector<ir::SlotId> slots;
  std::vector<ValueId> values, diffs;
  ValueId sum_squares = ir::kNoValue;
};

Gradients Backward(Forward& f, const std::vector<ir::SlotId>& slots, const StepOptions& options) {
  std::vector<ValueId> values;
  for (ir::SlotId slot : slots) values.push_back(f.graph.ReadSlot(slot));
  const std::vector<ValueId> diffs = ops::Differentiate(f.graph, f.loss, values);
  Gradients g;
  for (size_t i = 0; i < slots.size(); ++i) {
    if (diffs[i] == ir::kNoValue) continue;  // a part of the cell that no output reads: it is never updated
    g.slots.push_back(slots[i]);
    g.values.push_back(values[i]);
    g.diffs.push_back(diffs[i]);
    if (options.output_gradients) f.graph.Output("grad." + f.graph.slots()[slots[i]].name, diffs[i]);
  }
  g.sum_squares = ops::SumSquares(f.graph, g.diffs);
  f.graph.Output("sum_squares", g.sum_squares);
  return g;
}

// The optimizer's slots that belong to `slots`, zero at first, and their values.
std::vector<ir::SlotId> StateSlots(Graph& graph, const std::string& prefix, const std::vector<ir::SlotId>& slots,
                                   std::vector<ValueId>& values) {
  std::vector<ir::SlotId> states;
  for (ir::SlotId slot : slots) {
    const ir::Slot of = graph.slots()[slot];
    states.push_back(graph.AddSlot({prefix + of.name, ir::SlotRole::kOptimizer, of.desc, "zeros"}));
    values.push_back(graph.ReadSlot(states.back()));
  }
  return states;
}

void AssignAll(Graph& graph, const std::vector<std::vector<ir::SlotId>>& groups, const std::vector<ValueId>& values) {
  size_t i = 0;
  for (const auto& group : groups)
    for (ir::SlotId slot : group) graph.Assign(slot, values[i++]);
}

}  // namespace

ir::Graph WeightsStep(const NetworkSpec& spec, const StepOptions& options) {
  Forward f(spec, options, Mode::kTraining);
  const Gradients g = Backward(f, f.layers.parameters(), options);
  ops::SgdInputs in{g.values, g.diffs, {}, g.sum_squares, f.Scalar("rate")};
  const auto momenta = StateSlots(f.graph, "momentum.", g.slots, in.momenta);
  AssignAll(f.graph, {g.slots, momenta}, ops::Sgd(f.graph, in, options.sgd));
  f.layers.UpdateStatistics();
  return std::move(f.graph);
}

ir::Graph ArchitectureStep(const SearchNetworkSpec& spec, const StepOptions& options) {
  Forward f(spec, options, Mode::kTraining);
  const Gradients g = Backward(f, f.network.alphas, options);
  ops::AdamInputs in{g.values, g.diffs, {}, {}, g.sum_squares, f.Scalar("rate"), f.Scalar("adam_count")};
  const auto first = StateSlots(f.graph, "adam.m.", g.slots, in.first_moments);
  const auto second = StateSlots(f.graph, "adam.v.", g.slots, in.second_moments);
  AssignAll(f.graph, {g.slots, first, second}, ops::Adam(f.graph, in, options.adam));
  f.layers.UpdateStatistics();
  return std::move(f.graph);
}

ir::Graph EvaluationStep(const NetworkSpec& spec, const StepOptions& options) {
  Forward f(spec, options, Mode::kEvaluation);
  return std::move(f.graph);
}

}  // namespace pdarts::nn
