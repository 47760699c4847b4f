#include "experiment/engine_runner.h"

#include <nlohmann/json.hpp>

#include "search/genotype.h"
#include "train/run_folder.h"
#include "train/run_log.h"
#include "train/search_run.h"
#include "train/training_run.h"

namespace pdarts::experiment {
namespace {

data::DatasetSpec DataOf(const DatasetUse& use, int64_t train_limit, int64_t test_limit) {
  return {.dataset = use.name, .data = use.data, .train_limit = train_limit, .test_limit = test_limit};
}

}  // namespace

TaskResult EngineRunner::RunSearch(const SearchTask& task) {
  const train::SearchResult run = train::RunSearch({.data = DataOf(task.dataset, task.settings.train_limit, 0),
                                                    .out = task.folder,
                                                    .resume = true,
                                                    .recipe = train::RecipeFromName(task.context.recipe),
                                                    .seed = task.seed,
                                                    .epochs = task.settings.epochs,
                                                    .batch = task.settings.batch,
                                                    .channels = task.settings.channels,
                                                    .cells = task.settings.cells,
                                                    .max_skip = task.settings.max_skip,
                                                    .workers = workers_},
                                                   backend_, progress_);
  TaskResult result{.provenance = machine()};
  result.genotype = search::ToJson(run.genotype).dump();
  result.metrics.seconds = run.seconds;
  result.curve = ReadCurve(task.folder / train::kMetricsFile);
  result.provenance.signature = run.signature;
  return result;
}

TaskResult EngineRunner::RunTraining(const TrainTask& task) {
  const auto genotype = search::GenotypeFromJson(nlohmann::json::parse(task.genotype), task.arch_name);
  const train::TrainResult run =
      train::RunTraining({.data = DataOf(task.dataset, task.settings.train_limit, task.settings.test_limit),
                          .genotype = genotype,
                          .arch_name = task.arch_name,
                          .out = task.folder,
                          .resume = true,
                          .recipe = train::RecipeFromName(task.context.recipe),
                          .seed = task.seed,
                          .epochs = task.settings.epochs,
                          .batch = task.settings.batch,
                          .channels = task.channels,
                          .cells = task.settings.cells,
                          .workers = workers_},
                         backend_, progress_);
  TaskResult result{.provenance = machine()};
  result.metrics = {.last_error = run.last_test_error,
                    .best_error = run.best_test_error,
                    .best_epoch = run.best_epoch + 1,
                    .parameters = run.parameters,
                    .seconds = run.seconds};
  result.curve = ReadCurve(task.folder / train::kMetricsFile);
  result.provenance.signature = run.signature;
  return result;
}

std::vector<CurvePoint> ReadCurve(const std::filesystem::path& metrics) {
  std::vector<CurvePoint> curve;
  for (const draw::EpochPoint& epoch : train::ReadEpochs(metrics)) {
    CurvePoint point{.stage = epoch.stage, .epoch = epoch.epoch, .train_loss = epoch.loss};
    point.train_error = 100 - epoch.accuracy;
    if (epoch.held_out_accuracy) point.test_error = 100 - *epoch.held_out_accuracy;
    curve.push_back(point);
  }
  return curve;
}

}  // namespace pdarts::experiment
