#include "train/search_stage.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "optim/schedules.h"
#include "search/network_spec.h"
#include "train/run_log.h"
#include "train/schedule.h"

namespace pdarts::train {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr double kAlphasRate = 6e-4;  // facts: paper, section 4.2

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

search::EdgeAlphas Rows(const plan::TensorView& table) {
  const auto columns = static_cast<size_t>(table.desc.shape[1]);
  search::EdgeAlphas rows;
  const auto values = table.As<float>();
  for (size_t i = 0; i < values.size(); i += columns)
    rows.emplace_back(values.begin() + static_cast<ptrdiff_t>(i), values.begin() + static_cast<ptrdiff_t>(i + columns));
  return rows;
}

}  // namespace

nn::SearchNetworkSpec SupernetOf(const SearchOptions& options, int stage, const search::Switches& switches,
                                 int classes) {
  const auto index = static_cast<size_t>(stage);
  nn::SearchNetworkSpec spec;
  spec.normal = search::OperationNames(switches.normal);
  spec.reduce = search::OperationNames(switches.reduce);
  spec.cells = options.cells[index];
  spec.channels = options.channels;
  spec.classes = classes;
  spec.skip_dropout = (*options.skip_dropout)[index] > 0;
  return spec;
}

data::LoaderOptions LoaderOf(Part part, const SearchOptions& options, std::shared_ptr<const data::Dataset> train,
                             uint64_t seed) {
  const bool second = part != Part::kWeights, validation = part == Part::kValidation;
  const int64_t size = train->Size(), half = size / 2;
  data::LoaderOptions loader;
  loader.dataset = std::move(train);
  for (int64_t i = second ? half : 0; i < (second ? size : half); ++i) loader.indices.push_back(i);
  loader.batch_size = options.batch;
  loader.shuffle = !validation;
  loader.seed = validation ? base::Fnv1a(fmt::format("{}/validation", seed)) : seed;  // other crops than the alphas'
  loader.number = static_cast<uint32_t>(part);
  loader.workers = options.workers;
  return loader;
}

SearchStage::SearchStage(const SearchContext& context, SearchState& state, const SlotTensors* slots)
    : context_(context),
      state_(state),
      seed_(base::Fnv1a(fmt::format("{}/stage{}", context.options.seed, state.stage))) {
  const nn::SearchNetworkSpec spec =
      SupernetOf(context.options, state.stage, state.switches, context.train->info().classes);
  nn::StepOptions options;
  options.image_size = context.train->info().height;
  options.image_layout = ImageLayout(context.backend);
  const int64_t first = std::min<int64_t>(context.options.batch, context.train->Size() / 2);
  weights_ = std::make_unique<StepRunner>(context.backend, storage_, WeightsGraph(spec, options), first);
  architecture_ = std::make_unique<StepRunner>(context.backend, storage_, ArchitectureGraph(spec, options), first);
  evaluation_ = std::make_unique<StepRunner>(context.backend, storage_, EvaluationGraph(spec, options), first);
  const auto loader = [&](Part part) {
    return std::make_unique<data::Loader>(LoaderOf(part, context.options, context.train, seed_));
  };
  weight_loader_ = loader(Part::kWeights);
  alpha_loader_ = loader(Part::kAlphas);
  validation_loader_ = loader(Part::kValidation);
  if (slots == nullptr)
    InitializeSlots(storage_, seed_);
  else
    RestoreSlots(storage_, *slots, context.folder.File(kCheckpointFile).string());
}

search::Alphas SearchStage::alphas() {
  return {Rows(storage_.Slot("alphas_normal")), Rows(storage_.Slot("alphas_reduce"))};
}

StepScalars SearchStage::Scalars(int64_t step) const {
  const SearchOptions& o = context_.options;
  StepScalars scalars;
  scalars.rate = optim::CosineRate(o.learning_rate, state_.epoch, o.epochs);
  scalars.skip_dropout_rate =
      SkipDropoutRate((*o.skip_dropout)[static_cast<size_t>(state_.stage)], state_.epoch, o.epochs, *o.frozen_epochs);
  scalars.seed = seed_;
  scalars.step = step;
  return scalars;
}

void SearchStage::Run() {
  while (state_.epoch < context_.options.epochs) RunEpoch();
}

