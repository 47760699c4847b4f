#include "cli/run_support.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "backends/cpu/cpu_backend.h"
#include "backends/ref/ref_backend.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "kernels/isa.h"
#include "train/run_folder.h"

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

void TakeStoredOptions(OptionSet& options, const RunOptions& run, const std::string& verb) {
  const std::filesystem::path file = std::filesystem::path(run.out) / train::kConfigFile;
  if (!run.resume || run.out.empty() || !std::filesystem::exists(file)) return;
  const nlohmann::ordered_json config = train::ReadConfig(run.out);
  const std::string command = config.contains("command") ? config["command"].dump() : "no command";
  if (command != fmt::format("\"{}\"", verb))
    throw base::UsageError(fmt::format("this is a run of {}, not of {}", command, verb), run.out,
                           "resume it with the verb it was started with");
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : config.items()) {
    std::string name = key, text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.empty() || (text == "0" && (key.ends_with("_limit") || key == "threads"))) continue;  // was not given
    if (value.is_array()) text = text.substr(1, text.size() - 2);                                  // "5,11,17"
    std::ranges::replace(name, '_', '-');
    values[name] = text;
  }
  // The cell itself: the file that --arch named may have changed or gone.
  if (values.contains("genotype")) values["arch"] = values["genotype"];
  if (values.contains("auxiliary")) values["no-auxiliary"] = values["auxiliary"] == "true" ? "false" : "true";
  options.TakeStored(values, file.string());
}

void ConsoleProgress::Step(const train::StepStatus& status) {
  base::ShowStatus(train::FormatStatus(status), /*force=*/false);
}
void ConsoleProgress::EpochDone(const train::StepStatus& status, std::string_view line) {
  std::string text(line);
  if (status.seconds_left > 0) text += fmt::format("  about {} left", train::FormatDuration(status.seconds_left));
  base::LogInfo(text);
}
void ConsoleProgress::Note(std::string_view line) { base::LogInfo(line); }

std::optional<int> ConsoleProgress::StopSignal() {
  if (!base::StopRequested()) return std::nullopt;
  return static_cast<int>(base::StopExitCode()) - 128;
}

}  // namespace pdarts::cli
