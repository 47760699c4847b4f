#include "nn/layers.h"

namespace pdarts::nn {

using tensor::DType;
using tensor::Shape;

ValueId Layers::Parameter(const std::string& name, const Shape& shape, const std::string& init, ir::SlotRole role) {
  const ir::SlotId slot = graph_.AddSlot({name, role, {options_.dtype, shape}, init});
  if (role == ir::SlotRole::kParameter) {
    parameters_.push_back(slot);
    const bool auxiliary = name.rfind("auxiliary_head", 0) == 0;
    (auxiliary ? size_.auxiliary_parameters : size_.parameters) += shape.elements();
  }
  return graph_.ReadSlot(slot);
}

ValueId Layers::Conv(ValueId src, const std::string& name, const ConvSize& size,
                     const ops::ConvAttributes& attributes) {
  const Graph::Scope scope(graph_, name);
  const int64_t in_channels = graph_.shape(src).c() / attributes.groups;
  return ConvOf(src, ConvWeights(name, {size.out_channels, in_channels, size.kernel_h, size.kernel_w}), attributes);
}

ValueId Layers::GroupedPointwise(ValueId src, const std::vector<std::string>& names, int64_t out_channels) {
  const auto groups = static_cast<int64_t>(names.size());
  const Graph::Scope scope(graph_, names.front());
  std::vector<ValueId> weights;
  for (const std::string& name : names)
    weights.push_back(ConvWeights(name, {out_channels / groups, graph_.shape(src).c() / groups, 1, 1}));
  ops::ConvAttributes attributes;
  attributes.groups = groups;
  return ConvOf(src, ops::Stack(graph_, weights), attributes);
}

ValueId Layers::ConvWeights(const std::string& name, const Shape& shape) {
  return Parameter(name + ".weight", shape, fmt::format("uniform_fan_in:{}", shape.elements() / shape[0]));
}

ValueId Layers::ConvOf(ValueId src, ValueId weights, const ops::ConvAttributes& attributes) {
  const ValueId dst = ops::Conv2d(graph_, src, weights, attributes);
  const Shape& shape = graph_.shape(weights);
  const int64_t terms = graph_.shape(dst).elements() * shape.elements() / shape[0];
  size_.multiply_adds += terms;
  size_.multiply_adds_counter += terms;
  return dst;
}

ValueId Layers::BatchNorm(ValueId src, const std::string& name, bool affine) {
  const Graph::Scope scope(graph_, name);
  const Shape shape = graph_.shape(src), channel{shape.c()};
  size_.multiply_adds_counter += 2 * shape.elements();
  ValueId gamma = ir::kNoValue, beta = ir::kNoValue;
  if (affine) {
    gamma = Parameter(name + ".weight", channel, "ones");
    beta = Parameter(name + ".bias", channel, "zeros");
  }
  const ir::SlotId mean =
      graph_.AddSlot({name + ".running_mean", ir::SlotRole::kStatistic, {options_.dtype, channel}, "zeros"});
  const ir::SlotId variance =
      graph_.AddSlot({name + ".running_var", ir::SlotRole::kStatistic, {options_.dtype, channel}, "ones"});
  if (!training()) {
    const auto running = ops::Widen(graph_, {graph_.ReadSlot(mean), graph_.ReadSlot(variance)});
    return ops::BatchNormApply(graph_, src, running[0], running[1], gamma, beta, options_.bn_epsilon);
  }
  const ops::BatchNormOutputs out = ops::BatchNorm(graph_, src, gamma, beta, options_.bn_epsilon);
  statistics_.insert(statistics_.end(), {mean, variance});
  statistics_inputs_.insert(statistics_inputs_.end(),
                            {graph_.ReadSlot(mean), graph_.ReadSlot(variance), out.mean, out.variance});
  statistics_counts_.push_back(shape.n() * shape.h() * shape.w());
  return out.dst;
}

ValueId Layers::ReluOf(ValueId src, const Shape& counted) {
  size_.multiply_adds_counter += counted.elements();
  return ops::Relu(graph_, src);
}

ValueId Layers::MaxPool(ValueId src, const ops::PoolAttributes& attributes) {
  size_.multiply_adds_counter += graph_.shape(src).elements();
  return ops::MaxPool(graph_, src, attributes);
}

ValueId Layers::AvgPool(ValueId src, const ops::PoolAttributes& attributes) {
  size_.multiply_adds_counter += graph_.shape(src).elements();
  return ops::AvgPool(graph_, src, attributes);
}

ValueId Layers::GlobalAvgPool(ValueId src) {
  size_.multiply_adds_counter += graph_.shape(src).elements();
  return ops::GlobalAvgPool(graph_, src);
}

ValueId Layers::Linear(ValueId src, const std::string& name, int64_t outputs) {
  const Graph::Scope scope(graph_, name);
  const int64_t depth = graph_.shape(src)[1];
  const std::string init = fmt::format("uniform_fan_in:{}", depth);
  const ValueId weights = Parameter(name + ".weight", {outputs, depth}, init),
                bias = Parameter(name + ".bias", {outputs}, init);
  const int64_t terms = graph_.shape(src)[0] * depth * outputs;
  size_.multiply_adds += terms;
  size_.multiply_adds_counter += terms;
  return ops::Linear(graph_, src, weights, bias);
}

ValueId Layers::Dropout(ValueId src, const std::string& rate_input) {
  const ValueId rate = graph_.Input(rate_input, {DType::kF64, Shape{1}}),
                rng = graph_.Input("rng", {DType::kI64, Shape{2}});
  return ops::Dropout(graph_, src, rate, rng, {random_ops_++});
}

ValueId Layers::DropPath(ValueId src, const std::string& rate_input) {
  const ValueId rate = graph_.Input(rate_input, {DType::kF64, Shape{1}}),
                rng = graph_.Input("rng", {DType::kI64, Shape{2}});
  return ops::ScaleSamples(graph_, src, ops::DropPath(graph_, rate, rng, {random_ops_++, graph_.shape(src).n()}));
}

void Layers::UpdateStatistics() {
  if (statistics_counts_.empty()) return;
  const auto updated = ops::UpdateStatistics(graph_, statistics_inputs_, {options_.bn_momentum, statistics_counts_});
  for (size_t i = 0; i < updated.size(); ++i) graph_.Assign(statistics_[i], updated[i]);
}

}  // namespace pdarts::nn
