#include "train/run_folder.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/exit_code.h"
#include "support/temp_folder.h"
#include "train/progress.h"

namespace pdarts::train {
namespace {

using Catch::Matchers::ContainsSubstring;
using test::CodeOf;
using Json = nlohmann::ordered_json;

TEST_CASE("a run's folder is made, and never written over", "[train]") {
  const test::TempFolder temp;
  const auto path = temp.path() / "a" / "run";
  const Json config = {{"seed", 1}, {"epochs", 2}};
  const RunFolder folder(path, config, false, {});
  CHECK(ReadConfig(path) == config);
  CHECK_FALSE(folder.HasCheckpoint());
  CHECK(CodeOf([&] { RunFolder(path, config, false, {}); }) == base::ExitCode::kData);
  CHECK_NOTHROW(RunFolder(path, config, true, {}));
}

TEST_CASE("a folder of something else is refused, to begin and to resume", "[train]") {
  const test::TempFolder temp;
  base::WriteFileAtomically(temp.path() / "thesis.tex", "x");
  CHECK(CodeOf([&] { RunFolder(temp.path(), Json::object(), false, {}); }) == base::ExitCode::kData);
  CHECK(CodeOf([&] { RunFolder(temp.path(), Json::object(), true, {}); }) == base::ExitCode::kData);
  CHECK(CodeOf([&] { RunFolder(temp.path() / "thesis.tex", Json::object(), false, {}); }) == base::ExitCode::kData);
  CHECK(CodeOf([&] { RunFolder(temp.path() / "thesis.tex" / "below", Json::object(), false, {}); }) ==
        base::ExitCode::kData);
  CHECK(CodeOf([&] { RunFolder("", Json::object(), false, {}); }) == base::ExitCode::kUsage);
  CHECK(base::ReadFile(temp.path() / "thesis.tex") == "x");
}

TEST_CASE("resuming wants the run's own options, but for those that may differ", "[train]") {
  const test::TempFolder temp;
  const auto path = temp.path() / "run";
  RunFolder(path, Json{{"seed", 1}, {"workers", 1}}, false, {});
  CHECK_NOTHROW(RunFolder(path, Json{{"seed", 1}, {"workers", 3}}, true, {"workers"}));
  CHECK_THROWS_WITH(RunFolder(path, Json{{"seed", 2}, {"workers", 1}}, true, {"workers"}),
                    ContainsSubstring("seed = 1, not 2"));
  CHECK_THROWS_WITH(RunFolder(path, Json{{"seed", 1}, {"workers", 1}, {"batch", 8}}, true, {}),
                    ContainsSubstring("batch = absent, not 8"));
}

TEST_CASE("a run killed before its configuration was written begins anew", "[train]") {
  const test::TempFolder temp;
  base::WriteFileAtomically(temp.path() / "config.json.tmp4711", "{");
  const RunFolder folder(temp.path(), Json{{"seed", 1}}, true, {});
  CHECK(ReadConfig(temp.path()) == Json{{"seed", 1}});
  CHECK_FALSE(std::filesystem::exists(temp.path() / "config.json.tmp4711"));
}

TEST_CASE("logs are cut to what the checkpoint knows", "[train]") {
  const test::TempFolder temp;
  const RunFolder folder(temp.path() / "run", Json::object(), false, {});
  for (int i = 0; i < 3; ++i) folder.AppendLine(kMetricsFile, Json{{"epoch", i}});
  folder.CutLines(kMetricsFile, 2);
  CHECK(base::ReadFile(folder.File(kMetricsFile)) == "{\"epoch\":0}\n{\"epoch\":1}\n");
  CHECK(CodeOf([&] { folder.CutLines(kMetricsFile, 3); }) == base::ExitCode::kData);
  CHECK_NOTHROW(folder.CutLines("absent.jsonl", 0));
}

TEST_CASE("a full disk is a data error", "[train]") {
  if (::access("/dev/full", W_OK) != 0) SKIP("no /dev/full here");
  CHECK(CodeOf([] { base::AppendToFile("/dev/full", "x"); }) == base::ExitCode::kData);
}

TEST_CASE("status lines and durations", "[train]") {
  CHECK(FormatDuration(47.6) == "48s");
  CHECK(FormatDuration(750) == "12m30s");
  CHECK(FormatDuration(7500) == "2h05m");
  CHECK(FormatDuration(3 * 86400 + 4 * 3600) == "3d04h");
  StepStatus status{
      .stage = 1, .stages = 3, .epoch = 3, .epochs = 25, .step = 120, .steps = 261, .phase = "weights", .loss = 1.532};
  status.accuracy = 0.441;
  CHECK(FormatStatus(status) == "stage 1/3  epoch 3/25  weights 120/261  loss 1.5320  acc 44.1%");
  status.stages = 0;
  status.images_per_second = 310;
  status.resident_bytes = 1200000000;
  status.seconds_left = 7500;
  CHECK(FormatStatus(status) == "epoch 3/25  weights 120/261  loss 1.5320  acc 44.1%  ETA 2h05m  310 images/s  1.2 GB");
  CHECK(ResidentBytes() > 1 << 20);
  CHECK(PeakResidentBytes() >= ResidentBytes() / 2);
}

TEST_CASE("the time left follows from the work done in this process alone", "[train]") {
  TimeEstimate estimate(100, 50);
  estimate.Reach(60);
  CHECK(estimate.SecondsLeft() < 0);  // not begun
  estimate.Start();
  CHECK(estimate.SecondsLeft() > 0);
  estimate.Reach(100);
  CHECK(estimate.SecondsLeft() == 0);
}

}  // namespace
}  // namespace pdarts::train
