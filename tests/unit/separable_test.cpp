#include "kernels/separable.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;

struct Case {
  SeparableSource source;
  std::vector<SeparableBranch> branches;
  bool normalized;
};

// Branches of kernel (0: no depthwise convolution) and dilation over one src, to `out` channels.
Case MakeCase(SeparableSource source, int64_t stride, std::vector<std::pair<int64_t, int64_t>> kernels, int64_t out,
              bool normalized) {
  Case c{source, {}, normalized};
  for (const auto& [kernel, dilation] : kernels) {
    if (kernel == 0)
      c.branches.push_back({{source.n, source.h, source.w, source.c, 1}, out, true});
    else
      c.branches.push_back(
          {{source.n, source.h, source.w, source.c, kernel, stride, dilation, dilation * (kernel / 2)}, out});
  }
  return c;
}

// What one branch gives.
struct BranchResults {
  std::vector<float> dst, diff_depthwise, diff_pointwise;
  std::vector<double> moments;
  bool operator==(const BranchResults&) const = default;
};
struct Results {
  std::vector<BranchResults> branches;
  std::vector<float> diff_src, sums;
  bool operator==(const Results&) const = default;
};

// The operands of branch `id`.
struct Operands {
  Operands(const SeparableBranch& b, uint32_t id)
      : depthwise(Integers(b.depthwise.c * b.depthwise.kernel * b.depthwise.kernel, 10 * id + 2)),
        pointwise(Integers(b.out * b.depthwise.c, 10 * id + 3)),
        diff_dst(Integers(b.depthwise.n * b.depthwise.OutH() * b.depthwise.OutW() * b.out, 10 * id + 4)),
        diff_sums(Integers(2 * b.out, 10 * id + 5)),
        mean(b.out, 1),
        variance(b.out, 3) {}
  std::vector<float> depthwise, pointwise, diff_dst, diff_sums;
  std::vector<double> mean, variance;
};

// src [pixels, C] as the kernel gets it, [parts] of [pixels, C / parts], and back.
std::vector<std::vector<float>> Parts(const SeparableSource& s, const std::vector<float>& src) {
  const size_t c = static_cast<size_t>(s.c), width = c / static_cast<size_t>(s.parts);
  std::vector<std::vector<float>> parts(static_cast<size_t>(s.parts));
  for (size_t i = 0; i < src.size(); ++i) parts[i % c / width].push_back(src[i]);
  return parts;
}
std::vector<float> Join(const SeparableSource& s, const std::vector<std::vector<float>>& parts) {
  const size_t c = static_cast<size_t>(s.c), width = c / static_cast<size_t>(s.parts);
  std::vector<float> all(static_cast<size_t>(s.n * s.h * s.w) * c);
  for (size_t i = 0; i < all.size(); ++i) all[i] = parts[i % c / width][i / c * width + i % width];
  return all;
}

// What each sample of a branch's diff_dst is multiplied by: by nothing, by the kernel, or before it. A sample is two
// images, if it can be.
enum class Factors { kNone, kByKernel, kBefore };
int64_t Samples(const SeparableSource& s) { return s.n % 2 == 0 ? s.n / 2 : s.n; }
double FactorOf(int64_t sample, size_t branch) { return (sample + static_cast<int64_t>(branch)) % 3 == 1 ? 0 : 2; }

// Runs both passes; `first` is the number of the first branch's operands.
Results Run(const Case& c, uint32_t first = 0, int lanes = 2, Factors scaled = Factors::kNone) {
  SeparableSource s = c.source;
  s.lanes = lanes;
  const std::vector<float> src = Integers(s.n * s.h * s.w * s.c, 1);
  std::vector<std::vector<float>> parts = Parts(s, src), diff_parts = parts;
  std::vector<const float*> srcs;
  std::vector<float*> diff_srcs;
  for (std::vector<float>& part : parts) srcs.push_back(part.data());
  for (std::vector<float>& part : diff_parts) diff_srcs.push_back(part.data());
  const std::vector<double> mean(s.c, 0.25), variance(s.c, 2);
  const Normalizer norm = c.normalized ? Normalizer{mean.data(), variance.data()} : Normalizer{};
  Results r;
  r.sums.resize(2 * s.c);
  std::vector<Operands> operands;
  std::vector<SeparableForwardBranch> forward;
  std::vector<SeparableBackwardBranch> backward;
  r.branches.resize(c.branches.size());
  for (uint32_t i = 0; i < c.branches.size(); ++i) operands.emplace_back(c.branches[i], first + i);
  const int64_t samples = Samples(s);
  std::vector<std::vector<double>> factors(c.branches.size(), std::vector<double>(samples));
  for (size_t i = 0; i < c.branches.size(); ++i) {
    for (int64_t sample = 0; sample < samples; ++sample) factors[i][sample] = FactorOf(sample, i);
    std::vector<float>& diff = operands[i].diff_dst;
    for (size_t k = 0; k < diff.size() && scaled == Factors::kBefore; ++k)
      diff[k] *= static_cast<float>(factors[i][k / (diff.size() / static_cast<size_t>(samples))]);
    for (size_t k = 0; k < diff.size() && scaled == Factors::kByKernel; ++k)  // nobody reads what is dropped
      if (factors[i][k / (diff.size() / static_cast<size_t>(samples))] == 0) diff[k] = std::nanf("");
  }
  for (size_t i = 0; i < c.branches.size(); ++i) {
    const Operands& o = operands[i];
    BranchResults& b = r.branches[i];
    const int64_t out = c.branches[i].out;
    b.dst.resize(o.diff_dst.size()), b.diff_depthwise.resize(o.depthwise.size()),
        b.diff_pointwise.resize(o.pointwise.size()), b.moments.resize(2 * out);
    forward.push_back({o.depthwise.data(), o.pointwise.data(), b.dst.data(), b.moments.data(), b.moments.data() + out});
    backward.push_back({o.depthwise.data(), o.pointwise.data(), b.dst.data(), o.mean.data(), o.variance.data(), nullptr,
                        o.diff_dst.data(), o.diff_sums.data(), o.diff_sums.data() + out, 0.5f,
                        scaled == Factors::kByKernel ? factors[i].data() : nullptr, b.diff_depthwise.data(),
                        b.diff_pointwise.data()});
  }
  std::vector<std::byte> scratch(
      std::max(SeparableForwardScratch(s, c.branches), SeparableBackwardScratch(s, c.branches)), std::byte{0xFF});
  SeparableForward(s, c.branches, {srcs, norm, forward, scratch.data()});
  SeparableBackward(s, c.branches,
                    {srcs, norm, backward, samples, true, diff_srcs, c.normalized ? r.sums.data() : nullptr,
                     c.normalized ? r.sums.data() + s.c : nullptr, scratch.data()});
  r.diff_src = Join(s, diff_parts);
  return r;
}

