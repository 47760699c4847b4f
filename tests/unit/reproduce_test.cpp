#include "experiment/reproduce.h"

#include <algorithm>
#include <set>

#include "catch2/catch_test_macros.hpp"
#include "support/fake_runner.h"

namespace pdarts::experiment {
namespace {

using test::FakeRunner;
using test::QuietListener;
using test::SetupOf;
using test::TempFolder;

int64_t PublishedCount(const CountTask& task) {
  const TableSpec table = test::LoadTable1();
  for (const RowSpec& row : table.rows) {
    const int channels = row.large ? table.paper_network.large_channels : table.paper_network.channels;
    if (row.cell.empty() || table.cells.at(row.cell) != task.genotype || channels != task.channels) continue;
    for (const EntrySpec& entry : row.entries)
      if (entry.count) return *entry.count;
  }
  return 3600000;
}

struct Run {
  explicit Run(const std::string& level) : table(test::LoadTable1()) {
    runner.count_of = PublishedCount;
    setup = SetupOf(table, level, runner);
  }
  TableResult Go(const StoredRecords& stored = StoredRecords({})) {
    ResultStore store(folder.path());
    RunTasks(table, setup, folder.path(), store, runner, listener);
    return Evaluate(table, setup, store, stored);
  }
  // The run's records as results/records would hold them.
  StoredRecords AsStored() const {
    std::vector<std::string> texts;
    const ResultStore store(folder.path());
    for (const auto& [key, record] : store.records()) texts.push_back(ToJson(record).dump());
    std::vector<std::pair<std::string, std::string_view>> files;
    for (const std::string& text : texts) files.emplace_back("stored", text);
    return StoredRecords(files);
  }

