#include "experiment/result_store.h"

#include <nlohmann/json.hpp>

#include "catch2/catch_test_macros.hpp"
#include "support/fake_runner.h"

namespace pdarts::experiment {
namespace {

Record SomeRecord() {
  Record record{.kind = TaskKind::kTraining, .inputs = R"({"dataset":{"digest":"ab"},"seed":1})"};
  record.key = base::Sha256Hex(record.inputs);
  record.roles = {{"table1", "smoke", "darts-v1", "c10", 0, 0}};
  record.metrics = {.last_error = 3.1, .best_error = 3.0, .best_epoch = 2, .parameters = 5, .seconds = 1.5};
  record.curve = {{0, 1, 2.0, 60, 50.0}, {0, 2, 1.0, 40, std::nullopt}};
  record.provenance = {"0.1.0", "cpu", "a processor", "avx2/2", 2, "2026-01-01T00:00:00Z"};
  return record;
}

void CheckRefused(const std::string& text, const std::string& part) {
  try {
    ParseRecords(text, "/path/r.json");
    FAIL("accepted: " << text);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    CHECK(error.where().starts_with("/path/r.json"));
    CHECK(error.message().find(part) != std::string::npos);
  }
}

TEST_CASE("a record survives writing and reading", "[experiment]") {
  test::TempFolder folder;
  ResultStore(folder.path()).Put(SomeRecord());
  const ResultStore store(folder.path());
  const Record* record = store.Find(SomeRecord().key);
  REQUIRE(record);
  CHECK(ToJson(*record) == ToJson(SomeRecord()));
  CHECK(DatasetDigestOf(*record) == "ab");
}

TEST_CASE("a second role is added to the record that is there", "[experiment]") {
  test::TempFolder folder;
  ResultStore store(folder.path());
  Record record = SomeRecord();
  store.Put(record);
  store.Put(record);
  record.roles = {{"table1", "smoke", "darts-v2", "c10", 0, 0}};
  store.Put(record);
  CHECK(ResultStore(folder.path()).Find(record.key)->roles.size() == 2);
  CHECK(ResultStore(folder.path()).FindRole("darts-v2", "c10").size() == 1);
}

TEST_CASE("a malformed record is a data error with its path", "[experiment]") {
  const std::string good = ToJson(SomeRecord()).dump();
  CheckRefused(good.substr(0, good.size() / 2), "cut short");
  CheckRefused("[1, 2]", "malformed");
  CheckRefused("{\"format\": 1, \"records\": 3}", "unknown format");
  nlohmann::json other = nlohmann::json::parse(good);
  other["inputs"]["seed"] = 2;
  CheckRefused(other.dump(), "not the hash");
  other = nlohmann::json::parse(good);
  other["metrics"].erase("last_error");
  CheckRefused(other.dump(), "no last_error");
  other = nlohmann::json::parse(good);
  other["metrics"]["last_error"] = 101;
  CheckRefused(other.dump(), "between 0 and 100");
  other = nlohmann::json::parse(good);
  other["provenance"]["threads"] = "two";
  CheckRefused(other.dump(), "malformed");
  other = nlohmann::json::parse(good);
  for (const nlohmann::json& number : std::vector<nlohmann::json>{1.5, 1e300, int64_t{1} << 40, -1e19}) {
    other["provenance"]["threads"] = number;
    CheckRefused(other.dump(), "is not a whole number from -2147483648 to 2147483647");
  }
  other = nlohmann::json::parse(good);
  other["metrics"]["parameters"] = 4.4e137;
  CheckRefused(other.dump(), "is not a whole number");
}

TEST_CASE("a truncated record in a run's folder names the file", "[experiment]") {
  test::TempFolder folder;
  base::MakeFolder(folder.path() / "records");
  const auto path = folder.path() / "records" / "x.json";
  base::WriteFileAtomically(path, "{\"format\": 1,");
  try {
    const ResultStore store(folder.path());
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.where() == path.string());
  }
}

TEST_CASE("a folder is opened once, and again only to go on with the same run", "[experiment]") {
  test::TempFolder folder;
  test::FakeRunner runner;
  const TableSpec table = test::LoadTable1();
  RunSetup setup = test::SetupOf(table, "smoke", runner);
  OpenFolder(folder.path(), setup, false);
  CHECK(ToJson(ReadSetup(folder.path())) == ToJson(setup));
  CHECK_THROWS_AS(OpenFolder(folder.path(), setup, false), base::Error);
  setup.datasets["cifar10"].data = "/elsewhere";
  OpenFolder(folder.path(), setup, true);
  setup.seed = 5;
  try {
    OpenFolder(folder.path(), setup, true);
    FAIL("accepted");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    CHECK(error.message() == "the run in this folder has another \"seed\"");
  }
  base::WriteFileAtomically(folder.path() / kSetupFile, "{\"format\": 1}");
  CHECK_THROWS_AS(ReadSetup(folder.path()), base::Error);
}

}  // namespace
}  // namespace pdarts::experiment
