#include "train/training_run.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "data/verify.h"
#include "optim/schedules.h"
#include "search/network_spec.h"
#include "tensor/safetensors.h"
#include "train/metrics.h"
#include "train/run_drawings.h"
#include "train/run_folder.h"
#include "train/schedule.h"
#include "train/step_runner.h"

namespace pdarts::train {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

nn::EvaluationNetworkSpec SpecOf(const search::Genotype& genotype, int cells, int channels, int classes,
                                 bool auxiliary) {
  nn::EvaluationNetworkSpec spec = search::EvaluationNetwork(genotype);
  spec.cells = cells, spec.channels = channels, spec.classes = classes, spec.auxiliary = auxiliary;
  return spec;
}

// Where a training stands; no times, so that the same run gives the same bytes.
struct State {
  int epoch = 0;
  int64_t batch = 0, lines = 0;
  RunningSums sums, test;  // of this epoch: its steps, then its test
  int64_t test_batch = 0;
  double last_error = 100, best_error = 100, last_loss = 0;
  int best_epoch = 0;
};

std::string ToText(const State& s) {
  return Json{{"epoch", s.epoch},
              {"batch", s.batch},
              {"sums", s.sums},
              {"test", s.test},
              {"test_batch", s.test_batch},
              {"lines", s.lines},
              {"last_error", s.last_error},
              {"best_error", s.best_error},
              {"last_loss", s.last_loss},
              {"best_epoch", s.best_epoch}}
      .dump();
}

State FromText(const std::string& text, const std::string& where) {
  try {
    const Json j = Json::parse(text);
    State s;
    s.epoch = j.at("epoch"), s.batch = j.at("batch"), s.lines = j.at("lines");
    s.sums = j.at("sums").get<RunningSums>();
    s.test = j.at("test").get<RunningSums>();
    s.test_batch = j.at("test_batch");
    s.last_error = j.at("last_error"), s.best_error = j.at("best_error");
    s.last_loss = j.at("last_loss"), s.best_epoch = j.at("best_epoch");
    return s;
  } catch (const nlohmann::json::exception& error) {
    throw base::DataError(fmt::format("the state of the training cannot be read: {}", error.what()), where,
                          "the checkpoint is damaged");
  }
}

// What a batch of the test costs, as a part of a weights step: about 0.32 was measured.
constexpr double kTestStep = 0.32;

// Tests from batch `batch_number` on, adding to `sums`; `after_batch` may stop it by throwing.
void TestFrom(StepRunner& evaluation, data::Loader& loader, int64_t& batch_number, RunningSums& sums,
              const std::function<void()>& after_batch) {
  loader.StartEpoch(0, batch_number);
  while (const data::Batch* batch = loader.Next()) {
    const StepResult result = evaluation.Run(*batch, {});
    sums.Add(result.loss, result.correct1, result.correct5, batch->n);
    ++batch_number;
    after_batch();
  }
}

data::LoaderOptions TestLoader(std::shared_ptr<const data::Dataset> dataset, int batch, int workers) {
  data::LoaderOptions options;
  options.dataset = std::move(dataset);
  options.batch_size = batch;
  options.shuffle = options.augment = false;
  options.workers = workers;
  return options;
}

class Training {
 public:
  Training(const TrainOptions& options, device::Backend& backend, Progress& progress, const data::Splits& splits)
      : options_(options),
        backend_(backend),
        progress_(progress),
        info_(splits.train->info()),
        folder_(options.out, ToJson(options), options.resume, kMayDiffer),
        seed_(base::Fnv1a(fmt::format("{}/training", options.seed))),
        signature_(backend.Signature()) {
    Compile(splits);
    data::LoaderOptions loader;
    loader.dataset = splits.train;
    loader.batch_size = options.batch;
    loader.augmentation.cutout = options.cutout;
    loader.seed = seed_;
    loader.workers = options.workers;
    train_loader_ = std::make_unique<data::Loader>(std::move(loader));
    test_loader_ = std::make_unique<data::Loader>(TestLoader(splits.test, options.batch, options.workers));
    Begin();
  }

