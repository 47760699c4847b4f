#include "experiment/catalogue.h"

#include <algorithm>

#include "catch2/catch_test_macros.hpp"
#include "experiment/size_counter.h"
#include "support/fake_runner.h"

namespace pdarts::experiment {
namespace {

TEST_CASE("the specs are in the binary", "[experiment]") {
  CHECK(std::ranges::count(TableNames(), "table1") == 1);
  CHECK(FindTable("table1").rows.size() == test::LoadTable1().rows.size());
  try {
    FindTable("tabel1");
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.remedy() == "did you mean table1?");
  }
}

TEST_CASE("table 1 at level check, counted on the real networks, is all in band", "[experiment]") {
  test::TempFolder folder;
  const TableSpec table = FindTable("table1");
  SizeCounter counter({.version = "0.1.0", .device = "cpu", .cpu = "any", .threads = 1});
  const RunSetup setup{.table = "table1", .level = "check", .context = {"0.1.0", "cpu", "paper"}};
  OpenFolder(folder.path(), setup, false);
  ResultStore store(folder.path());
  test::QuietListener listener;
  RunTasks(table, setup, folder.path(), store, counter, listener);
  const TableResult result = LoadResult(folder.path());
  CHECK(result.exit_code() == base::ExitCode::kOk);
  CHECK(result.in_band == 5);  // both widths of P-DARTS, DARTS's second order, two of SNAS
}

TEST_CASE("every value of level smoke has a stored record that it is compared with", "[experiment]") {
  const TableSpec table = FindTable("table1");
  for (const RowSpec& row : table.rows)
    for (const EntrySpec& entry : row.entries) {
      if (entry.evidence == Evidence::kQuoted || entry.evidence == Evidence::kCost) continue;
      INFO(row.id << " " << entry.column);
      CHECK(Stored().Find({"table1", "smoke", row.id, entry.column, 0, 0}, "").size() == 1);
    }
}

TEST_CASE("data are opened with their digest and sizes", "[experiment]") {
  SizeCounter counter({.version = "0.1.0", .device = "cpu", .cpu = "any", .threads = 1});
  const DatasetUse use = counter.OpenData({.name = "synthetic100"});
  CHECK(use.classes == 100);
  CHECK(use.digest.size() == 64);
  CHECK(use.train_images > use.test_images);
}

}  // namespace
}  // namespace pdarts::experiment
