// Counts networks and opens data: all that a level needs which runs nothing. To search or train with it is a bug.
#pragma once

#include <string>

#include "experiment/runner.h"

namespace pdarts::experiment {

class SizeCounter : public TaskRunner {
 public:
  // `machine`: version, device, CPU and threads, for the records.
  explicit SizeCounter(Provenance machine) : machine_(std::move(machine)) {}

  TaskResult RunSearch(const SearchTask& task) override;
  TaskResult RunTraining(const TrainTask& task) override;
  TaskResult Count(const CountTask& task) override;
  DatasetUse OpenData(DatasetUse use) override;

 protected:
  const Provenance& machine() const { return machine_; }

 private:
  Provenance machine_;
};

}  // namespace pdarts::experiment
