// Times the steps of the networks that are searched and trained.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "bench/report.h"
#include "cli/commands.h"
#include "cli/cpu_info.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "cli/table.h"
#include "kernels/isa.h"
#include "search/architectures.h"

namespace pdarts::cli {
namespace {

constexpr double kMega = 1e6;

void PrintTimes(const std::string& name, const bench::StepTimes& times, int64_t batch) {
  const auto images = static_cast<double>(batch);
  Print(fmt::format("{:<17} median {:.1f} ms  min {:.1f}  max {:.1f}   {:.2f} ms per image  {:.1f} images/s\n", name,
                    times.median_ms, times.min_ms, times.max_ms, times.median_ms / images,
                    1e3 * images / times.median_ms));
}

void PrintProfile(const std::string& title, const std::vector<bench::OpRow>& rows, size_t most) {
  using enum Table::Align;
  double total = 0;
  for (const bench::OpRow& row : rows) total += row.ms;
  Table table({{title}, {"calls", kRight}, {"ms", kRight}, {"share", kRight}, {"GFLOP/s", kRight}, {"GB/s", kRight}});
  for (size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const bench::OpRow& row = rows[i];
    table.AddRow({row.name, std::to_string(row.calls), fmt::format("{:.2f}", row.ms),
                  fmt::format("{:.1f}%", 100 * row.ms / total),
                  row.flops > 0 ? fmt::format("{:.1f}", row.Gflops()) : "", fmt::format("{:.1f}", row.Gbs())});
  }
  Print("\n");
  table.Print();
}

void PrintLimits(const bench::Report& report) {
  const bench::Limits& limits = *report.limits;
  const kernels::Roofline& m = limits.machine;
  Print(fmt::format(
      "machine           {:.0f} GFLOP/s; copying {:.0f} GB/s in memory, {:.0f} in cache; reading {:.0f}, {:.0f}\n",
      m.peak_gflops, m.copy_memory_gbs, m.copy_cache_gbs, m.read_memory_gbs, m.read_cache_gbs));
  Print(fmt::format("convolution floor {:.1f} ms ({:.1f} ms from cache); weight step over floor {:.2f}\n",
                    limits.weights.ms, limits.weights.hot_ms, report.StepOverFloor()));
  if (limits.architecture)
    Print(fmt::format("                  {:.1f} ms; architecture step over floor {:.2f}\n", limits.architecture->ms,
                      report.architecture->times.median_ms / limits.architecture->ms));
}

void PrintConvolutions(const std::vector<bench::FloorRow>& rows, size_t most) {
  using enum Table::Align;
  Table table({{"convolution"},
               {"calls", kRight},
               {"fastest"},
               {"ms", kRight},
               {"GFLOP/s", kRight},
               {"no reorder, ms", kRight},
               {"plan, ms", kRight}});
  for (size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const bench::FloorRow& row = rows[i];
    table.AddRow({row.name, std::to_string(row.calls), row.kernel, fmt::format("{:.3f}", row.ms),
                  fmt::format("{:.1f}", row.flops / row.ms * 1e-6), fmt::format("{:.3f}", row.unreordered_ms),
                  fmt::format("{:.3f}", row.chosen_ms)});
  }
  Print("\n");
  table.Print();
}

void PrintReport(const bench::Report& report) {
  constexpr size_t kKernels = 25;
  Print(fmt::format("{}  batch {}  {} threads  {}\n", report.stage, report.batch, report.threads, report.isa));
  PrintTimes("weight step", report.weights.times, report.batch);
  if (report.architecture) PrintTimes("architecture step", report.architecture->times, report.batch);
  if (report.limits) PrintLimits(report);
  const bench::PlannedBytes& planned = report.planned;
  const auto mega = [](auto bytes) { return static_cast<double>(bytes) / kMega; };
  Print(
      fmt::format("memory planned {:.1f} MB (parameters {:.1f}, statistics {:.2f}, optimizer {:.1f}, inputs {:.1f}, "
                  "temporary {:.1f})\n",
                  mega(planned.total()), mega(planned.parameters), mega(planned.statistics), mega(planned.optimizer),
                  mega(planned.inputs), mega(planned.temporary)));
  Print(fmt::format("memory resident, at most {:.1f} MB (before any plan: {:.1f} MB)\n", mega(report.peak_bytes),
                    mega(report.base_bytes)));
  const passes::ReorderStats& reorders = report.weights.reorders;
  Print(fmt::format("reorders of activations {} ({:.2f} MB), of weights {} ({:.2f} MB)\n", reorders.activations,
                    mega(reorders.activation_bytes), reorders.weights, mega(reorders.weight_bytes)));
  PrintProfile("weight step: op", report.weights.profile.kinds, SIZE_MAX);
  PrintProfile("weight step: kernel", report.weights.profile.kernels, kKernels);
  if (report.architecture) PrintProfile("architecture step: op", report.architecture->profile.kinds, SIZE_MAX);
  if (report.limits) PrintConvolutions(report.limits->weights.rows, kKernels);
}

bench::Report RunOne(const std::string& stage, int64_t batch, device::Backend& backend,
                     const bench::BenchOptions& options) {
  const search::Genotype& cell = search::FindArchitecture("PDARTS_CIFAR10", "bench").genotype;
  return bench::RunStepBench(bench::NetworkOf(stage, batch, cell, train::ImageLayout(backend)), backend, options);
}

// "AMD EPYC 7763" as a file name: amd-epyc-7763.
std::string FileNameOf(const std::string& cpu) {
  std::string name;
  for (const char c : cpu) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u)) name += static_cast<char>(std::tolower(u));
    if (!std::isalnum(u) && !name.empty() && name.back() != '-') name += '-';
  }
  return name.substr(0, name.find_last_not_of('-') + 1);
}

