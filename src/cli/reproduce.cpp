// pdarts reproduce TABLE
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/cpu_info.h"
#include "cli/option_set.h"
#include "cli/output.h"
#include "cli/run_support.h"
#include "experiment/catalogue.h"
#include "experiment/engine_runner.h"
#include "experiment/report.h"
#include "train/search_run.h"

namespace pdarts::cli {
namespace {

namespace ex = experiment;

struct Options {
  std::string table, level = "smoke";
  std::optional<std::string> out, cifar10, cifar100, recipe;
  std::optional<int> searches, trainings;
  bool resume = false;
  uint64_t seed = 0;
  std::vector<std::string> rows;
  MachineOptions machine;
  OutputOptions output;

  void AddTo(OptionSet& set) {
    set.AddPositional("TABLE", &table, "the table: " + fmt::format("{}", fmt::join(ex::TableNames(), ", ")), true);
    set.Group("What to run");
    set.AddChoice("level", &level, {"check", "smoke", "short", "full"},
                  "check counts sizes (seconds); smoke is tiny (minutes); short trains fewer epochs; full is the "
                  "paper's recipe, and alone may claim its values");
    set.Add("rows", &rows, "ID", "only this row; may be given several times");
    set.Add("searches", &searches, "N", "searches on each dataset; not given: the level's", {.min = 1});
    set.Add("trainings", &trainings, "N", "trainings of each cell; not given: the level's", {.min = 1});
    set.Add("recipe", &recipe, "paper|released", "whose recipe; not given: the level's");
    set.Group("Data");
    set.Add("cifar10", &cifar10, "PATH", "archive or folder of CIFAR-10; not given: synthetic images at level smoke");
    set.Add("cifar100", &cifar100, "PATH", "archive or folder of CIFAR-100; likewise");
    set.Group("Run");
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
    std::string text = title_;
    if (record.metrics.last_error) text += fmt::format(", test error {:.2f}%", *record.metrics.last_error);
    if (record.kind == ex::TaskKind::kCount) text += fmt::format(", {}", record.metrics.parameters.value());
    base::LogInfo(text + (reused ? ", finished before" : ""));
  }

 private:
  std::string title_;
};

// The status line of the running task; its epochs are in the records, and would drown the tasks' lines.
class TaskProgress final : public train::Progress {
 public:
  void Step(const train::StepStatus& status) override { console_.Step(status); }
  void EpochDone(const train::StepStatus&, std::string_view line) override { base::LogDebug(line); }
  void Note(std::string_view line) override { base::LogDebug(line); }
  std::optional<int> StopSignal() override { return console_.StopSignal(); }

 private:
  ConsoleProgress console_;
};

void OpenDatasets(const Options& options, const ex::TableSpec& table, ex::TaskRunner& runner, ex::RunSetup& setup) {
  const ex::LevelSpec& level = table.Level(options.level);
  for (const ex::ColumnSpec& column : table.columns) {
    if (column.measure != ex::Measure::kError || !level.runs) continue;
    const std::optional<std::string>& path = column.dataset == "cifar10" ? options.cifar10 : options.cifar100;
    if (!path && level.needs_data)
      throw base::UsageError(fmt::format("level {} needs the images of {}", level.id, column.dataset),
                             "--" + column.dataset, "give its archive or folder (pdarts data fetch gets it)");
    ex::DatasetUse use{.name = path                    ? column.dataset
                               : column.classes == 100 ? "synthetic100"
                                                       : "synthetic",
                       .data = path.value_or("")};
    use = runner.OpenData(use);
    if (use.classes != column.classes)
      throw base::UsageError(fmt::format("these images have {} classes, not {}", use.classes, column.classes),
                             "--" + column.dataset, "give the dataset that the option names");
    setup.datasets[column.dataset] = use;
  }
}

ex::RunSetup MakeSetup(const Options& options, const ex::TableSpec& table, const ex::Provenance& machine) {
  const ex::LevelSpec& level = table.Level(options.level);
  return {.table = table.id,
          .level = level.id,
          .context = {.version = machine.version,
                      .backend = machine.device,
                      .recipe = train::Name(train::RecipeFromName(options.recipe.value_or(level.recipe)))},
          .seed = options.seed,
          .searches = options.searches.value_or(level.searches),
          .trainings = options.trainings.value_or(level.trainings),
          .lines = options.rows};
}

int Run(const Options& options) {
  if (options.out && options.out->empty())
    throw base::UsageError("the folder has no name", "--out", "give --out DIR, or leave it out");
  const ex::TableSpec table = ex::FindTable(options.table);
  const auto backend = MakeBackend(options.machine);
  const ex::Provenance machine{.version = PDARTS_VERSION,
                               .device = options.machine.device == "ref" ? "ref" : "cpu",
                               .cpu = ReadCpuInfo().model,
                               .signature = backend->Signature(),
                               .threads = base::Threads()};
  TaskProgress progress;
  ex::EngineRunner runner(machine, *backend, progress, options.machine.workers);
  ex::RunSetup setup = MakeSetup(options, table, machine);
  ex::CheckRows(table, setup);
  OpenDatasets(options, table, runner, setup);
  const std::filesystem::path folder =
      options.out.value_or(fmt::format("runs/{}-{}-{}", table.id, setup.level, setup.seed));
  ex::OpenFolder(folder, setup, options.resume || !options.out);
  ex::ResultStore store(folder);
  LogListener listener;
  const base::StopSignals signals;
  ex::RunTasks(table, setup, folder, store, runner, listener);
  const ex::TableResult result = ex::Evaluate(table, setup, store, ex::Stored());
  ex::WriteReports(result, folder);
  Print(options.output.json ? ex::RenderJson(result) : ex::RenderText(result, ColourWanted()));
  base::LogInfo(fmt::format("written to {}: {}.html, .md, .csv, .json, and the records", folder.string(), table.id));
  return static_cast<int>(result.exit_code());
}

}  // namespace

int RunReproduce(const Arguments& arguments) {
  Options options;
  OptionSet set("reproduce",
                "Reruns a table of the paper and compares each value with the paper's and with stored runs.\n"
                "Exit code: 0 all in band, 1 something out of band, 3 not decided.");
  options.AddTo(set);
  return set.Parse(arguments) ? Run(options) : 0;
}

}  // namespace pdarts::cli
