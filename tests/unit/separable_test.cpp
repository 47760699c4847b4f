#include "kernels/separable.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;

// All that both passes give, one after another.
struct Results {
  std::vector<float> floats;
  std::vector<double> doubles;
  bool operator==(const Results&) const = default;
};

Results Run(const SeparableParams& p) {
  const DepthwiseParams& d = p.depthwise;
  const int64_t pixels = d.n * d.OutH() * d.OutW(), c = d.c;
  const std::vector<float> src = Integers(d.n * d.h * d.w * c, 1), depthwise = Integers(c * d.kernel * d.kernel, 2),
                           pointwise = Integers(p.out * c, 3), diff_dst = Integers(pixels * p.out, 4),
                           diff_sums = Integers(2 * p.out, 5);
  const std::vector<double> mean(c, 0.25), variance(c, 2);
  const std::vector<float> src_mean(c, 0.25f), src_variance(c, 2), dst_variance(p.out, 3);
  Results r;
  r.doubles.resize(2 * p.out);
  std::vector<float> dst(pixels * p.out), diff_src(src.size()), diff_depthwise(depthwise.size()),
      diff_pointwise(pointwise.size()), sums(2 * c);
  std::vector<std::byte> scratch(std::max(SeparableForwardScratch(p, true), SeparableBackwardScratch(p)));
  SeparableForward(p, {src.data(),
                       {mean.data(), variance.data()},
                       depthwise.data(),
                       pointwise.data(),
                       dst.data(),
                       r.doubles.data(),
                       r.doubles.data() + p.out,
                       scratch.data()});
  SeparableBackwardArgs args{};
  args.src = src.data();
  args.norm = {mean.data(), variance.data()};
  args.src_mean = src_mean.data(), args.src_variance = src_variance.data();
  args.depthwise_weights = depthwise.data(), args.pointwise_weights = pointwise.data();
  args.dst = dst.data(), args.dst_mean = diff_sums.data(), args.dst_variance = dst_variance.data();
  args.diff_dst = diff_dst.data();
  args.diff_gamma = diff_sums.data(), args.diff_beta = diff_sums.data() + p.out;
  args.factor = 0.5f, args.mask = true;
  args.diff_src = diff_src.data();
  args.diff_depthwise_weights = diff_depthwise.data(), args.diff_pointwise_weights = diff_pointwise.data();
  args.src_diff_gamma = sums.data(), args.src_diff_beta = sums.data() + c;
  args.scratch = scratch.data();
  SeparableBackward(p, args);
  for (const auto* part : {&dst, &diff_src, &diff_depthwise, &diff_pointwise, &sums})
    r.floats.insert(r.floats.end(), part->begin(), part->end());
  return r;
}

TEST_CASE("a separable convolution gives the same bits on any number of lanes", "[kernels]") {
  // Several images a tile with a rest, one image a tile, fewer tiles than lanes.
  for (const DepthwiseParams& d :
       {DepthwiseParams{7, 12, 12, 40, 3, 1, 1, 1, true}, DepthwiseParams{3, 33, 32, 17, 5, 2, 1, 2, true},
        DepthwiseParams{2, 8, 8, 8, 3, 1, 2, 2, true}}) {
    CAPTURE(d.n, d.h, d.c);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads);
      const Results one = Run({d, 24, 1, 1e-5f});
      CHECK(Run({d, 24, 2, 1e-5f}) == one);
      CHECK(Run({d, 24, 5, 1e-5f}) == one);
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