  TempFolder folder;
  TableSpec table;
  FakeRunner runner;
  QuietListener listener;
  RunSetup setup;
};

const EntryResult& EntryOf(const TableResult& result, const std::string& line, const std::string& column) {
  for (const LineResult& one : result.lines)
    for (const EntryResult& entry : one.entries)
      if (one.row.id == line && entry.spec.column == column) return entry;
  throw std::runtime_error("no entry " + line + " " + column);
}

TEST_CASE("check counts the published cells, trains nothing and is all in band", "[experiment]") {
  Run run("check");
  const TableResult result = run.Go();
  CHECK(run.runner.searches + run.runner.trainings == 0);
  CHECK(run.runner.counts == 7);
  CHECK(EntryOf(result, "pdarts-c10", "params").verdict == Verdict::kReproduced);
  CHECK(EntryOf(result, "darts-v1", "params").verdict == Verdict::kNotComparable);
  CHECK(EntryOf(result, "pdarts-c10", "c10").verdict == Verdict::kNotRun);
  CHECK(EntryOf(result, "nasnet-a", "c10").verdict == Verdict::kQuoted);
  CHECK(result.exit_code() == base::ExitCode::kOk);
}

TEST_CASE("a wrong count is out of band", "[experiment]") {
  Run run("check");
  run.runner.count_of = [](const CountTask& task) { return PublishedCount(task) + 1; };
  CHECK(run.Go().exit_code() == base::ExitCode::kOutOfBand);
}

TEST_CASE("smoke searches once a dataset and trains every cell on both", "[experiment]") {
  Run run("smoke");
  const TableResult result = run.Go();
  CHECK(run.runner.searches == 2);
  // Three published lines, one of them large too, and four searched lines, each on two datasets.
  CHECK(run.runner.trainings == 16);
  CHECK(run.listener.last == run.listener.all);
  // Nothing is stored yet: undecided.
  CHECK(EntryOf(result, "pdarts-c100", "c100").verdict == Verdict::kInconclusive);
  CHECK(result.exit_code() == base::ExitCode::kInconclusive);
}

TEST_CASE("smoke is in band of its own stored records, and never claims the paper's values", "[experiment]") {
  Run run("smoke");
  run.Go();
  const StoredRecords stored = run.AsStored();
  const TableResult same = run.Go(stored);
  CHECK(same.exit_code() == base::ExitCode::kOk);
  CHECK(same.out_of_band + same.undecided == 0);
  const EntryResult& entry = EntryOf(same, "pdarts-c10", "c10");
  CHECK(entry.verdict == Verdict::kAsStored);
  CHECK(*entry.difference == 0);
  for (const LineResult& line : same.lines)
    for (const EntryResult& one : line.entries)
      if (one.spec.evidence != Evidence::kExact) CHECK(one.verdict != Verdict::kReproduced);
}

TEST_CASE("smoke out of the stored band fails", "[experiment]") {
  Run stored("smoke");
  stored.Go();
  Run run("smoke");
  run.runner.shift = 20;
  const TableResult result = run.Go(stored.AsStored());
  CHECK(EntryOf(result, "darts-v2", "c10").verdict == Verdict::kDiffers);
  CHECK(result.exit_code() == base::ExitCode::kOutOfBand);
}

TEST_CASE("stored records of other data are not compared with", "[experiment]") {
  Run stored("smoke");
  stored.Go();
  Run run("smoke");
  run.setup.datasets["cifar10"] = run.runner.OpenData({.name = "other"});
  const TableResult result = run.Go(stored.AsStored());
  CHECK(EntryOf(result, "darts-v2", "c10").verdict == Verdict::kInconclusive);
  CHECK(EntryOf(result, "darts-v2", "c100").verdict == Verdict::kAsStored);
}

TEST_CASE("finished tasks are reused, and a stopped run goes on where it stopped", "[experiment]") {
  Run run("smoke");
  run.runner.stop_at_call = 9;
  CHECK_THROWS_AS(run.Go(), base::Error);
  run.runner.stop_at_call = 0;
  const TableResult stopped = run.Go();
  CHECK(run.runner.searches + run.runner.trainings == 19);  // 18 and the one that was cut off
  Run whole("smoke");
  const TableResult undisturbed = whole.Go();
  CHECK(EntryOf(stopped, "pdarts-c100-large", "c100").measured->last.mean ==
        EntryOf(undisturbed, "pdarts-c100-large", "c100").measured->last.mean);
  run.Go();
  CHECK(run.runner.searches + run.runner.trainings == 19);
  CHECK(run.listener.reused > 0);
}

TEST_CASE("full judges by the interval over searches and parts the spread", "[experiment]") {
  Run run("full");
  const TableResult result = run.Go();
  CHECK(run.runner.searches == 6);
  CHECK(run.runner.trainings == 2 * 3 * 4 + 2 * 9 * 4);
  const EntryResult& published = EntryOf(result, "pdarts-c10", "c10");
  CHECK(published.measured->last.n == 3);
  CHECK(published.verdict == Verdict::kReproduced);
  CHECK(EntryOf(result, "pdarts-c10-large", "c10").verdict == Verdict::kWorse);
  const EntryResult& searched = EntryOf(result, "pdarts-c100", "c100");
  CHECK(searched.measured->last.n == 3);
  CHECK(searched.measured->runs.front().size() == 3);
  CHECK(searched.measured->spread.training_sd);
  CHECK(searched.measured->best->mean < searched.measured->last.mean);
  CHECK(EntryOf(result, "pdarts-c100", "cost").verdict == Verdict::kNotComparable);
}

TEST_CASE("full with one search or with other data claims nothing", "[experiment]") {
  Run run("full");
  run.setup.searches = run.setup.trainings = 1;
  CHECK(EntryOf(run.Go(), "pdarts-c100", "c100").verdict == Verdict::kInconclusive);
  Run partial("full");
  partial.setup.datasets["cifar100"].train_images = 10000;
  const TableResult result = partial.Go();
  CHECK(result.deviations.size() == 1);
  CHECK(EntryOf(result, "pdarts-c10", "c10").verdict == Verdict::kNotComparable);
}

TEST_CASE("only the rows asked for are run", "[experiment]") {
  Run run("smoke");
  run.setup.lines = {"darts-v2"};
  CHECK(run.Go().lines.size() == 1);
  CHECK(run.runner.trainings == 2);
  CheckRows(run.table, run.setup);
  run.setup.lines = {"darts-v3"};
  CHECK_THROWS_AS(CheckRows(run.table, run.setup), base::Error);
}

TEST_CASE("a task's key changes with everything that decides its result, and with nothing else", "[experiment]") {
  const TrainTask task{.context = {"0.1.0", "cpu", "paper"},
                       .dataset = {.name = "cifar10", .digest = "ab"},
                       .genotype = R"({"normal": [], "reduce": []})"};
  std::vector<TrainTask> others(7, task);
  others[0].context.version = "0.2.0";
  others[1].context.recipe = "released";
  others[2].dataset.digest = "cd";
  others[3].genotype = R"({"normal": [1], "reduce": []})";
  others[4].settings.epochs = 1;
  others[5].channels = 64;
  others[6].seed = 1;
  std::set<std::string> inputs{Inputs(task)};
  for (const TrainTask& other : others) inputs.insert(Inputs(other));
  CHECK(inputs.size() == 8);
  TrainTask same = task;
  same.genotype = R"({"reduce":[],"normal":[]})";
  same.dataset.name = "./data/cifar";
  same.folder = "elsewhere";
  same.arch_name = "X";
  CHECK(Inputs(same) == Inputs(task));
}

}  // namespace
}  // namespace pdarts::experiment
