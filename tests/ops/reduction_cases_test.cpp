// What a factorized reduction is made of, on the cpu backend against the reference kernels.
#include <catch2/catch_test_macros.hpp>

#include "ops/op.h"
#include "ops/ops.h"
#include "support/cpu_case.h"

namespace pdarts::ops {
namespace {

using tensor::Shape;
using tests::CpuCase;

// A subsample_bwd that adds to a further term, which nothing else reads, or a sum behind it does too.
CpuCase Scatter(int64_t offset, bool shared) {
  const Shape small{2, 12, 4, 3}, large{2, 12, 8, 6};
  return {fmt::format("subsample_bwd {} with a further term, shared {}", offset, shared),
          {small, large},
          [=](Graph& g, const auto& x) {
            const ValueId term = Scale(g, x[1], 2), sum = SubsampleBwd(g, x[0], term, {offset, 8, 6});
            g.Output("sum", shared ? AddN(g, {sum, term}) : sum);
            return Relu(g, x[0]);  // what is differentiated: subsample_bwd has no gradient of its own
          }};
}

// Two reductions of one image, given in `parts`, whose sum and all gradients are wanted.
CpuCase Reductions(int64_t channels, int64_t parts, int64_t out) {
  const Shape image{3, channels, 8, 6}, weights{out / 2, parts * channels, 1, 1};
  return {fmt::format("two factorized reductions of {} x {} channels to {}", parts, channels, out),
          {image, image, weights, weights, weights, weights},
          [=](Graph& g, const auto& x) {
            std::vector<ValueId> taken;
            for (int64_t offset : {0, 1})
              for (int64_t part = 0; part < parts; ++part) taken.push_back(Subsample(g, x[part], offset));
            const ValueId src = Relu(g, Concat(g, taken));
            std::vector<ValueId> terms;
            for (size_t first : {2, 4}) {
              const ValueId dst = Conv2d(g, src, Stack(g, {x[first], x[first + 1]}), {1, 1, 0, 0, 1, 2});
              terms.push_back(BatchNorm(g, dst, ir::kNoValue, ir::kNoValue, 1e-5).dst);
            }
            return AddN(g, terms);
          },
          false};
}

TEST_CASE("stacked weights, grouped 1x1 convolutions and scattered gradients agree with the reference", "[cpu]") {
  const Shape image{2, 12, 8, 6};
  std::vector<CpuCase> cases = {{"stack",
                                 {Shape{2, 3, 1, 1}, Shape{4, 3, 1, 1}},
                                 [](Graph& g, const auto& x) {
                                   return Stack(g, {x[0], x[1], x[0]});
                                 }},
                                {"1x1 in groups of one channel",
                                 {image, Shape{12, 1, 1, 1}},
                                 [](Graph& g, const auto& x) {
                                   return Conv2d(g, x[0], x[1], {1, 1, 0, 0, 1, 12});
                                 }},
                                {"1x1 in groups", {image, Shape{9, 4, 1, 1}}, [](Graph& g, const auto& x) {
                                   return Conv2d(g, x[0], x[1], {1, 1, 0, 0, 1, 3});
                                 }}};
  for (const int64_t offset : {0, 1})
    for (const bool shared : {false, true}) cases.push_back(Scatter(offset, shared));
  tests::CheckOnCpuSets(cases);
}

TEST_CASE("factorized reductions agree with the reference, forward and back", "[cpu]") {
  tests::CheckOnCpuSets({Reductions(12, 1, 8), Reductions(16, 1, 32), Reductions(6, 2, 10)});
}

}  // namespace
}  // namespace pdarts::ops
