// pdarts reproduce TABLE
#include <filesystem>

#include "base/log.h"
#include "base/parallel.h"
#include "cli/commands.h"
#include "cli/cpu_info.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/shared_options.h"
#include "experiment/catalogue.h"
#include "experiment/report.h"
#include "experiment/size_counter.h"

namespace pdarts::cli {
namespace {

namespace ex = experiment;

struct Options {
  std::string table, level = "check";
  std::optional<std::string> out;
  bool resume = false;
  uint64_t seed = 0;
  std::vector<std::string> rows;
  MachineOptions machine;
  OutputOptions output;

  void AddTo(OptionSet& set) {
    set.AddPositional("TABLE", &table, "the table: " + fmt::format("{}", fmt::join(ex::TableNames(), ", ")), true);
    set.Group("Run");
    set.AddChoice("level", &level, {"check"}, "check: counts the sizes of the published cells, in seconds");
    set.Add("rows", &rows, "ID", "only this row; may be given several times");
    set.Add("out", &out, "DIR",
            "folder of records and reports; not given: runs/TABLE-LEVEL-SEED, continued if it exists");
    set.AddSwitch("resume", &resume, "go on with the run in --out");
    set.Add("seed", &seed, "N", "all random numbers follow from it");
    machine.AddTo(set);
    output.AddTo(set);
  }
};

// Says what runs, on stderr.
class LogListener : public ex::TaskListener {
 public:
  void Started(int task, int tasks, const std::string& line, const std::string& what) override {
    title_ = fmt::format("[{}/{}] {}: {}", task, tasks, line, what);
    base::ShowStatus(title_, false);
  }
  void Finished(const ex::Record& record, bool reused) override {
    base::ClearStatus();
    std::string end = reused ? ", finished before" : "";
    if (record.metrics.last_error) end = fmt::format(", test error {:.2f}%{}", *record.metrics.last_error, end);
    if (record.kind == ex::TaskKind::kCount) end = fmt::format(", {}{}", record.metrics.parameters.value(), end);
    base::LogInfo(title_ + end);
  }

 private:
  std::string title_;
};

ex::RunSetup MakeSetup(const Options& options, const ex::TableSpec& table, const ex::Provenance& machine) {
  const ex::LevelSpec& level = table.Level(options.level);
  return {.table = table.id,
          .level = level.id,
          .context = {.version = machine.version, .backend = machine.device, .recipe = level.recipe},
          .seed = options.seed,
          .searches = level.searches,
          .trainings = level.trainings,
          .lines = options.rows};
}

}  // namespace

int RunReproduce(const Arguments& arguments) {
  Options options;
  OptionSet set("reproduce",
                "Reruns a table of the paper and compares each value with the paper's and with stored runs.\n"
                "Exit code: 0 all in band, 1 something out of band, 3 not decided.");
  options.AddTo(set);
  if (!set.Parse(arguments)) return 0;
  options.machine.ApplyThreads();
  const ex::TableSpec table = ex::FindTable(options.table);
  const ex::Provenance machine{
      .version = PDARTS_VERSION, .device = "cpu", .cpu = ReadCpuInfo().model, .threads = base::Threads()};
  const ex::RunSetup setup = MakeSetup(options, table, machine);
  const std::filesystem::path folder =
      options.out.value_or(fmt::format("runs/{}-{}-{}", table.id, setup.level, setup.seed));
  ex::SizeCounter runner(machine);
  ex::OpenFolder(folder, setup, options.resume || !options.out);
  ex::ResultStore store(folder);
  LogListener listener;
  ex::RunTasks(table, setup, folder, store, runner, listener);
  const ex::TableResult result = ex::Evaluate(table, setup, store, ex::Stored());
  ex::WriteReports(result, folder, {});
  Print(options.output.json ? ex::RenderJson(result) : ex::RenderText(result, ColourWanted()));
  base::LogInfo(fmt::format("written to {}: {}.html, .md, .csv, .json, and the records", folder.string(), table.id));
  return static_cast<int>(result.exit_code());
}

}  // namespace pdarts::cli
