#include "kernels/dropout.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Normals;

const base::DropoutDraw kDraw{base::PhiloxKey(11, base::RandomStream::kDropout), 0x80000005u, 0xfffffff1u};

TEST_CASE("dropout keeps what DropoutMaskKeep says, on every instruction set and in place", "[kernels]") {
  for (const int64_t count : {1, 2, 5, 8, 17, 31, 32, 1000, 1024, 5003, 20000}) {
    for (const float rate : {0.0f, 0.3f, 0.9f}) {
      const std::vector<float> src = Normals(count, 1);
      std::vector<float> expected(count);
      for (int64_t i = 0; i < count; ++i)
        expected[i] = base::DropoutMaskKeep(kDraw, rate, i) ? src[i] * base::DropoutScale(rate) : 0;
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(count, rate, IsaName(isa), threads);
        std::vector<float> dst(count, -9), in_place = src;
        Dropout({src.data(), dst.data(), count, rate, kDraw});
        REQUIRE(dst == expected);
        Dropout({in_place.data(), in_place.data(), count, rate, kDraw});
        REQUIRE(in_place == expected);
        Dropout({src.data(), dst.data(), count, rate, kDraw, 0.5f});  // a power of two: exact
        for (int64_t i = 0; i < count; ++i) REQUIRE(dst[i] == 0.5f * expected[i]);
      });
    }
  }
}

TEST_CASE("drop path drops whole samples and scales the others", "[kernels]") {
  const int64_t samples = 50, size = 37;
  const std::vector<float> src = Normals(samples * size, 1);
  std::vector<float> expected(src.size());
  for (size_t i = 0; i < src.size(); ++i) {
    expected[i] =
        base::DropoutMaskKeep(kDraw, 0.4f, static_cast<int64_t>(i) / size) ? src[i] * base::DropoutScale(0.4f) : 0;
  }
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    std::vector<float> dst(src.size(), -9);
    std::vector<double> factors(samples, -9);
    DropPath(kDraw, 0.4f, samples, factors.data());
    ScaleSamples({src.data(), factors.data(), dst.data(), samples, size});
    REQUIRE(dst == expected);
    std::vector<float> poisoned = src;
    for (size_t i = 0; i < src.size(); ++i)
      if (expected[i] == 0) poisoned[i] = std::numeric_limits<float>::infinity();
    ScaleSamples({poisoned.data(), factors.data(), dst.data(), samples, size});
    REQUIRE(dst == expected);
    DropPath(kDraw, 0, samples, factors.data());
    ScaleSamples({src.data(), factors.data(), dst.data(), samples, size});
    REQUIRE(dst == src);
  });
}

TEST_CASE("masks differ by op, step and seed, and hit their rate", "[kernels]") {
  int kept = 0, same_op = 0, same_step = 0, same_seed = 0;
  const base::DropoutDraw op{kDraw.key, 6, kDraw.step}, step{kDraw.key, kDraw.op_id, 1};
  const base::DropoutDraw seed{base::PhiloxKey(12, base::RandomStream::kDropout), kDraw.op_id, kDraw.step};
  for (int64_t i = 0; i < 10000; ++i) {
    const bool keep = base::DropoutMaskKeep(kDraw, 0.25f, i);
    kept += keep;
    same_op += keep == base::DropoutMaskKeep(op, 0.25f, i);
    same_step += keep == base::DropoutMaskKeep(step, 0.25f, i);
    same_seed += keep == base::DropoutMaskKeep(seed, 0.25f, i);
  }
  CHECK(std::abs(kept - 7500) < 200);
  for (const int same : {same_op, same_step, same_seed}) CHECK(std::abs(same - 6250) < 250);
}

TEST_CASE("a rate is drawn to the nearest 2^-16, and the scale is that of the rate drawn", "[kernels]") {
  CHECK(base::DropoutSteps(0) == 0);
  CHECK(base::DropoutSteps(0.3f) == 19661);  // 19660.8
  CHECK(base::DropoutSteps(0.5f) == 32768);
  CHECK(base::DropoutSteps(0x1.fffffep-1f) == 65535);
  CHECK(base::DropoutScale(0) == 1);
  CHECK(base::DropoutScale(0.3f) == static_cast<float>(65536.0 / (65536 - 19661)));
  // All 16 bits of both halves of all words are drawn: thresholds far apart keep their share of each.
  for (const float rate : {0.001f, 0.3f, 0.7f, 0.999f}) {
    int kept[8] = {};
    for (int64_t i = 0; i < 80000; ++i) kept[i % 8] += base::DropoutMaskKeep(kDraw, rate, i);
    const double sd = std::sqrt(10000 * rate * (1 - rate));
    for (const int k : kept) CHECK(std::abs(k - 10000 * (1 - rate)) < 5 * sd);
  }
}

}  // namespace
}  // namespace pdarts::kernels
