// One kind of step (weights, architecture, evaluation) over one storage: a plan for each batch size it meets, compiled
// on first use.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "data/loader.h"
#include "ir/graph.h"
#include "nn/step_graphs.h"
#include "plan/executor.h"
#include "train/checkpoint.h"

namespace pdarts::train {

// What varies from step to step; an input that the network does not use is ignored.
struct StepScalars {
  double rate = 0, adam_count = 0, drop_path_rate = 0, skip_dropout_rate = 0;
  uint64_t seed = 0;
  int64_t step = 0;
};

struct StepResult {
  double loss = 0, correct1 = 0, correct5 = 0;
};

using GraphOfBatch = std::function<ir::Graph(int64_t batch)>;

// The graphs of a network's steps for any batch; the batch in `options` does not count.
GraphOfBatch WeightsGraph(nn::NetworkSpec spec, nn::StepOptions options);
GraphOfBatch ArchitectureGraph(nn::SearchNetworkSpec spec, nn::StepOptions options);
GraphOfBatch EvaluationGraph(nn::NetworkSpec spec, nn::StepOptions options);

class StepRunner {
 public:
  // `batch` is compiled at once, so that all slots of this step exist. Backend and storage must outlive the runner.
  StepRunner(device::Backend& backend, plan::ModelStorage& storage, GraphOfBatch graph, int64_t batch);

  // With an observer each kernel is timed.
  StepResult Run(const data::Batch& batch, const StepScalars& scalars, const plan::Observer& observer = nullptr);
  const plan::Plan& compiled_plan() const { return first_->steps; }

 private:
  struct Compiled {
    Compiled(plan::Plan compiled, plan::ModelStorage& storage) : steps(std::move(compiled)), executor(steps, storage) {}
    plan::Plan steps;
    plan::Executor executor;
  };
  Compiled& OfBatch(int64_t batch);

  device::Backend& backend_;
  plan::ModelStorage& storage_;
  GraphOfBatch graph_;
  std::map<int64_t, std::unique_ptr<Compiled>> by_batch_;
  Compiled* first_ = nullptr;
  std::vector<float> plain_images_;  // for a backend that wants them plain
};

// The layout in which images are handed to a backend's plans: as the loader makes them, or plain for the reference.
tensor::Layout ImageLayout(const device::Backend& backend);

// Every slot to its initial value; all slots copied out; a checkpoint's slots copied in, after CheckSlots.
void InitializeSlots(plan::ModelStorage& storage, uint64_t seed);
SlotTensors CopySlots(plan::ModelStorage& storage);
void RestoreSlots(plan::ModelStorage& storage, const SlotTensors& slots, const std::string& where);

}  // namespace pdarts::train
