// Runs the tasks of a table, and judges what came out. The two are apart: a folder of records can be judged again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "experiment/result_store.h"
#include "experiment/runner.h"
#include "experiment/setup.h"
#include "experiment/spec.h"
#include "experiment/statistics.h"
#include "experiment/verdict.h"

namespace pdarts::experiment {

// Told about every task, from the thread that runs them.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  // task from 1 of tasks. `what`: "search on cifar10 (seed 0)".
  virtual void Started(int task, int tasks, const std::string& line, const std::string& what) = 0;
  virtual void Finished(const Record& record, bool reused) = 0;
};

// A usage error where the setup names a row that the table does not have. Before RunTasks.
void CheckRows(const TableSpec& table, const RunSetup& setup);

// Runs what is not in `store` yet, and stores each task's record as soon as it is finished. Throws what the runner
// throws; everything finished until then is kept.
void RunTasks(const TableSpec& table, const RunSetup& setup, const std::filesystem::path& folder, ResultStore& store,
              TaskRunner& runner, TaskListener& listener);

// Runs of one value. `last` is what counts: the mean over searches of the mean over their trainings.
struct Measured {
  Summary last;                           // over searches where the cell was searched, else over trainings
  std::optional<Summary> best;            // the same with every run's best epoch; errors only
  SpreadParts spread;                     // of the single runs
  std::vector<std::vector<double>> runs;  // [search][training]
};

struct EntryResult {
  EntrySpec spec;
  std::optional<double> stored;  // mean of the stored records of this level and these data
  std::optional<Measured> measured;
  std::optional<double> difference;  // to what the verdict compares with
  Verdict verdict = Verdict::kNotRun;
  std::string note;  // why, where the verdict alone does not say it
};

struct Curve {
  std::string label;
  TaskKind kind = TaskKind::kTraining;
  std::vector<CurvePoint> points;
};

struct LineResult {
  RowSpec row;
  std::string genotype;              // JSON; empty where no cell is known (yet)
  std::vector<EntryResult> entries;  // as the row's
  std::vector<Curve> curves;
};

struct TableResult {
  TableSpec table;
  RunSetup setup;
  std::vector<LineResult> lines;
  std::vector<std::string> deviations;
  std::optional<Provenance> provenance;  // of the last task that was finished
  double seconds = 0;                    // of all tasks together
  int in_band = 0, out_of_band = 0, undecided = 0;

  base::ExitCode exit_code() const;  // out of band before inconclusive before all in band
};

TableResult Evaluate(const TableSpec& table, const RunSetup& setup, const ResultStore& store,
                     const StoredRecords& stored);

}  // namespace pdarts::experiment
