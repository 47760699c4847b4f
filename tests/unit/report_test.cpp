#include "experiment/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch2/catch_test_macros.hpp"
#include "experiment/chart.h"
#include "experiment/compare.h"
#include "support/fake_runner.h"

namespace pdarts::experiment {
namespace {

TableResult ResultOf(const std::string& level, double shift = 0) {
  test::TempFolder folder;
  test::FakeRunner runner;
  runner.shift = shift;
  test::QuietListener listener;
  const TableSpec table = test::LoadTable1();
  const RunSetup setup = test::SetupOf(table, level, runner);
  ResultStore store(folder.path());
  RunTasks(table, setup, folder.path(), store, runner, listener);
  if (const char* out = std::getenv("PDARTS_KEEP_REPORT"))  // to look at a page by eye
    WriteReports(Evaluate(table, setup, store, StoredRecords({})), out);
  return Evaluate(table, setup, store, StoredRecords({}));
}

TEST_CASE("the text fits in 120 columns and names every row", "[experiment]") {
  const TableResult result = ResultOf("full");
  const std::string text = RenderText(result, false);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 120);
  }
  for (const RowSpec& row : result.table.rows) CHECK(text.find(row.title) != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(RenderText(result, true).find("\x1b[32m") != std::string::npos);
}

TEST_CASE("the JSON holds every entry and the exit code", "[experiment]") {
  const TableResult result = ResultOf("smoke");
  const auto json = nlohmann::json::parse(RenderJson(result));
  CHECK(json["exit_code"] == 1);  // the fake counts are wrong for all cells but one
  CHECK(json["lines"].size() == result.table.rows.size());
  CHECK(json["lines"][0]["entries"][0]["verdict"] == "quoted");
}

TEST_CASE("every line of the CSV has the head's fields", "[experiment]") {
  const std::string csv = RenderCsv(ResultOf("smoke"));
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    bool quoted = false;
    int commas = 0;
    for (char c : line) {
      if (c == '"') quoted = !quoted;
      commas += c == ',' && !quoted;
    }
    INFO(line);
    CHECK(commas == 19);
    CHECK(line.back() == '\r');
  }
}

TEST_CASE("the page needs nothing from elsewhere and escapes its text", "[experiment]") {
  TableResult result = ResultOf("full");
  result.lines[0].row.title = "<script>alert(1)</script>";
  const std::string html = RenderHtml(result);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find("aria-label=\"Reduction cell\"") != std::string::npos);
  CHECK(html.ends_with("</html>\n"));
}

TEST_CASE("a curve of equal values is drawn without a division by zero", "[experiment]") {
  const std::string svg = DrawCurve({"flat", TaskKind::kTraining, {{0, 1, 0, 0, 0.0}, {0, 2, 0, 0, 0.0}}});
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  CHECK(DrawCurve({"none", TaskKind::kTraining, {}}).empty());
  const std::string strip = DrawStrip({.band_low = 1, .band_high = 1, .reference = 1, .value = 1});
  CHECK(strip.find("nan") == std::string::npos);
}

TEST_CASE("a run compared with itself is equal, with a shifted one different", "[experiment]") {
  const TableResult a = ResultOf("full"), b = ResultOf("full", 3);
  CHECK(Compare(a, a).exit_code() == base::ExitCode::kOk);
  const Comparison shifted = Compare(a, b);
  CHECK(shifted.exit_code() == base::ExitCode::kOutOfBand);
  const auto entry = std::ranges::find_if(
      shifted.entries, [](const ComparedEntry& e) { return e.line == "darts-v2" && e.column == "c10"; });
  REQUIRE(entry != shifted.entries.end());
  CHECK(entry->agreement == Agreement::kDifferent);
  CHECK(entry->interval->low > 2.8);
}

TEST_CASE("single runs that differ decide nothing", "[experiment]") {
  CHECK(Compare(ResultOf("smoke"), ResultOf("smoke", 1)).exit_code() == base::ExitCode::kInconclusive);
  const Comparison levels = Compare(ResultOf("smoke"), ResultOf("full"));
  CHECK(std::ranges::find(levels.differences_of_setup, "level: smoke and full") != levels.differences_of_setup.end());
}

}  // namespace
}  // namespace pdarts::experiment
