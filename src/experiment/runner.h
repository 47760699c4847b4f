// Who does the work of a task. The experiment's logic knows only this, so it is tested without a network.
#pragma once

#include <string>
#include <vector>

#include "experiment/record.h"
#include "experiment/task.h"

namespace pdarts::experiment {

struct TaskResult {
  Metrics metrics;
  std::string genotype;  // of a search: the cell it found, JSON
  std::vector<CurvePoint> curve;
  Provenance provenance;  // `finished` is filled in by who stores the record
};

class TaskRunner {
 public:
  virtual ~TaskRunner() = default;

  // Runs the task to its end, going on where task.folder holds an unfinished run of it. A stop by a signal is thrown as
  // an error of code kInterrupted or kTerminated, after a checkpoint.
  virtual TaskResult RunSearch(const SearchTask& task) = 0;
  virtual TaskResult RunTraining(const TrainTask& task) = 0;

  // Sizes of the evaluation network; quick, runs nothing.
  virtual TaskResult Count(const CountTask& task) = 0;

  // Fills in digest, images and classes of the data that name and path say.
  virtual DatasetUse OpenData(DatasetUse use) = 0;
};

}  // namespace pdarts::experiment