// Several images a tile with a rest, one image a tile, fewer tiles than lanes, halves of tiles, more tiles than slices.
std::vector<Case> Cases() {
  return {MakeCase({7, 12, 12, 40, true, 1, 1e-5f}, 1, {{3, 1}}, 24, true),
          MakeCase({7, 12, 12, 40, true, 1, 1e-5f}, 1, {{3, 1}, {5, 1}, {3, 2}, {5, 2}}, 40, false),
          MakeCase({3, 33, 32, 17, true, 1, 1e-5f}, 2, {{5, 1}, {3, 1}}, 24, true),
          MakeCase({2, 8, 8, 8, true, 1, 1e-5f}, 1, {{3, 2}}, 16, false),
          MakeCase({52, 16, 16, 32, true, 1, 1e-5f}, 1, {{3, 1}}, 32, true),
          MakeCase({90, 1, 17, 48, true, 1, 1e-5f}, 1, {{0, 1}}, 20, false),
          MakeCase({5, 9, 8, 64, true, 1, 1e-5f}, 1, {{0, 1}, {0, 1}, {3, 1}, {0, 1}}, 36, true),
          MakeCase({71, 32, 32, 16, true, 1, 1e-5f}, 2, {{3, 1}, {5, 1}, {3, 1}}, 16, false)};
}

TEST_CASE("separable convolutions give the same bits on any number of lanes", "[kernels]") {
  for (const Case& c : Cases()) {
    CAPTURE(c.source.n, c.source.h, c.source.c);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads);
      const Results one = Run(c, 0, 1);
      CHECK(Run(c, 0, 2) == one);
      CHECK(Run(c, 0, 5) == one);
    });
  }
}

TEST_CASE("separable convolutions give the same bits from the parts of src as from the whole", "[kernels]") {
  for (Case c : {MakeCase({90, 1, 17, 48, true, 1, 1e-5f}, 1, {{0, 1}, {0, 1}}, 20, false),
                 MakeCase({400, 1, 32, 64, true, 1, 1e-5f}, 1, {{0, 1}}, 16, false),
                 MakeCase({400, 1, 32, 36, false, 1, 1e-5f}, 1, {{0, 1}}, 36, false),
                 MakeCase({7, 12, 12, 40, true, 1, 1e-5f}, 1, {{3, 1}, {0, 1}}, 24, false)}) {
    CAPTURE(c.source.n, c.source.c);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads);
      c.source.parts = 1;
      const Results whole = Run(c);
      for (const int64_t parts : {2, 4}) {
        c.source.parts = parts;
        CHECK(Run(c) == whole);
      }
    });
  }
}

TEST_CASE("a gradient times the samples' factors is the same in the kernel and before it", "[kernels]") {
  for (const Case& c : Cases()) {
    CAPTURE(c.source.n, c.source.h, c.source.c);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads);
      const Results by_kernel = Run(c, 0, threads, Factors::kByKernel);
      CHECK(by_kernel == Run(c, 0, threads, Factors::kBefore));
      CHECK(by_kernel.diff_src != Run(c, 0, threads).diff_src);
    });
  }
}

TEST_CASE("separable convolutions of one src give together what each gives, and the sum of the gradients",
          "[kernels]") {
  for (const Case& c : Cases()) {
    CAPTURE(c.source.n, c.source.h, c.source.c);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads);
      const Results together = Run(c);
      std::vector<double> diff_src(together.diff_src.size()), size(diff_src.size());
      for (size_t i = 0; i < c.branches.size(); ++i) {
        const Results alone = Run({c.source, {c.branches[i]}, c.normalized}, static_cast<uint32_t>(i));
        CHECK(alone.branches[0] == together.branches[i]);
        for (size_t k = 0; k < diff_src.size(); ++k)
          diff_src[k] += alone.diff_src[k], size[k] += std::abs(alone.diff_src[k]);
      }
      bool close = true;
      for (size_t k = 0; k < diff_src.size(); ++k)
        close = close && std::abs(diff_src[k] - together.diff_src[k]) <= 1e-3 + 1e-5 * size[k];
      CHECK(close);
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
