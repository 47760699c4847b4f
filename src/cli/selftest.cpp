#include "backends/ref/ref_backend.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "cli/table.h"
#include "passes/rewrite.h"
#include "selftest/vectors.h"

namespace pdarts::cli {
namespace {

std::vector<std::filesystem::path> FilesOf(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".safetensors" || entry.path().extension() == ".json")
      files.push_back(entry.path());
  if (error || files.empty())
    throw base::DataError("no reference files (.safetensors, .json) here", folder,
                          "give the folder that holds them with --vectors");
  std::sort(files.begin(), files.end());
  return files;
}

// "" for none, a name, or all.
std::vector<std::string> DisabledPasses(const std::string& name) {
  if (name.empty()) return {};
  if (name == "all") return passes::RewriteNames();
  passes::CheckNames({name});
  return {name};
}

}  // namespace

int RunSelftest(const Arguments& arguments) {
  OptionSet options(
      "selftest",
      "Checks a backend against reference files made by the published implementation. Exit 1 if one is off.");
  MachineOptions machine;
  machine.device = "cpu";
  std::string vectors, precision = "auto", disabled;
  options.Group("Selftest");
  options.Add("vectors", &vectors, "DIR", "folder of reference files");
  options.AddChoice("precision", &precision, {"auto", "fp64", "fp32"}, "auto: fp64 for ref, fp32 for cpu");
  options.Add("disable-pass", &disabled, "NAME", "leave out this rewrite of the graph, or all of them: all");
  machine.AddTo(options, false);
  if (!options.Parse(arguments)) return 0;
  if (vectors.empty())
    throw base::UsageError("no reference files named", "--vectors", "give the folder that holds them");
  const bool ref = machine.device == "ref";
  if (precision == "auto") precision = ref ? "fp64" : "fp32";
  if (precision == "fp64" && !ref)
    throw base::UsageError("the cpu backend computes in fp32", "--precision", "use --device ref for fp64");

  const std::vector<std::string> disabled_passes = DisabledPasses(disabled);
  const auto backend = MakeBackend(machine);
  const auto exact = backends::NewRefBackend();
  Table table({{"file"}, {"kind"}, {"compared", Table::Align::kRight}, {"worst", Table::Align::kRight}, {"result"}});
  bool ok = true;
  std::string details;
  for (const std::filesystem::path& file : FilesOf(vectors)) {
    const auto numbers = precision == "fp64" ? selftest::Precision::kF64 : selftest::Precision::kF32;
    const selftest::Report report =
        selftest::CheckFile(file, {*backend, numbers, *exact, {.disabled_passes = disabled_passes}});
    ok = ok && report.ok();
    table.AddRow({report.file, report.kind, std::to_string(report.compared), fmt::format("{:.2g}", report.worst),
                  report.ok() ? Cell("ok", Colour::kGood) : Cell("off", Colour::kBad)});
    for (const std::string& note : report.notes) details += fmt::format("{}: {}\n", report.file, note);
    for (const std::string& failure : report.failures) details += fmt::format("{}: {}\n", report.file, failure);
  }
  table.Print();
  Print(details);
  return ok ? 0 : static_cast<int>(base::ExitCode::kOutOfBand);
}

}  // namespace pdarts::cli