  TrainResult Run() {
    while (state_.epoch < options_.epochs) RunEpoch();
    WriteWeights();
    WriteTrainingCurves(folder_);
    TrainResult result;
    result.last_test_error = state_.last_error;
    result.best_test_error = state_.best_error;
    result.best_epoch = state_.best_epoch;
    result.last_train_loss = state_.last_loss;
    result.parameters = nn::CountNetwork(spec_, info_.height).parameters;
    result.seconds = folder_.LoggedSeconds();
    result.signature = signature_;
    result.folder = folder_.path();
    return result;
  }

 private:
  void Compile(const data::Splits& splits) {
    spec_ = SpecOf(options_.genotype, options_.cells, options_.channels, info_.classes, options_.auxiliary);
    spec_.drop_path = options_.drop_path > 0;
    nn::StepOptions step;
    step.image_size = info_.height;
    step.image_layout = ImageLayout(backend_);
    step.auxiliary_weight = options_.auxiliary_weight;
    step.sgd.weight_decay = *options_.weight_decay;
    weights_ = std::make_unique<StepRunner>(backend_, storage_, WeightsGraph(spec_, step),
                                            std::min<int64_t>(options_.batch, splits.train->Size()));
    evaluation_ = std::make_unique<StepRunner>(backend_, storage_, EvaluationGraph(spec_, step),
                                               std::min<int64_t>(options_.batch, splits.test->Size()));
  }

  void Begin() {
    const std::string where = folder_.File(kCheckpointFile).string();
    if (options_.resume && folder_.HasCheckpoint()) {
      const Checkpoint checkpoint = ReadCheckpoint(folder_.File(kCheckpointFile));
      CheckKind(checkpoint, "training", where);
      signature_ =
          ContinueSignature(checkpoint.signature, backend_.Signature(), options_.allow_signature_change, where);
      state_ = FromText(checkpoint.state, where);
      RestoreSlots(storage_, checkpoint.slots, where);
      progress_.Note(fmt::format("resuming at epoch {} batch {}", state_.epoch + 1, state_.batch + 1));
    } else {
      InitializeSlots(storage_, seed_);
    }
    folder_.CutLines(kMetricsFile, state_.lines);
    estimate_.emplace(Work(options_.epochs, 0, 0), WorkDone());
  }

  // In weights steps, from the beginning: so many whole epochs, and batches of the next one's training and test.
  double Work(int epochs, int64_t batches, int64_t test_batches) const {
    return static_cast<double>(epochs * train_loader_->BatchesPerEpoch() + batches) +
           kTestStep * static_cast<double>(epochs * test_loader_->BatchesPerEpoch() + test_batches);
  }
  double WorkDone() const { return Work(state_.epoch, state_.batch, state_.test_batch); }

  void RunEpoch() {
    const Clock::time_point start = Clock::now();
    estimate_->Start();
    const int64_t batches = train_loader_->BatchesPerEpoch(), images_before = state_.sums.images;
    train_loader_->StartEpoch(static_cast<uint32_t>(state_.epoch), state_.batch);
    StepScalars scalars;
    scalars.rate = optim::CosineRate(options_.learning_rate, state_.epoch, options_.epochs);
    scalars.drop_path_rate = DropPathRate(options_.drop_path, state_.epoch, options_.epochs);
    scalars.seed = seed_;
    while (const data::Batch* batch = train_loader_->Next()) {
      scalars.step = state_.epoch * batches + state_.batch;
      const StepResult result = weights_->Run(*batch, scalars);
      CheckFinite(result.loss, state_.epoch, state_.batch);
      state_.sums.Add(result.loss, result.correct1, result.correct5, batch->n);
      ++state_.batch;
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      estimate_->Reach(WorkDone());
      Report(batches, static_cast<double>(state_.sums.images - images_before) / std::max(1e-9, seconds));
      StopIfAsked();
    }
    EndEpoch(scalars, start);
  }

