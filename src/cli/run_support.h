// What the verbs that compute share: the backend of --device, and progress on stderr.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "cli/shared_options.h"
#include "data/dataset.h"
#include "device/backend.h"
#include "train/progress.h"

namespace pdarts::cli {

// Sets threads and instruction set, then makes the backend: "auto" and "cpu" the CPU's, "ref" the reference.
std::unique_ptr<device::Backend> MakeBackend(const MachineOptions& options);

data::DatasetSpec SpecOf(const DataOptions& options);

// With --resume, for the options not given again: what the run in --out was started with (its config.json). Does
// nothing where there is no run yet. A usage error where the folder holds the run of another verb.
void TakeStoredOptions(OptionSet& options, const RunOptions& run, const std::string& verb);

// One status line with the estimate on a terminal, plain lines elsewhere; stops at SIGINT or SIGTERM.
class ConsoleProgress final : public train::Progress {
 public:
  void Step(const train::StepStatus& status) override;
  void EpochDone(const train::StepStatus& status, std::string_view line) override;
  void Note(std::string_view line) override;
  std::optional<int> StopSignal() override;
};

}  // namespace pdarts::cli
