// Times the steps of the networks that are searched and trained.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/report.h"
#include "cli/commands.h"
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

void PrintReport(const bench::Report& report) {
  constexpr size_t kKernels = 25;
  Print(fmt::format("{}  batch {}  {} threads  {}\n", report.stage, report.batch, report.threads, report.isa));
  PrintTimes("weight step", report.weights.times, report.batch);
  if (report.architecture) PrintTimes("architecture step", report.architecture->times, report.batch);
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
}

}  // namespace

int RunBench(const Arguments& arguments) {
  OptionSet options("bench",
                    "Times the steps of a network on random images, kernel by kernel, and counts its memory:\n"
                    "pdarts bench step --stage 1");
  std::string what, stage = "1";
  std::optional<int> batch;
  bench::BenchOptions bench_options;
  MachineOptions machine;
  OutputOptions output;
  options.AddPositional("what", &what, "step", /*required=*/true);
  options.Group("Bench");
  options.AddChoice("stage", &stage, bench::StageNames(),
                    "a stage of the search, or a network of the paper's best cell: cifar (C=36, 20 cells), "
                    "cifar-large (C=64), imagenet (C=48, 14 cells)");
  options.Add("batch", &batch, "N", "images a batch; not given: 96, imagenet 32", {.min = 2});
  options.Add("steps", &bench_options.steps, "N", "steps that are timed, after two that are not", {.min = 1});
  machine.AddTo(options);
  output.AddTo(options);
  if (!options.Parse(arguments)) return 0;
  if (what != "step") throw base::UsageError(fmt::format("unknown bench '{}'", what), "bench", "there is: bench step");

  const auto backend = MakeBackend(machine);
  bench_options.isa = machine.device == "ref" ? "none" : kernels::IsaName(kernels::ActiveIsa());
  const bench::Network network =
      bench::NetworkOf(stage, batch.value_or(stage == "imagenet" ? 32 : 96),
                       search::FindArchitecture("PDARTS_CIFAR10", "bench").genotype, train::ImageLayout(*backend));
  const bench::Report report = bench::RunStepBench(network, *backend, bench_options);
  if (output.json)
    Print(bench::ToJson(report).dump(2) + "\n");
  else
    PrintReport(report);
  return 0;
}

}  // namespace pdarts::cli
