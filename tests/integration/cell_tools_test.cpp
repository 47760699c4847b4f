// `derive` and `inspect`, as a user runs them on a finished search.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/process.h"

namespace pdarts::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_CASE("derive gives a search's own cell again, for every limit, and changes nothing", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run";
  REQUIRE(Run(TinySearch(run)).code == 0);
  const auto before = Snapshot(run);
  const auto derive = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"derive", "--run", run.string()});
    return Run(Pdarts(more));
  };
  CHECK(derive({}).out == base::ReadFile(run / "genotype.txt"));
  const json stored = json::parse(base::ReadFile(run / "genotypes_by_max_skip.json"));
  REQUIRE(stored.contains("0"));
  for (int limit = 0; limit <= 8; ++limit) {
    const ProcessResult result = derive({"--max-skip", std::to_string(limit), "--json"});
    REQUIRE(result.code == 0);
    const json derived = json::parse(result.out);
    CHECK(derived.at("max_skip") == limit);
    CHECK(derived.at("skip_connects") <= limit);
    // The largest stored limit is the one that no longer binds.
    const json& cell = stored.at(std::to_string(std::min(limit, static_cast<int>(stored.size()) - 1)));
    for (const char* part : {"normal", "normal_concat", "reduce", "reduce_concat"})
      CHECK(derived.at(part) == cell.at(part));
  }
  CHECK((Snapshot(run) == before));
  CheckRefused({"derive", "--run", run.string(), "--max-skip", "9"}, 2, {"--max-skip"}, run);
  CheckRefused({"derive", "--run", (run / "absent").string()}, 4, {"absent"}, run);
  CheckRefused({"derive"}, 2, {"--run, --alphas"});
}

TEST_CASE("derive writes the cell and its drawing where it is told, and inspect reads it", "[integration]") {
  const TempFolder temp;
  const fs::path run = temp.path() / "run", cell = temp.path() / "cell.json", text = temp.path() / "cell.txt",
                 svg = temp.path() / "cell.svg";
  REQUIRE(Run(TinySearch(run)).code == 0);
  const auto derive = [&](const std::string& out) {
    return Run(Pdarts({"derive", "--alphas", (run / "alphas.jsonl").string(), "--max-skip", "1", "--out", out, "--svg",
                       svg.string()}));
  };
  const ProcessResult printed = derive(text.string());
  REQUIRE(printed.code == 0);
  CHECK(base::ReadFile(text) == printed.out);
  REQUIRE(derive(cell.string()).code == 0);
  CHECK(base::ReadFile(svg).starts_with("<svg "));
  const auto parameters = [](const std::string& architecture) {
    const ProcessResult result =
        Run(Pdarts({"inspect", architecture, "--layers", "3", "--channels", "4", "--batch", "2", "--json"}));
    REQUIRE(result.code == 0);
    return json::parse(result.out).at("parameters").get<int64_t>();
  };
  CHECK(parameters(cell.string()) > 0);
  CHECK(parameters(cell.string()) == parameters(text.string()));
  CHECK(parameters(cell.string()) == parameters(printed.out));
  CheckRefused({"derive", "--run", run.string(), "--out", (temp.path() / "none" / "cell.txt").string()}, 4, {"none"},
               temp.path() / "none");
}

}  // namespace
}  // namespace pdarts::test
