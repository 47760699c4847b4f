#include "train/step_runner.h"

#include <cstring>

#include "nn/initialize.h"

namespace pdarts::train {

tensor::Layout ImageLayout(const device::Backend& backend) {
  return backend.Name() == "ref" ? tensor::Layout::kPlain : tensor::Layout::kChannelsLast;
}

GraphOfBatch WeightsGraph(nn::NetworkSpec spec, nn::StepOptions options) {
  return [spec = std::move(spec), options](int64_t batch) mutable {
    options.batch = batch;
    return nn::WeightsStep(spec, options);
  };
}

GraphOfBatch ArchitectureGraph(nn::SearchNetworkSpec spec, nn::StepOptions options) {
  return [spec = std::move(spec), options](int64_t batch) mutable {
    options.batch = batch;
    return nn::ArchitectureStep(spec, options);
  };
}

GraphOfBatch EvaluationGraph(nn::NetworkSpec spec, nn::StepOptions options) {
  return [spec = std::move(spec), options](int64_t batch) mutable {
    options.batch = batch;
    return nn::EvaluationStep(spec, options);
  };
}

StepRunner::StepRunner(device::Backend& backend, plan::ModelStorage& storage, GraphOfBatch graph, int64_t batch)
    : backend_(backend), storage_(storage), graph_(std::move(graph)) {
  first_ = &OfBatch(batch);
}

StepRunner::Compiled& StepRunner::OfBatch(int64_t batch) {
  std::unique_ptr<Compiled>& compiled = by_batch_[batch];
  if (!compiled) compiled = std::make_unique<Compiled>(plan::Compile(graph_(batch), backend_), storage_);
  return *compiled;
}

StepResult StepRunner::Run(const data::Batch& batch, const StepScalars& scalars, const plan::Observer& observer) {
  Compiled& compiled = OfBatch(batch.n);
  const auto set = [&](const char* name, auto... values) {
    if (!compiled.steps.HasInput(name)) return;
    using T = std::common_type_t<decltype(values)...>;
    const T list[] = {values...};
    std::memcpy(storage_.Input(compiled.steps, name).data, list, sizeof list);
  };
  set("rate", scalars.rate);
  set("adam_count", scalars.adam_count);
  set("drop_path_rate", scalars.drop_path_rate);
  set("skip_dropout_rate", scalars.skip_dropout_rate);
  set("rng", static_cast<int64_t>(scalars.seed), scalars.step);
  const float* images = batch.images.data();
  if (ImageLayout(backend_) == tensor::Layout::kPlain) {
    plain_images_.resize(batch.images.size());
    const size_t pixels = batch.images.size() / 3 / static_cast<size_t>(batch.n);
    for (size_t n = 0; n < static_cast<size_t>(batch.n); ++n)
      for (size_t p = 0; p < pixels; ++p)
        for (size_t c = 0; c < 3; ++c) plain_images_[(n * 3 + c) * pixels + p] = batch.images[(n * pixels + p) * 3 + c];
    images = plain_images_.data();
  }
  compiled.executor.BindInput("images", images);
  compiled.executor.BindInput("labels", batch.labels.data());
  compiled.executor.Run(observer);
  StepResult result;
  result.loss = storage_.Output(compiled.steps, "loss").As<float>()[0];
  const auto correct = storage_.Output(compiled.steps, "correct").As<double>();
  result.correct1 = correct[0], result.correct5 = correct[1];
  return result;
}

void InitializeSlots(plan::ModelStorage& storage, uint64_t seed) {
  for (const ir::Slot& slot : storage.slots()) storage.Slot(slot.name).Set(nn::InitialValue(slot, seed));
}

SlotTensors CopySlots(plan::ModelStorage& storage) {
  SlotTensors slots;
  for (const ir::Slot& slot : storage.slots()) slots.emplace(slot.name, storage.Slot(slot.name).Copy());
  return slots;
}

void RestoreSlots(plan::ModelStorage& storage, const SlotTensors& slots, const std::string& where) {
  SlotDescs expected;
  for (const ir::Slot& slot : storage.slots()) expected.emplace(slot.name, slot.desc);
  CheckSlots(slots, expected, where);
  for (const auto& [name, tensor] : slots) storage.Slot(name).Set(tensor);
}

}  // namespace pdarts::train
