#include "train/run_log.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "search/derivation.h"
#include "support/temp_folder.h"

namespace pdarts::train {
namespace {

using Catch::Matchers::ContainsSubstring;

AlphaEpoch Epoch(int stage) {
  using search::Primitive;
  AlphaEpoch epoch{.stage = stage, .epoch = 2};
  epoch.switches.normal.fill({Primitive::kMaxPool3x3, Primitive::kSkipConnect, Primitive::kDilConv3x3});
  epoch.switches.reduce = epoch.switches.normal;
  for (int edge = 0; edge < search::kEdges; ++edge) {
    epoch.alphas.normal.push_back({0.1, 0.5 + 0.013 * edge, 0.2});
    epoch.alphas.reduce.push_back({0.3, 0.1, -0.017 * edge});
  }
  return epoch;
}

std::string Refusal(const std::filesystem::path& file, const std::string& text) {
  base::WriteFileAtomically(file, text);
  try {
    LastAlphas(file);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    return error.what();
  }
  return "accepted";
}

TEST_CASE("The alphas of a run come back as they were written, and give the same cell", "[train]") {
  const test::TempFolder temp;
  const auto file = temp.path() / kAlphasFile;
  const AlphaEpoch last = Epoch(3);
  base::WriteFileAtomically(file, ToJson(Epoch(2)).dump() + "\n" + ToJson(last).dump() + "\n");
  CHECK(ReadAlphas(file).size() == 2);
  const AlphaEpoch read = LastAlphas(file);
  CHECK(read.stage == 3);
  CHECK(read.switches == last.switches);
  CHECK(read.alphas.normal == last.alphas.normal);
  CHECK(read.alphas.reduce == last.alphas.reduce);
  for (int limit = 0; limit <= 8; ++limit)
    CHECK(search::DeriveRestricted(read.switches, read.alphas, limit) ==
          search::DeriveRestricted(last.switches, last.alphas, limit));
}

TEST_CASE("A log of alphas that is damaged or of an unfinished search is a data error", "[train]") {
  const test::TempFolder temp;
  const auto file = temp.path() / kAlphasFile;
  CHECK_THAT(Refusal(file, ""), ContainsSubstring("no epoch has ended yet"));
  CHECK_THAT(Refusal(file, ToJson(Epoch(2)).dump() + "\n"), ContainsSubstring("stands at stage 2 epoch 2"));
  CHECK_THAT(Refusal(file, "{\"stage\": 3"), ContainsSubstring("line 1"));
  auto json = ToJson(Epoch(3));
  json["alphas_normal"][4] = {0.1};
  CHECK_THAT(Refusal(file, json.dump() + "\n"), ContainsSubstring("edge 4 has 1 alphas for 3 operations"));
  json = ToJson(Epoch(3));
  json["normal"][0] = {"none"};
  json["alphas_normal"][0] = {0.5};
  CHECK_THAT(Refusal(file, json.dump() + "\n"), ContainsSubstring("nothing but none"));
  json["normal"][0] = {"sep_conv_9x9"};
  CHECK_THAT(Refusal(file, json.dump() + "\n"), ContainsSubstring("sep_conv_9x9"));
}

TEST_CASE("The epochs of searches and trainings are read from one kind of log", "[train]") {
  const test::TempFolder temp;
  const auto file = temp.path() / "metrics.jsonl";
  base::WriteFileAtomically(file,
                            "{\"stage\":2,\"epoch\":1,\"train\":{\"loss\":2.0,\"accuracy\":0.25}}\n"
                            "{\"epoch\":2,\"train\":{\"loss\":1.0,\"accuracy\":0.5},"
                            "\"test\":{\"loss\":1.5,\"accuracy\":0.375}}\n");
  const auto epochs = ReadEpochs(file);
  REQUIRE(epochs.size() == 2);
  CHECK(epochs[0].stage == 2);
  CHECK(epochs[0].accuracy == 25);
  CHECK_FALSE(epochs[0].held_out_loss);
  CHECK(epochs[1].held_out_accuracy == 37.5);
  base::WriteFileAtomically(file, "{\"epoch\":1}\n");
  CHECK_THROWS_AS(ReadEpochs(file), base::Error);
}

}  // namespace
}  // namespace pdarts::train