// The whole set, into CPU.json and CPU.md of the folder.
void RunSet(const std::filesystem::path& folder, device::Backend& backend, const bench::BenchOptions& options) {
  const CpuInfo cpu = ReadCpuInfo();
  std::vector<bench::Report> reports;
  nlohmann::ordered_json json{{"cpu", cpu.model}, {"signature", backend.Signature()}};
  for (const bench::SetEntry& entry : bench::StandardSet()) {
    base::LogInfo(fmt::format("bench {} at batch {}", entry.stage, entry.batch));
    reports.push_back(RunOne(entry.stage, entry.batch, backend, options));
    json["reports"].push_back(bench::ToJson(reports.back()));
  }
  const std::string text = fmt::format("{}, {} threads, {}\n\n{}", cpu.model, reports.front().threads,
                                       reports.front().isa, bench::ToMarkdown(reports));
  base::MakeFolder(folder);
  base::WriteFileAtomically(folder / (FileNameOf(cpu.model) + ".json"), json.dump(1) + "\n");
  base::WriteFileAtomically(folder / (FileNameOf(cpu.model) + ".md"), text);
  Print(text);
}

}  // namespace

int RunBench(const Arguments& arguments) {
  OptionSet options("bench",
                    "Times the steps of a network on random images, kernel by kernel, and counts its memory:\n"
                    "pdarts bench step --stage 1 --roofline\n"
                    "pdarts bench set --out DIR writes all networks' numbers into a file named after the CPU.");
  std::string what, stage = "1", out;
  std::optional<int> batch;
  bench::BenchOptions bench_options;
  MachineOptions machine;
  OutputOptions output;
  options.AddPositional("what", &what, "step or set", /*required=*/true);
  options.Group("Bench");
  options.AddChoice("stage", &stage, bench::StageNames(),
                    "a stage of the search, or a network of the paper's best cell: cifar (C=36, 20 cells), "
                    "cifar-large (C=64), imagenet (C=48, 14 cells)");
  options.Add("batch", &batch, "N", "images a batch; not given: 96, imagenet 32", {.min = 2});
  options.Add("steps", &bench_options.steps, "N", "steps that are timed, after two that are not", {.min = 1});
  options.AddSwitch("roofline", &bench_options.roofline,
                    "also measure the machine's peaks, and the step's convolutions alone, each by its fastest kernel");
  options.Add("out", &out, "DIR", "folder for bench set");
  machine.AddTo(options, false);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  if (what != "step" && what != "set")
    throw base::UsageError(fmt::format("unknown bench '{}'", what), "bench", "there are: bench step, bench set");
  if (what == "set" && out.empty()) throw base::UsageError("no folder given", "--out", "give one for the results");

  const auto backend = MakeBackend(machine);
  bench_options.isa = machine.device == "ref" ? "none" : kernels::IsaName(kernels::ActiveIsa());
  if (what == "set") {
    bench_options.roofline = true;
    RunSet(out, *backend, bench_options);
    return 0;
  }
  const bench::Report report = RunOne(stage, batch.value_or(stage == "imagenet" ? 32 : 96), *backend, bench_options);
  if (output.json)
    Print(bench::ToJson(report).dump(2) + "\n");
  else
    PrintReport(report);
  return 0;
}

}  // namespace pdarts::cli
