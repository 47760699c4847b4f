#include "kernels/narrow.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;

// The definition, as loops, in double.
std::vector<float> Naive(const NarrowParams& p, const std::vector<float>& src, const std::vector<float>& weights) {
  const int64_t k = p.kernel, out_h = p.OutH(), out_w = p.OutW();
  std::vector<float> dst(p.n * out_h * out_w * p.out);
  for (int64_t item = 0; item < static_cast<int64_t>(dst.size()); ++item) {
    const int64_t o = item % p.out, x = item / p.out % out_w, y = item / p.out / out_w % out_h,
                  image = item / p.out / out_w / out_h;
    double sum = 0;
    for (int64_t tap = 0; tap < k * k; ++tap) {
      const int64_t src_y = y * p.stride - p.pad + tap / k, src_x = x * p.stride - p.pad + tap % k;
      if (src_y < 0 || src_y >= p.h || src_x < 0 || src_x >= p.w) continue;
      for (int64_t c = 0; c < p.c; ++c)
        sum += static_cast<double>(src[((image * p.h + src_y) * p.w + src_x) * p.c + c]) *
               static_cast<double>(weights[(o * p.c + c) * k * k + tap]);
    }
    dst[item] = static_cast<float>(sum);
  }
  return dst;
}

// Products of floats are exact in double and the order is the same, so real numbers must agree to the bit.
void CheckExact(const NarrowParams& p) {
  CAPTURE(p.n, p.h, p.w, p.c, p.out, p.kernel, p.stride, p.pad);
  const std::vector<float> src = test::Normals(p.n * p.h * p.w * p.c, 1),
                           weights = test::Normals(p.out * p.c * p.kernel * p.kernel, 2);
  const std::vector<float> expected = Naive(p, src, weights);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    std::vector<float> dst(expected.size(), -12345);
    std::vector<double> scratch(NarrowScratch(p), -12345);
    NarrowForward(p, {src.data(), weights.data(), dst.data(), scratch.data()});
    REQUIRE(dst == expected);
  });
}

TEST_CASE("convolutions from few channels sum in double", "[kernels]") {
  for (const int64_t out : {1, 3, 8, 12, 16, 27, 48}) {
    CheckExact({.n = 2, .h = 7, .w = 9, .c = 3, .out = out, .kernel = 3, .pad = 1});
    CheckExact({.n = 2, .h = 8, .w = 9, .c = 3, .out = out, .kernel = 3, .stride = 2, .pad = 1});
  }
  CheckExact({.n = 1, .h = 1, .w = 1, .c = 4, .out = 20, .kernel = 3, .pad = 1});
  CheckExact({.n = 3, .h = 6, .w = 6, .c = 1, .out = 20, .kernel = 5, .pad = 0});
}

}  // namespace
}  // namespace pdarts::kernels
