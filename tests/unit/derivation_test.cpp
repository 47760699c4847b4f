#include "search/derivation.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "search/derivation_cases.h"

namespace pdarts::search {
namespace {

Alphas Flat(const Switches& switches) {
  Alphas alphas;
  for (const auto& ops : switches.normal) alphas.normal.push_back(std::vector<double>(ops.size(), 0.0));
  for (const auto& ops : switches.reduce) alphas.reduce.push_back(std::vector<double>(ops.size(), 0.0));
  return alphas;
}

TEST_CASE("Derivation agrees with the published implementation in every stored case", "[search]") {
  const char* folder = std::getenv("PDARTS_SHARED");
  const auto path = std::filesystem::path(folder ? folder : "../shared") / "golden/derivation.json";
  if (!std::filesystem::exists(path)) SKIP("the shared folder is absent: " << path);
  const DerivationCasesResult result = CheckDerivationCases(base::ReadFile(path), path.string());
  CHECK(result.first_failure == "");
  CHECK(result.cases == 40);
  CHECK(result.passed == 40);
}

TEST_CASE("Pruning: of equal operations the first goes first", "[search]") {
  const Switches all = Switches::All();
  const Switches kept = Prune(all, Flat(all), 3);
  CHECK(kept.normal[0] == std::vector{Primitive::kSkipConnect, Primitive::kSepConv3x3, Primitive::kSepConv5x5,
                                      Primitive::kDilConv3x3, Primitive::kDilConv5x5});
}

TEST_CASE("Pruning keeps none where it is strong", "[search]") {
  const Switches all = Switches::All();
  Alphas alphas = Flat(all);
  alphas.normal[5][0] = 1.0;
  CHECK(Prune(all, alphas, 3).normal[5].front() == Primitive::kNone);
  CHECK(Prune(all, alphas, 3).normal[4].front() == Primitive::kSkipConnect);
}

Switches Last(Primitive a, Primitive b, Primitive c) {
  Switches switches;
  switches.normal.fill({a, b, c});
  switches.reduce.fill({a, b, c});
  return switches;
}

TEST_CASE("Derivation: none is never chosen, ties go to the last operation and the higher inputs", "[search]") {
  const Switches switches = Last(Primitive::kNone, Primitive::kSepConv3x3, Primitive::kDilConv3x3);
  Alphas alphas = Flat(switches);
  for (auto& row : alphas.normal) row[0] = 5.0;
  const Genotype genotype = Derive(switches, alphas);
  const GenotypeEdge expected[] = {{Primitive::kDilConv3x3, 0}, {Primitive::kDilConv3x3, 1},
                                   {Primitive::kDilConv3x3, 1}, {Primitive::kDilConv3x3, 2},
                                   {Primitive::kDilConv3x3, 2}, {Primitive::kDilConv3x3, 3},
                                   {Primitive::kDilConv3x3, 3}, {Primitive::kDilConv3x3, 4}};
  CHECK(genotype.normal == std::vector(std::begin(expected), std::end(expected)));
}

TEST_CASE("Skip restriction touches the normal cell only and holds for every M", "[search]") {
  const Switches switches = Last(Primitive::kMaxPool3x3, Primitive::kSkipConnect, Primitive::kDilConv3x3);
  Alphas alphas = Flat(switches);
  for (int e = 0; e < kEdges; ++e) alphas.normal[e][1] = alphas.reduce[e][1] = 1.0 + 0.01 * e;
  const auto all = DeriveAll(switches, alphas);
  CHECK(all.rbegin()->first == 8);
  CHECK(all.size() == 9);
  for (const auto& [limit, genotype] : all) {
    CHECK(SkipConnects(genotype.normal) <= limit);
    CHECK(SkipConnects(genotype.reduce) == 8);
  }
}

TEST_CASE("Skip restriction refuses where nothing but skip-connects is offered", "[search]") {
  Switches switches = Last(Primitive::kMaxPool3x3, Primitive::kSkipConnect, Primitive::kDilConv3x3);
  for (int e = 0; e < 2; ++e) switches.normal[e] = {Primitive::kNone, Primitive::kSkipConnect};
  const Alphas alphas = Flat(switches);
  CHECK(SkipConnects(DeriveRestricted(switches, alphas, 2).normal) == 2);
  CHECK_THROWS_AS(DeriveRestricted(switches, alphas, 1), base::Error);
  const auto all = DeriveAll(switches, alphas);  // ends at the last that can be kept, and does not throw
  CHECK(all.begin()->first == 2);
}

}  // namespace
}  // namespace pdarts::search
