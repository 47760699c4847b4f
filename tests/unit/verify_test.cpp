// Inspect on real data, and the digest.
#include "data/verify.h"

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/files.h"

namespace pdarts::data {
namespace {

using Catch::Matchers::ContainsSubstring;

// As printed with eight digits.
std::string Digits(const std::array<double, 3>& values) {
  return fmt::format("{:.8f} {:.8f} {:.8f}", values[0], values[1], values[2]);
}

TEST_CASE("the real CIFAR-10 has its known counts, mean and sd to eight digits", "[data]") {
  const auto path = test::Shared("data/cifar-10-binary.tar.gz");
  if (!path) SKIP("../shared/data/cifar-10-binary.tar.gz is absent");
  const Report report = Inspect({.dataset = path->string()}, /*verify=*/true);
  CHECK(report.info.name == "cifar10");
  CHECK(report.train->per_class == std::vector<int64_t>(10, 5000));
  CHECK(report.test->per_class == std::vector<int64_t>(10, 1000));
  CHECK(Digits(report.mean) == "0.49139968 0.48215841 0.44653091");
  CHECK(Digits(report.sd) == "0.24703223 0.24348513 0.26158784");
  CHECK(report.info.class_names.at(3) == "cat");
  CHECK(report.warnings.empty());
  CHECK(report.archive_md5.size() == 32);
  CHECK_THAT(report.archive_verdict, ContainsSubstring("none of the official archives"));
}

TEST_CASE("a partial CIFAR-100 is accepted with a warning", "[data]") {
  const auto path = test::Shared("data/cifar-100-binary-part.tar.gz");
  if (!path) SKIP("../shared/data/cifar-100-binary-part.tar.gz is absent");
  const Report report = Inspect({.dataset = "cifar100", .data = *path}, /*verify=*/false);
  CHECK(report.train->per_class == std::vector<int64_t>(100, 100));
  CHECK(report.test->per_class == std::vector<int64_t>(100, 20));
  CHECK(fmt::format("{:.4f} {:.4f} {:.4f}", report.mean[0], report.mean[1], report.mean[2]) == "0.5062 0.4853 0.4396");
  REQUIRE(report.warnings.size() == 2);
  CHECK_THAT(report.warnings[0], ContainsSubstring("10000 training images") && ContainsSubstring("50000"));
}

TEST_CASE("real photographs of every kind are read", "[data]") {
  const auto path = test::Shared("data/imagenet-sample");
  if (!path) SKIP("../shared/data/imagenet-sample is absent");
  const Report report = Inspect({.dataset = path->string()}, /*verify=*/true);
  CHECK(!report.train);
  CHECK(report.test->images == 48);
  CHECK(report.info.classes == 48);
  CHECK((report.info.height == 224 && report.info.width == 224));
  // Computed with Pillow (convert RGB, resize by BILINEAR, crop), which the published code reads images by.
  CHECK(report.digest == "08abc32c66aee59674d3ae18729362a1188e6f6afd7a000ccc336cc7869df7ca");
  CHECK_THROWS_AS(OpenDataset({.dataset = path->string()}), base::Error);
}

TEST_CASE("the digest ignores order and tells every other change", "[data]") {
  const DatasetInfo info{.name = "x", .classes = 3, .height = 1, .width = 1};
  const auto splits = [&](std::vector<uint8_t> pixels, std::vector<int32_t> labels, std::vector<uint8_t> test_pixels) {
    return Splits{std::make_shared<MemoryDataset>(info, std::move(pixels), std::move(labels)),
                  std::make_shared<MemoryDataset>(info, std::move(test_pixels), std::vector<int32_t>{0}),
                  {}};
  };
  const std::string digest = DatasetDigest(splits({1, 2, 3, 4, 5, 6}, {0, 1}, {7, 8, 9}));
  CHECK(digest == DatasetDigest(splits({4, 5, 6, 1, 2, 3}, {1, 0}, {7, 8, 9})));
  CHECK(digest != DatasetDigest(splits({1, 2, 3, 4, 5, 6}, {1, 0}, {7, 8, 9})));
  CHECK(digest != DatasetDigest(splits({1, 2, 3, 4, 5, 7}, {0, 1}, {7, 8, 9})));
  CHECK(digest != DatasetDigest(splits({1, 2, 3, 7, 8, 9}, {0, 1}, {4, 5, 6})));
}

TEST_CASE("MD5 of a file", "[data]") {
  const test::TempFolder folder;
  base::WriteFileAtomically(folder / "a", "message digest");
  CHECK(FileMd5(folder / "a") == "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace pdarts::data
