#include <nlohmann/json.hpp>
#include <set>

#include "catch2/catch_test_macros.hpp"
#include "support/fake_runner.h"

namespace pdarts::experiment {
namespace {

using nlohmann::json;

json Spec() {
  return json::parse(base::ReadFile(std::filesystem::path(PDARTS_TESTS_DIR) / "../reproduce/table1.json"));
}

std::string ErrorOf(const json& spec) {
  try {
    ParseTableSpec(spec.dump(), "spec");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    return error.message() + " at " + error.where();
  }
  return "";
}

TEST_CASE("table 1 has all rows of the paper with the paper's values", "[experiment]") {
  const TableSpec table = test::LoadTable1();
  std::set<int> numbers;
  for (const RowSpec& row : table.rows) numbers.insert(row.number);
  CHECK(numbers.size() == 17);
  CHECK(*numbers.rbegin() == 17);
  // Sums of the paper's columns over its rows, each row taken once.
  double c10 = 0, c100 = 0, params = 0;
  numbers.clear();
  for (const RowSpec& row : table.rows) {
    if (!numbers.insert(row.number).second) continue;
    for (const EntrySpec& entry : row.entries) {
      if (entry.column == "c10") c10 += *entry.paper;
      if (entry.column == "c100") c100 += *entry.paper;
      if (entry.column == "params") params += *entry.paper;
    }
  }
  CHECK(RoundTo(c10, 2) == 48.62);
  CHECK(RoundTo(c100, 2) == 114.86);
  CHECK(RoundTo(params, 1) == 107.2);
}

TEST_CASE("only the full level may claim a value of the paper", "[experiment]") {
  for (const auto& [id, level] : test::LoadTable1().levels) CHECK(level.claims_paper == (id == "full"));
}

TEST_CASE("a spec with a mistake is refused and the key named", "[experiment]") {
  json spec = Spec();
  spec["levels"]["smoke"]["search"]["epoch"] = 3;
  CHECK(ErrorOf(spec) == "unknown key \"epoch\" at spec: levels.smoke.search");
  spec = Spec();
  spec["rows"][0].erase("title");
  CHECK(ErrorOf(spec) == "the key \"title\" is missing at spec: rows[0]");
  spec = Spec();
  spec["rows"][1]["id"] = spec["rows"][0]["id"];
  CHECK(ErrorOf(spec) == "two rows are called \"densenet-bc\" at spec");
  spec = Spec();
  spec["columns"][0]["digits"] = "two";
  CHECK(ErrorOf(spec) == "the value of \"digits\" is of the wrong type at spec: columns[0]");
  for (const json& number : {json(1.5), json(1e300), json(int64_t{1} << 40)}) {
    spec = Spec();
    spec["columns"][0]["digits"] = number;
    CHECK(ErrorOf(spec) == "the value of \"digits\" is of the wrong type at spec: columns[0]");
    spec = Spec();
    spec["levels"]["smoke"]["search"]["cells"][1] = number;
    CHECK(ErrorOf(spec) == "the value of \"cells\" is of the wrong type at spec: levels.smoke.search");
  }
  spec = Spec();
  spec["levels"]["full"]["train"]["batch"] = 0;
  CHECK(ErrorOf(spec).find("must be above 0") != std::string::npos);
  spec = Spec();
  for (json& row : spec["rows"])
    if (row.value("cell", "") == "DARTS_V1") row["cell"] = "DARTS_V9";
  CHECK(ErrorOf(spec).find("DARTS_V9") != std::string::npos);
  CHECK_THROWS_AS(ParseTableSpec("{\"format\": 1", "spec"), base::Error);
  CHECK_THROWS_AS(ParseTableSpec("[]", "spec"), base::Error);
}

TEST_CASE("an unknown level is a usage error that lists the levels", "[experiment]") {
  const TableSpec table = test::LoadTable1();
  try {
    table.Level("tiny");
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK(error.remedy() == "take one of check, full, short, smoke");
  }
}

}  // namespace
}  // namespace pdarts::experiment
