#include "search/architectures.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/files.h"

namespace pdarts::search {
namespace {

using Catch::Matchers::ContainsSubstring;

std::string Refusal(const std::string& text) {
  try {
    ResolveArchitecture(text, "--arch");
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST_CASE("Every complete cell of the shared facts is known by its name", "[search]") {
  const auto path = test::Shared("facts/architectures.json");
  if (!path) SKIP("the shared facts are absent");
  const auto facts = nlohmann::json::parse(base::ReadFile(*path))["genotypes"];
  for (const auto& [name, fact] : facts.items()) {
    if (!fact["normal"].is_array() || fact["normal"].size() % 2 != 0 || name.starts_with("FairDARTS")) continue;
    INFO(name);
    const Genotype genotype = FindArchitecture(name, "test").genotype;
    const auto json = ToJson(genotype);
    for (const char* key : {"normal", "normal_concat", "reduce", "reduce_concat"}) {
      const bool borrowed = std::string(key).starts_with("reduce") && !fact["reduce"].is_array();
      CHECK(json[key] == facts[borrowed ? "PDARTS_CIFAR10" : name][key]);
    }
  }
}

TEST_CASE("Every architecture says whose it is and where it comes from", "[search]") {
  CHECK(Architectures().size() == 23);
  for (const Architecture& architecture : Architectures()) {
    INFO(architecture.name);
    CHECK_FALSE(architecture.about.empty());
    CHECK_FALSE(architecture.source.empty());
  }
}

TEST_CASE("An architecture is given by name, by file, or as text", "[search]") {
  const test::TempFolder folder;
  const Genotype expected = FindArchitecture("DARTS_V2", "test").genotype;
  base::WriteFileAtomically(folder / "cell.txt", ToString(expected) + "\n");
  base::WriteFileAtomically(folder / "cell.json", ToJson(expected).dump());
  for (const std::string& text :
       {std::string("DARTS_V2"), ToString(expected), (folder / "cell.txt").string(), (folder / "cell.json").string()}) {
    INFO(text);
    CHECK(ResolveArchitecture(text, "--arch").genotype == expected);
  }
}

TEST_CASE("An unknown architecture is a usage error that suggests the nearest name", "[search]") {
  CHECK_THAT(Refusal("PDARTS_CIFAR1O"), ContainsSubstring("did you mean PDARTS_CIFAR10?"));
  CHECK_THAT(Refusal("pcdarts"), ContainsSubstring("PC_DARTS_image"));
  CHECK_THAT(Refusal("PDARTS_CIFAR100"), ContainsSubstring("never published"));
  CHECK_THAT(Refusal("FairDARTS_a"), ContainsSubstring("two edges"));
}

}  // namespace
}  // namespace pdarts::search
