#include <fmt/chrono.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "experiment/reproduce.h"

namespace pdarts::experiment {
namespace {

constexpr uint64_t kSeedsPerSearch = 100;  // so that no two runs of one cell share a seed

std::string Now() {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

// Walks through the tasks in order. Without a runner it only counts them.
class Walk {
 public:
  Walk(const TableSpec& table, const RunSetup& setup)
      : table_(table), setup_(setup), level_(table.Level(setup.level)) {}

  struct Work {
    std::filesystem::path folder;
    ResultStore* store;
    TaskRunner* runner;
    TaskListener* listener;
    int tasks;
  };

  // How many tasks there are.
  int Count() {
    for (const RowSpec& row : table_.rows) Line(row, nullptr);
    return done_;
  }
  void Run(const Work& work) {
    for (const RowSpec& row : table_.rows) Line(row, &work);
  }

 private:
  void Line(const RowSpec& row, const Work* work) {
    if (!setup_.Wants(row)) return;
    if (row.status == CellStatus::kPublished || (row.status == CellStatus::kExternal && !row.cell.empty()))
      Cell(row, table_.cells.at(row.cell), 0, work);
    if (row.status != CellStatus::kSearched || !level_.runs) return;
    for (int search = 0; search < setup_.searches; ++search) Cell(row, Search(row, search, work), search, work);
  }

  // Counts and trains one cell of a line.
  void Cell(const RowSpec& row, const std::string& genotype, int search, const Work* work) {
    for (const EntrySpec& entry : row.entries) {
      const ColumnSpec& column = table_.Column(entry.column);
      if (entry.evidence == Evidence::kQuoted) continue;
      if (column.measure == Measure::kParameters) CountCell(row, column, genotype, search, work);
      if (column.measure == Measure::kError && level_.runs)
        for (int training = 0; training < setup_.trainings; ++training)
          Train(row, column, {genotype, search, training}, work);
    }
  }

  Role RoleOf(const RowSpec& row, const std::string& column, int search, int training) const {
    return {table_.id, level_.id, row.id, column, search, training};
  }

  std::string Search(const RowSpec& row, int search, const Work* work) {
    if (!work) return ++done_, "{}";
    const ColumnSpec& column = table_.Column(row.search);
    SearchTask task{.context = setup_.context,
                    .dataset = setup_.datasets.at(column.dataset),
                    .settings = level_.search,
                    .seed = setup_.seed + static_cast<uint64_t>(search)};
    const std::string what = fmt::format("search on {} (seed {})", task.dataset.name, task.seed);
    return Do(*work, TaskKind::kSearch, Inputs(task), RoleOf(row, "search", search, 0), what,
              [&](const std::filesystem::path& folder) {
                task.folder = folder;
                return work->runner->RunSearch(task);
              })
        .genotype;
  }

  void CountCell(const RowSpec& row, const ColumnSpec& column, const std::string& genotype, int search,
                 const Work* work) {
    if (!work) return void(++done_);
    const TrainSettings& network = table_.paper_network;
    const CountTask task{.context = setup_.context,
                         .genotype = genotype,
                         .channels = row.large ? network.large_channels : network.channels,
                         .cells = network.cells,
                         .classes = column.classes};
    Do(*work, TaskKind::kCount, Inputs(task), RoleOf(row, column.id, search, 0), "count of parameters",
       [&](const std::filesystem::path&) { return work->runner->Count(task); });
  }

  struct CellRun {
    const std::string& genotype;
    int search, training;
  };
  void Train(const RowSpec& row, const ColumnSpec& column, const CellRun& run, const Work* work) {
    if (!work) return void(++done_);
    TrainTask task{.context = setup_.context,
                   .dataset = setup_.datasets.at(column.dataset),
                   .genotype = run.genotype,
                   .arch_name = row.status == CellStatus::kPublished ? row.cell : row.id,
                   .settings = level_.train,
                   .channels = row.large ? level_.train.large_channels : level_.train.channels,
                   .seed = setup_.seed + kSeedsPerSearch * static_cast<uint64_t>(run.search) +
                           static_cast<uint64_t>(run.training)};
    const std::string what = fmt::format("training on {} (seed {})", task.dataset.name, task.seed);
    Do(*work, TaskKind::kTraining, Inputs(task), RoleOf(row, column.id, run.search, run.training), what,
       [&](const std::filesystem::path& folder) {
         task.folder = folder;
         return work->runner->RunTraining(task);
       });
  }

  template <class Task>
  const Record& Do(const Work& work, TaskKind kind, const std::string& inputs, const Role& role,
                   const std::string& what, const Task& run) {
    const std::string key = base::Sha256Hex(inputs);
    work.listener->Started(++done_, work.tasks, role.line, what);
    const Record* finished = work.store->Find(key);
    const bool reused = finished != nullptr;
    Record record;
    if (reused) {
      record = *finished;
    } else {
      TaskResult result = run(work.folder / "tasks" / key.substr(0, 16));
      record = {.key = key,
                .kind = kind,
                .inputs = inputs,
                .roles = {},
                .metrics = result.metrics,
                .genotype = std::move(result.genotype),
                .curve = std::move(result.curve),
                .provenance = std::move(result.provenance)};
      record.provenance.finished = Now();
    }
    record.roles.push_back(role);
    work.store->Put(std::move(record));
    const Record& stored = *work.store->Find(key);
    work.listener->Finished(stored, reused);
    return stored;
  }

  const TableSpec& table_;
  const RunSetup& setup_;
  const LevelSpec& level_;
  int done_ = 0;
};

}  // namespace

void CheckRows(const TableSpec& table, const RunSetup& setup) {
  std::vector<std::string> ids;
  for (const RowSpec& row : table.rows) ids.push_back(row.id);
  for (const std::string& line : setup.lines)
    if (std::ranges::find(ids, line) == ids.end())
      throw base::UsageError(fmt::format("{} has no row \"{}\"", table.id, line), "--rows",
                             fmt::format("take some of {}", fmt::join(ids, ", ")));
}

void RunTasks(const TableSpec& table, const RunSetup& setup, const std::filesystem::path& folder, ResultStore& store,
              TaskRunner& runner, TaskListener& listener) {
  const int tasks = Walk(table, setup).Count();
  Walk(table, setup).Run({folder, &store, &runner, &listener, tasks});
}

}  // namespace pdarts::experiment