void SearchStage::RunEpoch() {
  const Clock::time_point start = Clock::now();
  if (context_.estimate != nullptr) context_.estimate->Start();
  const bool learn_alphas = state_.epoch >= *context_.options.frozen_epochs;
  const int64_t batches = weight_loader_->BatchesPerEpoch();
  weight_loader_->StartEpoch(static_cast<uint32_t>(state_.epoch), state_.batch);
  if (learn_alphas) alpha_loader_->StartEpoch(static_cast<uint32_t>(state_.epoch), state_.batch);
  const int64_t images_before = state_.weights.images;
  while (const data::Batch* batch = weight_loader_->Next()) {
    // Even steps belong to the weights, odd ones to the alphas, so that their dropout masks differ.
    const int64_t step = 2 * (state_.epoch * batches + state_.batch);
    if (learn_alphas) ArchitectureStep(step + 1);
    const StepResult result = weights_->Run(*batch, Scalars(step));
    CheckFinite(result.loss, state_.epoch, state_.batch);
    state_.weights.Add(result.loss, result.correct1, result.correct5, batch->n);
    ++state_.batch;
    const double rate =
        static_cast<double>(state_.weights.images - images_before) / std::max(1e-9, SecondsSince(start));
    Report(learn_alphas ? "weights+alphas" : "weights", batches, rate);
    StopIfAsked();
  }
  if (IsValidated(state_.epoch, context_.options.epochs)) Validate();
  EndEpoch(SecondsSince(start));
}

void SearchStage::ArchitectureStep(int64_t step) {
  const data::Batch* batch = alpha_loader_->Next();
  PD_CHECK(batch != nullptr, "the second half has fewer batches than the first");
  StepScalars scalars = Scalars(step);
  scalars.rate = kAlphasRate;
  scalars.adam_count = static_cast<double>(++state_.adam_count);
  const StepResult result = architecture_->Run(*batch, scalars);
  CheckFinite(result.loss, state_.epoch, state_.batch);
  state_.alphas.Add(result.loss, result.correct1, result.correct5, batch->n);
}

void SearchStage::Validate() {
  validation_loader_->StartEpoch(static_cast<uint32_t>(state_.epoch), state_.validation_batch);
  while (const data::Batch* batch = validation_loader_->Next()) {
    const StepResult result = evaluation_->Run(*batch, {});
    state_.validation.Add(result.loss, result.correct1, result.correct5, batch->n);
    ++state_.validation_batch;
    StopIfAsked();
  }
  state_.validation_accuracy[static_cast<size_t>(state_.stage)] = state_.validation.Accuracy();
}

// Of the whole search, by the work done so far.
double SearchStage::SecondsLeft() {
  if (context_.estimate == nullptr) return -1;
  context_.estimate->Reach(WorkDone(context_.options, weight_loader_->BatchesPerEpoch(), state_));
  return context_.estimate->SecondsLeft();
}

void SearchStage::StopIfAsked() {
  const std::optional<int> signal = context_.progress.StopSignal();
  if (!signal) return;
  Save();
  throw StoppedBy(*signal, context_.folder.path().string());
}

void SearchStage::EndEpoch(double seconds) {
  const search::Alphas learned = alphas();
  Json line{{"stage", state_.stage + 1}, {"epoch", state_.epoch + 1}, {"train", Summary(state_.weights)}};
  if (state_.alphas.images > 0) line["alphas"] = Summary(state_.alphas);
  if (state_.validation.images > 0) line["validation"] = Summary(state_.validation);
  line["rate"] = Scalars(0).rate;
  line["seconds"] = seconds;
  line["seconds_waited"] = weight_loader_->SecondsWaited() + alpha_loader_->SecondsWaited();
  context_.folder.AppendLine(kMetricsFile, line);
  context_.folder.AppendLine(kAlphasFile,
                             ToJson(AlphaEpoch{state_.stage + 1, state_.epoch + 1, state_.switches, learned}));
  const std::string text = fmt::format(
      "stage {} epoch {}/{}: loss {:.4f} acc {:.2f}%{}  {:.1f} s", state_.stage + 1, state_.epoch + 1,
      context_.options.epochs, state_.weights.MeanLoss(), 100 * state_.weights.Accuracy(),
      state_.validation.images > 0 ? fmt::format("  validation {:.2f}%", 100 * state_.validation.Accuracy()) : "",
      seconds);
  ++state_.epoch;
  state_.batch = 0;
  state_.validation_batch = 0;
  state_.weights = state_.alphas = state_.validation = {};
  ++state_.lines;
  Save();
  StepStatus status;
  status.stage = state_.stage + 1, status.epoch = state_.epoch;
  status.seconds_left = SecondsLeft();
  context_.progress.EpochDone(status, text);
}

void SearchStage::Report(const char* phase, int64_t steps, double images_per_second) {
  StepStatus status;
  status.stage = state_.stage + 1, status.stages = 3;
  status.epoch = state_.epoch + 1, status.epochs = context_.options.epochs;
  status.step = state_.batch, status.steps = steps;
  status.phase = phase;
  status.loss = state_.weights.MeanLoss(), status.accuracy = state_.weights.Accuracy();
  status.images_per_second = images_per_second;
  status.resident_bytes = ResidentBytes();
  status.seconds_left = SecondsLeft();
  context_.progress.Step(status);
}

void SearchStage::Save() {
  WriteCheckpoint(context_.folder.File(kCheckpointFile),
                  {"search", context_.signature, ToText(state_), CopySlots(storage_)});
}

}  // namespace pdarts::train
