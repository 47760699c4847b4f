// A runner that computes nothing: errors follow from the task's seed and cell, and every call is counted.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "experiment/reproduce.h"
#include "support/temp_folder.h"

namespace pdarts::test {

inline experiment::TableSpec LoadTable1() {
  const std::filesystem::path path = std::filesystem::path(PDARTS_TESTS_DIR) / "../reproduce/table1.json";
  return experiment::ParseTableSpec(base::ReadFile(path), path.string());
}

class FakeRunner : public experiment::TaskRunner {
 public:
  experiment::TaskResult RunSearch(const experiment::SearchTask& task) override {
    ++searches;
    StopWhenDue();
    experiment::TaskResult result = Base(3600);
    const int input = static_cast<int>(task.seed % 2);
    nlohmann::json normal = nlohmann::json::array();
    for (int node = 0; node < 4; ++node)
      for (int i : {input, 1 - input})
        normal.push_back({task.dataset.classes == 10 ? "sep_conv_3x3" : "dil_conv_3x3", i});
    result.genotype = nlohmann::json{
        {"normal", normal},
        {"normal_concat", {2, 3, 4, 5}},
        {"reduce", normal},
        {"reduce_concat",
         {2, 3, 4, 5}}}.dump();
    for (int stage = 1; stage <= 3; ++stage)
      for (int epoch = 1; epoch <= 4; ++epoch)
        result.curve.push_back({stage, epoch, 2.0 / epoch, 60.0 / epoch, 62.0 / epoch});
    return result;
  }

  experiment::TaskResult RunTraining(const experiment::TrainTask& task) override {
    ++trainings;
    StopWhenDue();
    experiment::TaskResult result = Base(60);
    const double noise = 0.02 * static_cast<double>(static_cast<int>(task.seed % 3) - 1);
    const double error = (task.dataset.classes == 10 ? 2.6 : 16.6) + noise + shift;
    result.metrics.last_error = error;
    result.metrics.best_error = error - 0.1;
    result.metrics.best_epoch = 19;
    for (int epoch = 1; epoch <= 20; ++epoch) {
      const double rest = 70.0 / (1 + epoch);
      result.curve.push_back({0, epoch, rest / 20, error / 2 + rest, error + rest - 70.0 / 21});
    }
    return result;
  }

  experiment::TaskResult Count(const experiment::CountTask& task) override {
    ++counts;
    experiment::TaskResult result = Base(0);
    result.metrics.parameters = count_of ? count_of(task) : 3433798;
    return result;
  }

  experiment::DatasetUse OpenData(experiment::DatasetUse use) override {
    use.digest = base::Sha256Hex(use.name);
    use.classes = use.name.ends_with("100") ? 100 : 10;
    use.train_images = 50000;
    use.test_images = 10000;
    return use;
  }

  int searches = 0, trainings = 0, counts = 0;
  double shift = 0;      // added to every test error
  int stop_at_call = 0;  // of searches and trainings together: throws as a signal would
  std::function<int64_t(const experiment::CountTask&)> count_of;

 private:
  static experiment::TaskResult Base(double seconds) {
    experiment::TaskResult result;
    result.metrics.seconds = seconds;
    result.provenance = {"0.1.0", "cpu", "a processor", "fake", 2, ""};
    return result;
  }
  void StopWhenDue() const {
    if (stop_at_call > 0 && searches + trainings == stop_at_call)
      throw base::Error(base::ExitCode::kInterrupted, "stopped by a signal", "", "go on with --resume");
  }
};

class QuietListener : public experiment::TaskListener {
 public:
  void Started(int task, int tasks, const std::string&, const std::string&) override { last = task, all = tasks; }
  void Finished(const experiment::Record&, bool was_reused) override { reused += was_reused; }
  int last = 0, all = 0, reused = 0;
};

inline experiment::RunSetup SetupOf(const experiment::TableSpec& table, const std::string& level, FakeRunner& runner) {
  const experiment::LevelSpec& spec = table.Level(level);
  experiment::RunSetup setup{.table = table.id, .level = level, .context = {"0.1.0", "cpu", "paper"}};
  setup.searches = spec.searches;
  setup.trainings = spec.trainings;
  if (spec.runs)
    for (const char* name : {"cifar10", "cifar100"}) setup.datasets[name] = runner.OpenData({.name = name});
  return setup;
}

}  // namespace pdarts::test