  void EndEpoch(const StepScalars& scalars, Clock::time_point start) {
    TestFrom(*evaluation_, *test_loader_, state_.test_batch, state_.test, [this] { StopIfAsked(); });
    state_.last_error = state_.test.ErrorPercent();
    state_.last_loss = state_.sums.MeanLoss();
    if (state_.last_error < state_.best_error) state_.best_error = state_.last_error, state_.best_epoch = state_.epoch;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    folder_.AppendLine(kMetricsFile, Json{{"epoch", state_.epoch + 1},
                                          {"train", Summary(state_.sums)},
                                          {"test", Summary(state_.test)},
                                          {"rate", scalars.rate},
                                          {"drop_path_rate", scalars.drop_path_rate},
                                          {"seconds", seconds},
                                          {"seconds_waited", train_loader_->SecondsWaited()}});
    const std::string line =
        fmt::format("epoch {}/{}: loss {:.4f} acc {:.2f}%  test {:.2f}% (best {:.2f}%)  {:.1f} s", state_.epoch + 1,
                    options_.epochs, state_.sums.MeanLoss(), 100 * state_.sums.Accuracy(), 100 - state_.last_error,
                    100 - state_.best_error, seconds);
    ++state_.epoch;
    ++state_.lines;
    state_.batch = state_.test_batch = 0;
    state_.sums = state_.test = {};
    Save();
    estimate_->Reach(WorkDone());
    StepStatus status;
    status.epoch = state_.epoch, status.epochs = options_.epochs;
    status.seconds_left = estimate_->SecondsLeft();
    progress_.EpochDone(status, line);
  }

  void Report(int64_t steps, double images_per_second) {
    StepStatus status;
    status.epoch = state_.epoch + 1, status.epochs = options_.epochs;
    status.step = state_.batch, status.steps = steps;
    status.phase = "weights";
    status.loss = state_.sums.MeanLoss(), status.accuracy = state_.sums.Accuracy();
    status.images_per_second = images_per_second;
    status.resident_bytes = ResidentBytes();
    status.seconds_left = estimate_->SecondsLeft();
    progress_.Step(status);
  }

  void StopIfAsked() {
    const std::optional<int> signal = progress_.StopSignal();
    if (!signal) return;
    Save();
    throw StoppedBy(*signal, folder_.path().string());
  }

  void Save() {
    WriteCheckpoint(folder_.File(kCheckpointFile), {"training", signature_, ToText(state_), CopySlots(storage_)});
  }

  void WriteWeights() {
    tensor::SafetensorsFile file;
    file.metadata = {{"genotype", search::ToString(options_.genotype)},
                     {"cells", std::to_string(options_.cells)},
                     {"channels", std::to_string(options_.channels)},
                     {"classes", std::to_string(info_.classes)}};
    for (const ir::Slot& slot : storage_.slots())
      if (slot.role != ir::SlotRole::kOptimizer) file.tensors.emplace(slot.name, storage_.Slot(slot.name).Copy());
    tensor::WriteSafetensors(folder_.File("weights.safetensors"), file);
  }

  const TrainOptions& options_;
  device::Backend& backend_;
  Progress& progress_;
  data::DatasetInfo info_;
  RunFolder folder_;
  uint64_t seed_;
  std::string signature_;
  nn::EvaluationNetworkSpec spec_;
  plan::ModelStorage storage_;
  std::unique_ptr<StepRunner> weights_, evaluation_;
  std::unique_ptr<data::Loader> train_loader_, test_loader_;
  State state_;
  std::optional<TimeEstimate> estimate_;  // in weights steps
};

}  // namespace

