#include "kernels/elementwise.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;

const std::vector<int64_t> kCounts = {1, 3, 8, 15, 16, 17, 1000, 1024, 20011, 70001};

TEST_CASE("relu, its backward and scale equal their definitions, also in place", "[kernels]") {
  for (const int64_t count : kCounts) {
    const std::vector<float> src = Integers(count, 1), diff = Integers(count, 2);
    std::vector<float> relu(count), backward(count), scaled(count);
    for (int64_t i = 0; i < count; ++i) {
      relu[i] = src[i] > 0 ? src[i] : 0;
      backward[i] = src[i] > 0 ? diff[i] : 0;
      scaled[i] = -2 * src[i];
    }
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(count, IsaName(isa), threads);
      std::vector<float> in_place = src, in_place_diff = diff, dst(count);
      Relu(in_place.data(), in_place.data(), count);
      REQUIRE(in_place == relu);
      ReluBackward(src.data(), in_place_diff.data(), in_place_diff.data(), count);
      REQUIRE(in_place_diff == backward);
      Scale(src.data(), -2, dst.data(), count);
      REQUIRE(dst == scaled);
    });
  }
}

TEST_CASE("relu keeps NaN and lets no gradient through it", "[kernels]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> src(19, nan), diff(19, 1.0f);
  ForEachIsaAndThreads([&](Isa isa, int) {
    CAPTURE(IsaName(isa));
    std::vector<float> dst(19), diff_src(19, 7.0f);
    Relu(src.data(), dst.data(), 19);
    ReluBackward(src.data(), diff.data(), diff_src.data(), 19);
    for (const float value : dst) REQUIRE(std::isnan(value));
    for (const float value : diff_src) REQUIRE(value == 0);
  });
}

TEST_CASE("weighted sums and their dots equal their definitions for every number of sources", "[kernels]") {
  for (const int64_t count : {5, 1024, 20011}) {
    for (int64_t sources = 1; sources <= 13; ++sources) {
      std::vector<std::vector<float>> data;
      std::vector<const float*> srcs;
      for (int64_t s = 0; s < sources; ++s) data.push_back(Integers(count, static_cast<uint32_t>(s)));
      for (const auto& source : data) srcs.push_back(source.data());
      const std::vector<float> weights = Integers(sources, 50), diff = Integers(count, 51);
      std::vector<float> sum(count), weighted(count), dots(sources);
      for (int64_t s = 0; s < sources; ++s) {
        for (int64_t i = 0; i < count; ++i) {
          sum[i] += data[s][i];
          weighted[i] += weights[s] * data[s][i];
          dots[s] += diff[i] * data[s][i];
        }
      }
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(count, sources, IsaName(isa), threads);
        std::vector<float> dst(count, -9), got_dots(sources, -9), scratch(DotsScratch(sources, count));
        WeightedSum({srcs.data(), weights.data(), sources, dst.data(), count});
        REQUIRE(dst == weighted);
        Dots({srcs.data(), sources, diff.data(), got_dots.data(), count, scratch.data()});
        REQUIRE(got_dots == dots);
        std::vector<float> in_place = data[0];
        std::vector<const float*> aliased = srcs;
        aliased[0] = in_place.data();
        WeightedSum({aliased.data(), nullptr, sources, in_place.data(), count});
        REQUIRE(in_place == sum);
      });
    }
  }
}

TEST_CASE("the sum of squares is exact in double and the dots keep their bits for any thread count", "[kernels]") {
  for (const int64_t count : kCounts) {
    const std::vector<float> src = Integers(count, 3, 4000), noise = test::Normals(count, 4);
    double expected = 0;
    for (const float value : src) expected += static_cast<double>(value) * value;
    const float* srcs[] = {noise.data()};
    float first = 0;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(count, IsaName(isa), threads);
      std::vector<double> scratch(SumOfSquaresScratch(count));
      REQUIRE(SumOfSquares(src.data(), count, scratch.data()) == expected);
      std::vector<float> dots_scratch(DotsScratch(1, count));
      float dot = 0;
      Dots({srcs, 1, noise.data(), &dot, count, dots_scratch.data()});
      if (threads == 1) first = dot;
      REQUIRE(dot == first);
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
