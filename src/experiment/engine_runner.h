// Tasks done by the engine of src/train.
#pragma once

#include "experiment/size_counter.h"

namespace pdarts::device {
class Backend;
}
namespace pdarts::train {
class Progress;
}

namespace pdarts::experiment {

class EngineRunner final : public SizeCounter {
 public:
  // `backend` and `progress` must outlive the runner. workers: threads that read images ahead; they change no result.
  EngineRunner(Provenance machine, device::Backend& backend, train::Progress& progress, int workers)
      : SizeCounter(std::move(machine)), backend_(backend), progress_(progress), workers_(workers) {}

  TaskResult RunSearch(const SearchTask& task) override;
  TaskResult RunTraining(const TrainTask& task) override;

 private:
  device::Backend& backend_;
  train::Progress& progress_;
  int workers_;
};

// The epochs that a run's metrics.jsonl lists. In a search the test error is that on the half of the training images
// which the weights do not learn from. Throws a data error for a malformed line.
std::vector<CurvePoint> ReadCurve(const std::filesystem::path& metrics);

}  // namespace pdarts::experiment
