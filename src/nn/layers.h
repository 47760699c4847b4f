// Layers over ops::*, named as the published PyTorch implementation names their parameters. A Layers lives while one
// graph is built.
#pragma once

#include <string>
#include <vector>

#include "nn/spec.h"
#include "ops/ops.h"

namespace pdarts::nn {

using ops::Graph;
using ops::ValueId;

enum class Mode { kTraining, kEvaluation };

struct LayersOptions {
  tensor::DType dtype = tensor::DType::kF32;
  Mode mode = Mode::kTraining;
  double bn_epsilon = 1e-5, bn_momentum = 0.1;
};

class Layers {
 public:
  Layers(Graph& graph, const LayersOptions& options) : graph_(graph), options_(options) {}

  Graph& graph() { return graph_; }
  bool training() const { return options_.mode == Mode::kTraining; }
  tensor::DType dtype() const { return options_.dtype; }

  // A trainable tensor; `init` as in nn/initialize.h. Alphas are parameters of another role.
  ValueId Parameter(const std::string& name, const tensor::Shape& shape, const std::string& init,
                    ir::SlotRole role = ir::SlotRole::kParameter);
  const std::vector<ir::SlotId>& parameters() const { return parameters_; }

  struct ConvSize {
    int64_t out_channels, kernel_h, kernel_w;
  };
  ValueId Conv(ValueId src, const std::string& name, const ConvSize& size, const ops::ConvAttributes& attributes);
  ValueId BatchNorm(ValueId src, const std::string& name, bool affine);
  // A 1x1 convolution in as many groups as there are names; each group's weights are a parameter of its name.
  ValueId GroupedPointwise(ValueId src, const std::vector<std::string>& names, int64_t out_channels);
  ValueId Relu(ValueId src) { return ReluOf(src, graph_.shape(src)); }
  // For the ReLU of a tensor of shape `counted`, which is counted whole, of which only the part src is needed.
  ValueId ReluOf(ValueId src, const tensor::Shape& counted);
  ValueId MaxPool(ValueId src, const ops::PoolAttributes& attributes);
  ValueId AvgPool(ValueId src, const ops::PoolAttributes& attributes);
  ValueId GlobalAvgPool(ValueId src);
  ValueId Linear(ValueId src, const std::string& name, int64_t outputs);

  // Of elements, and of whole samples; the rate is the graph input of that name, f64 [1].
  ValueId Dropout(ValueId src, const std::string& rate_input);
  ValueId DropPath(ValueId src, const std::string& rate_input);

  // Ends the building of a training graph: one node updates the running statistics of all batch norms.
  void UpdateStatistics();

  NetworkSize& size() { return size_; }  // counted while building

 private:
  ValueId ConvWeights(const std::string& name, const tensor::Shape& shape);
  ValueId ConvOf(ValueId src, ValueId weights, const ops::ConvAttributes& attributes);

  Graph& graph_;
  LayersOptions options_;
  std::vector<ir::SlotId> parameters_;
  std::vector<ir::SlotId> statistics_;
  std::vector<ValueId> statistics_inputs_;
  std::vector<int64_t> statistics_counts_;
  int64_t random_ops_ = 0;
  NetworkSize size_;
};

}  // namespace pdarts::nn