TrainOptions Resolve(TrainOptions options, int classes) {
  const auto want = [](bool good, const char* what, const char* where, const char* remedy) {
    if (!good) throw base::UsageError(what, where, remedy);
  };
  want(options.epochs >= 1, "a training needs at least one epoch", "--epochs", "give a number from 1 on");
  want(options.batch >= 2, "batch normalisation needs at least two images a batch", "--batch",
       "give a number from 2 on");
  want(options.channels >= 1, "the network needs channels", "--channels", "give a number from 1 on");
  want(options.cells >= 1, "the network needs cells", "--layers", "give a number from 1 on");
  want(options.drop_path >= 0 && options.drop_path < 1, "a drop path rate lies in [0, 1)", "--drop-path",
       "0.3 is the paper's");
  if (!options.weight_decay) options.weight_decay = classes == 100 ? 5e-4 : 3e-4;
  return options;
}

nlohmann::ordered_json ToJson(const TrainOptions& o) {
  PD_CHECK(o.weight_decay.has_value(), "resolve the options first");
  return {{"command", "train"},
          {"dataset", o.data.dataset},
          {"data", o.data.data.string()},
          {"train_limit", o.data.train_limit},
          {"test_limit", o.data.test_limit},
          {"arch", o.arch_name},
          {"genotype", search::ToString(o.genotype)},
          {"recipe", Name(o.recipe)},
          {"seed", o.seed},
          {"epochs", o.epochs},
          {"batch", o.batch},
          {"channels", o.channels},
          {"layers", o.cells},
          {"learning_rate", o.learning_rate},
          {"weight_decay", *o.weight_decay},
          {"drop_path", o.drop_path},
          {"cutout", o.cutout},
          {"auxiliary", o.auxiliary},
          {"auxiliary_weight", o.auxiliary_weight},
          {"workers", o.workers},
          {"device", o.device},
          {"isa", o.isa},
          {"threads", o.threads},
          {"data_digest", o.data_digest}};
}

TrainResult RunTraining(const TrainOptions& given, device::Backend& backend, Progress& progress) {
  const data::Splits splits = data::OpenDataset(given.data);
  for (const std::string& warning : splits.warnings) progress.Note(warning);
  TrainOptions options = Resolve(given, splits.train->info().classes);
  options.data_digest = data::ContentDigest(splits);
  return Training(options, backend, progress, splits).Run();
}

EvalResult RunEvaluation(const EvalOptions& options, device::Backend& backend, Progress& progress) {
  const Clock::time_point start = Clock::now();
  data::DatasetSpec data = options.data;
  data.need_train = false;
  const data::Splits splits = data::OpenDataset(data);
  for (const std::string& warning : splits.warnings) progress.Note(warning);
  const data::DatasetInfo& info = splits.test->info();
  const nn::EvaluationNetworkSpec spec = SpecOf(options.genotype, options.cells, options.channels, info.classes, false);
  plan::ModelStorage storage;
  nn::StepOptions step;
  step.image_size = info.height;
  step.image_layout = ImageLayout(backend);
  StepRunner evaluation(backend, storage, EvaluationGraph(spec, step),
                        std::min<int64_t>(options.batch, splits.test->Size()));
  tensor::SafetensorsFile weights = tensor::ReadSafetensors(options.weights);
  // The head takes no part in a test; num_batches_tracked is PyTorch's own counter.
  std::erase_if(weights.tensors, [](const auto& tensor) {
    return tensor.first.rfind("auxiliary_head", 0) == 0 ||
           tensor.first.find("num_batches_tracked") != std::string::npos;
  });
  RestoreSlots(storage, weights.tensors, options.weights.string());
  data::Loader loader(TestLoader(splits.test, options.batch, options.workers));
  RunningSums sums;
  int64_t batch_number = 0;
  TestFrom(evaluation, loader, batch_number, sums, [] {});
  EvalResult result;
  result.loss = sums.MeanLoss();
  result.error = sums.ErrorPercent();
  result.error_top5 = 100 * (1 - sums.AccuracyTop5());
  result.images = sums.images;
  result.parameters = nn::CountNetwork(spec, info.height).parameters;
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

}  // namespace pdarts::train
