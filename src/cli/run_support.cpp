#include "cli/run_support.h"

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "base/log.h"
#include "base/stop.h"
#include "kernels/isa.h"

namespace pdarts::cli {

std::unique_ptr<device::Backend> MakeBackend(const MachineOptions& options) {
  options.ApplyThreads();
  kernels::SetIsa(options.isa);
  return options.device == "ref" ? backends::NewRefBackend() : backends::NewCpuBackend();
}

data::DatasetSpec SpecOf(const DataOptions& options) {
  data::DatasetSpec spec;
  spec.dataset = options.dataset;
  spec.data = options.data.value_or("");
  spec.train_limit = options.train_limit.value_or(0);
  spec.test_limit = options.test_limit.value_or(0);
  return spec;
}

void ConsoleProgress::Step(const train::StepStatus& status) {
  base::ShowStatus(train::FormatStatus(status), /*force=*/false);
}
void ConsoleProgress::EpochDone(const train::StepStatus&, std::string_view line) { base::LogInfo(line); }
void ConsoleProgress::Note(std::string_view line) { base::LogInfo(line); }

std::optional<int> ConsoleProgress::StopSignal() {
  if (!base::StopRequested()) return std::nullopt;
  return static_cast<int>(base::StopExitCode()) - 128;
}

}  // namespace pdarts::cli
