#include "kernels/pointwise.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "kernels/batch_norm.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;

void CheckExact(const PointwiseParams& p) {
  CAPTURE(p.pixels, p.in, p.out, p.groups);
  const int64_t width = p.in / p.groups;
  const std::vector<float> src = Integers(p.pixels * p.in, 1), weights = Integers(p.out * width, 2),
                           diff_dst = Integers(p.pixels * p.out, 3);
  std::vector<float> dst(p.pixels * p.out), diff_src(p.pixels * p.in), diff_weights(p.out * width);
  for (int64_t pixel = 0; pixel < p.pixels; ++pixel) {
    for (int64_t o = 0; o < p.out; ++o) {
      const int64_t first = o / (p.out / p.groups) * width;  // of the group's channels
      for (int64_t i = 0; i < width; ++i) {
        dst[pixel * p.out + o] += src[pixel * p.in + first + i] * weights[o * width + i];
        diff_src[pixel * p.in + first + i] += diff_dst[pixel * p.out + o] * weights[o * width + i];
        diff_weights[o * width + i] += diff_dst[pixel * p.out + o] * src[pixel * p.in + first + i];
      }
    }
  }
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    const float dirty = -12345;
    std::vector<float> got_dst(dst.size(), dirty), got_diff_src(diff_src.size(), dirty),
        got_diff_weights(diff_weights.size(), dirty), scratch(PointwiseScratch(p), dirty),
        weights_scratch(PointwiseWeightsScratch(p), dirty);
    PointwiseForward(p, {src.data(), weights.data(), got_dst.data(), scratch.data()});
    PointwiseBackwardData(p, {diff_dst.data(), weights.data(), got_diff_src.data(), scratch.data()});
    PointwiseBackwardWeights(p, {src.data(), diff_dst.data(), got_diff_weights.data(), weights_scratch.data()});
    REQUIRE(got_dst == dst);
    REQUIRE(got_diff_src == diff_src);
    REQUIRE(got_diff_weights == diff_weights);
  });
}

TEST_CASE("1x1 convolutions are exact on integers, for any channel counts", "[kernels]") {
  for (const int64_t in : {1, 3, 8, 12, 16, 36, 48})
    for (const int64_t out : {1, 5, 16, 17, 24, 33, 40}) CheckExact({.pixels = 130, .in = in, .out = out});
}

TEST_CASE("1x1 convolutions in groups are exact on integers", "[kernels]") {
  for (const int64_t groups : {2, 3})
    for (const int64_t in : {1, 4, 16, 24})
      for (const int64_t out : {1, 5, 8, 16})
        CheckExact({.pixels = 130, .in = groups * in, .out = groups * out, .groups = groups});
}

TEST_CASE("1x1 convolutions are exact on integers, for any number of pixels", "[kernels]") {
  for (const int64_t pixels : {1, 5, 11, 12, 95, 97, 256, 600, 2000})
    CheckExact({.pixels = pixels, .in = 20, .out = 18});
}

TEST_CASE("moments that come with a product are those of dst, far from zero too, and dst is the same past the caches",
          "[kernels]") {
  for (const int64_t k : {16, 20}) {
    for (const int64_t n : {5, 16, 36, 64}) {
      for (const int64_t rows : {1, 12, 26, 64, 250}) {
        std::vector<float> src = test::Normals(rows * k, 1), matrix = test::Normals(k * n, 2);
        for (int64_t r = 0; r < rows; ++r) src[r * k] = 1;
        for (int64_t c = 0; c < n; ++c) matrix[c] = 500;  // the mean of every column, at a deviation of about 4
        ForEachIsaAndThreads([&](Isa isa, int threads) {
          CAPTURE(IsaName(isa), threads, k, n, rows);
          alignas(64) static float dst[250 * 64], streamed[250 * 64];
          std::vector<float> moments(3 * n), again(3 * n);
          std::vector<double> mean(n), variance(n);
          PointwiseProduct({src.data(), matrix.data(), dst, rows, k, n, moments.data()});
          PointwiseProduct({src.data(), matrix.data(), streamed, rows, k, n, again.data(), true});
          REQUIRE(std::equal(dst, dst + rows * n, streamed));
          REQUIRE(moments == again);
          JoinBatchNormMoments({moments.data(), 1, n, [&](int64_t) { return rows; }, mean.data(), variance.data()});
          for (int64_t c = 0; c < n; ++c) {
            double sum = 0, squares = 0;
            for (int64_t r = 0; r < rows; ++r) sum += dst[r * n + c];
            for (int64_t r = 0; r < rows; ++r) squares += std::pow(dst[r * n + c] - sum / rows, 2);
            REQUIRE(std::abs(mean[c] - sum / rows) <= 1e-6 * std::abs(sum / rows));
            REQUIRE(std::abs(variance[c] - squares / rows) <= 1e-5 * (squares / rows + 1));
          }
        });
      }
    }
  }
}

TEST_CASE("1x1 weights' gradients of wide layers share few partial sums", "[kernels]") {
  const PointwiseParams wide{.pixels = 1 << 20, .in = 512, .out = 512};
  CHECK(PointwiseWeightsScratch(wide) == 16 * 512 * 512);
  CHECK(PointwiseWeightsScratch({.pixels = 512, .in = 4, .out = 4}) == 2 * 4 * 4);
  CheckExact({.pixels = 9000, .in = 260, .out = 252});
}

TEST_CASE("1x1 weights' gradients are the same bits for any number of threads", "[kernels]") {
  const PointwiseParams p{.pixels = 3000, .in = 20, .out = 36};
  const std::vector<float> src = test::Normals(p.pixels * p.in, 1), diff_dst = test::Normals(p.pixels * p.out, 2);
  std::vector<float> scratch(PointwiseWeightsScratch(p)), first(p.in * p.out), again(p.in * p.out);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    PointwiseBackwardWeights(p, {src.data(), diff_dst.data(), again.data(), scratch.data()});
    if (threads == 1) first = again;
    REQUIRE(first == again);
  });
}

}  // namespace
}  // namespace pdarts::kernels
