// Sizes against the counts that the published implementations and the field's counter give (facts/architectures.json).
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "nn/networks.h"
#include "support/files.h"

namespace pdarts::nn {
namespace {

CellSpec CellOf(const nlohmann::json& genotype, const std::string& which) {
  CellSpec cell;
  for (const auto& edge : genotype[which]) cell.edges.push_back({edge[0].get<std::string>(), edge[1].get<int>()});
  cell.concat = genotype[which + "_concat"].get<std::vector<int>>();
  return cell;
}

TEST_CASE("network sizes match the published counts", "[nn]") {
  const auto path = test::Shared("facts/architectures.json");
  if (!path) SKIP("the shared facts are absent");
  const auto genotypes = nlohmann::json::parse(base::ReadFile(*path))["genotypes"];
  for (const std::string name : {"PDARTS_CIFAR10", "DARTS_V2"}) {
    INFO(name);
    const auto& genotype = genotypes[name];
    const auto& expected = genotype["computed"];
    const CellSpec normal = CellOf(genotype, "normal"), reduce = CellOf(genotype, "reduce");
    const auto cifar = [&](int64_t channels, int64_t classes) {
      return CountNetwork({normal, reduce, Macro::kCifar, 20, channels, classes}, 32);
    };
    CHECK(cifar(36, 10).parameters == expected["cifar10_C36_L20"]);
    CHECK(cifar(36, 100).parameters == expected["cifar100_C36_L20"]);
    CHECK(cifar(64, 10).parameters == expected["cifar10_C64_L20"]);
    CHECK(cifar(64, 100).parameters == expected["cifar100_C64_L20"]);
    CHECK(cifar(36, 10).parameters + cifar(36, 10).auxiliary_parameters == expected["cifar10_C36_L20_with_aux"]);
    CHECK(cifar(36, 10).multiply_adds == expected["cifar10_C36_macs_conv_fc"]);
    const NetworkSize imagenet = CountNetwork({normal, reduce, Macro::kImageNet, 14, 48, 1000}, 224);
    CHECK(imagenet.parameters == expected["imagenet_C48_L14"]);
    CHECK(imagenet.parameters + imagenet.auxiliary_parameters == expected["imagenet_C48_L14_with_aux"]);
    CHECK(imagenet.multiply_adds == expected["imagenet_macs_conv_fc"]);
    CHECK(imagenet.multiply_adds_counter == expected["imagenet_madds_ptflops"]);
  }
}

}  // namespace
}  // namespace pdarts::nn
