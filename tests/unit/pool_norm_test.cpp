#include "kernels/pool_norm.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <new>
#include <vector>

#include "kernels/batch_norm.h"
#include "kernels/elementwise.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Normals;

constexpr float kEpsilon = 1e-5f;

// Floats that begin a cache line, as in a plan: only such go past the caches.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* p, size_t) { ::operator delete(p, kLine); }
  bool operator==(const LineAllocator&) const = default;
};
using LineFloats = std::vector<float, LineAllocator<float>>;

// Of both pools of one src, in this order: the max pool, the average pool.
struct Pools {
  LineFloats dst[2];
  std::vector<uint8_t> workspace;
  std::vector<double> mean[2], variance[2];
  bool operator==(const Pools&) const = default;
};

Pools MakePools(const PoolParams& p) {
  const int64_t out = p.n * p.OutH() * p.OutW() * p.c;
  Pools pools;
  pools.workspace.assign(out, 99);
  for (int b : {0, 1}) {
    pools.dst[b].assign(out, -9);
    pools.mean[b].assign(p.c, -9);
    pools.variance[b].assign(p.c, -9);
  }
  return pools;
}

Pools Unfused(const PoolParams& p, const std::vector<float>& src) {
  Pools pools = MakePools(p);
  MaxPoolForward(p, src.data(), pools.dst[0].data(), pools.workspace.data());
  AveragePoolForward(p, src.data(), pools.dst[1].data());
  const int64_t rows = p.n * p.OutH() * p.OutW();
  std::vector<float> scratch(BatchNormStatisticsScratch(rows, p.c));
  for (int b : {0, 1})
    BatchNormStatistics(
        {pools.dst[b].data(), rows, p.c, pools.mean[b].data(), pools.variance[b].data(), scratch.data()});
  return pools;
}

// dst begins `shift` floats behind a cache line.
Pools Fused(const PoolParams& p, const std::vector<float>& src, int64_t shift = 0) {
  Pools pools = MakePools(p);
  LineFloats made[2];
  std::vector<PoolNormForwardBranch> branches;
  for (int b : {0, 1}) {
    made[b].assign(pools.dst[b].size() + static_cast<size_t>(shift), -9);
    branches.push_back({made[b].data() + shift, b == 0 ? pools.workspace.data() : nullptr, pools.mean[b].data(),
                        pools.variance[b].data()});
  }
  const int lanes = base::Threads();
  std::vector<std::byte> scratch(PoolNormForwardScratch(p, 2, lanes) + 64);
  std::byte* lines = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
  PoolNormForward(p, {src.data(), branches, lanes, lines});
  for (int b : {0, 1}) std::copy_n(made[b].data() + shift, pools.dst[b].size(), pools.dst[b].data());
  return pools;
}

double WorstDifference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / (1e-3 + std::abs(b[i])));
  return worst;
}

// What a backward is asked for. branches: 1, the max pool alone, or 2; direct: the number of direct terms.
struct Way {
  int branches;
  bool add;
  size_t direct;
};

// Three diffs, of which the max pool takes all and the average pool the last two; direct terms, one for each weight.
struct Diffs {
  explicit Diffs(const PoolParams& p) {
    for (uint32_t k : {0, 1, 2}) {
      values.push_back(Normals(p.n * p.OutH() * p.OutW() * p.c, 20 + k));
      srcs.push_back(values.back().data());
    }
    for (uint32_t b : {0, 1}) gamma.push_back(Normals(p.c, 30 + b)), beta.push_back(Normals(p.c, 40 + b));
    further = Normals(p.n * p.h * p.w * p.c, 50);
    for (uint32_t k = 0; k < std::size(direct_weights); ++k) {
      direct_values.push_back(Normals(p.n * p.h * p.w * p.c, 60 + k));
      direct.push_back(direct_values.back().data());
    }
  }
  std::span<const float* const> Of(int b) const { return std::span(srcs).subspan(b); }
  std::vector<std::vector<float>> values, gamma, beta, direct_values;
  std::vector<const float*> srcs, direct;
  std::vector<float> further;
  const float weights[2][3] = {{0.5f, -0.3f, 1.7f}, {0.2f, 0.9f, 0}};
  const float direct_weights[5] = {0.7f, 1.3f, -0.1f, 0.4f, 0.3f};
};

// The further term and the direct ones.
std::vector<float> FirstTerms(const Diffs& d, const Way& way) {
  if (way.direct == 0) return d.further;
  std::vector<float> sum(d.further.size()), weights(d.direct_weights, d.direct_weights + way.direct);
  std::vector<const float*> srcs(d.direct.begin(), d.direct.begin() + static_cast<int64_t>(way.direct));
  if (way.add) srcs.insert(srcs.begin(), d.further.data()), weights.insert(weights.begin(), 1);
  WeightedSum({srcs.data(), weights.data(), std::ssize(srcs), sum.data(), std::ssize(sum)});
  return sum;
}

// By the kernels of the single steps.
std::vector<float> UnfusedBackward(const PoolParams& p, const Pools& pools, const Diffs& d, const Way& way) {
  const int64_t rows = p.n * p.OutH() * p.OutW(), in = p.n * p.h * p.w * p.c;
  std::vector<float> sum(rows * p.c), norm(rows * p.c), scratch(BatchNormGradientLinesSize(p.c)), diff_src(in);
  std::vector<std::vector<float>> terms;
  if (way.add || way.direct > 0) terms.push_back(FirstTerms(d, way));
  for (int b = 0; b < way.branches; ++b) {
    const auto srcs = d.Of(b);
    WeightedSum({srcs.data(), d.weights[b], static_cast<int64_t>(srcs.size()), sum.data(), rows * p.c});
    BatchNormBackwardData({pools.dst[b].data(), sum.data(), rows, p.c, pools.mean[b].data(), pools.variance[b].data(),
                           kEpsilon, nullptr, d.gamma[b].data(), d.beta[b].data(), norm.data(), scratch.data()});
    terms.emplace_back(in);
    if (b == 0)
      MaxPoolBackward(p, norm.data(), pools.workspace.data(), terms.back().data());
    else
      AveragePoolBackward(p, norm.data(), terms.back().data());
  }
  std::vector<const float*> srcs;
  for (const auto& term : terms) srcs.push_back(term.data());
  WeightedSum({srcs.data(), nullptr, static_cast<int64_t>(srcs.size()), diff_src.data(), in});
  return diff_src;
}

// `in_place`: the further term is where the result goes.
std::vector<float> FusedBackward(const PoolParams& p, const Pools& pools, const Diffs& d, const Way& way, bool in_place,
                                 const PoolNormBackwardSums& sums) {
  std::vector<PoolNormBackwardBranch> of;
  for (int b = 0; b < way.branches; ++b)
    of.push_back({pools.dst[b].data(), b == 0 ? pools.workspace.data() : nullptr, pools.mean[b].data(),
                  pools.variance[b].data(), d.gamma[b].data(), d.beta[b].data(), d.Of(b), d.weights[b]});
  std::vector<float> diff_src(p.n * p.h * p.w * p.c, -9);
  if (in_place) diff_src = d.further;
  const float* further = in_place ? diff_src.data() : d.further.data();
  const int lanes = base::Threads();
  std::vector<std::byte> scratch(PoolNormBackwardScratch(p, of.size(), std::max<size_t>(3, way.direct), 0, lanes) + 64);
  auto* aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
  PoolNormBackward(p, {of,
                       way.add ? further : nullptr,
                       std::span(d.direct).first(way.direct),
                       d.direct_weights,
                       {},
                       {},
                       0,
                       diff_src.data(),
                       lanes,
                       kEpsilon,
                       sums,
                       aligned});
  return diff_src;
}

// The sums over all pixels of diff_src and of diff_src times the normalised src, in double.
void CheckSums(const PoolParams& p, const std::vector<float>& diff_src, const PoolNormBackwardSums& sums) {
  std::vector<double> gamma(p.c), beta(p.c), size(p.c);
  for (int64_t i = 0; i < std::ssize(diff_src); ++i) {
    const int64_t c = i % p.c;
    const double normal = (sums.src[i] - sums.mean[c]) / std::sqrt(sums.variance[c] + kEpsilon);
    gamma[c] += diff_src[i] * normal, beta[c] += diff_src[i], size[c] += std::abs(diff_src[i]) * (1 + std::abs(normal));
  }
  for (int64_t c = 0; c < p.c; ++c) {
    REQUIRE(std::abs(sums.diff_gamma[c] - gamma[c]) <= 1e-6 * size[c]);
    REQUIRE(std::abs(sums.diff_beta[c] - beta[c]) <= 1e-6 * size[c]);
  }
}

TEST_CASE("pools with their normalisations equal the single steps, the same on all threads", "[kernels]") {
  for (const PoolParams& p : {PoolParams{.n = 3, .h = 8, .w = 8, .c = 16, .kernel = 3, .stride = 1, .pad = 1},
                              PoolParams{.n = 5, .h = 33, .w = 32, .c = 20, .kernel = 3, .stride = 1, .pad = 1},
                              PoolParams{.n = 2, .h = 32, .w = 30, .c = 12, .kernel = 3, .stride = 2, .pad = 1},
                              PoolParams{.n = 3, .h = 9, .w = 7, .c = 3, .kernel = 3, .stride = 2, .pad = 1},
                              PoolParams{.n = 2, .h = 40, .w = 40, .c = 8, .kernel = 5, .stride = 3, .pad = 2},
                              PoolParams{.n = 2, .h = 31, .w = 31, .c = 36, .kernel = 2, .stride = 3, .pad = 1},
                              PoolParams{.n = 9, .h = 32, .w = 32, .c = 32, .kernel = 3, .stride = 1, .pad = 1},
                              PoolParams{.n = 1, .h = 1, .w = 1, .c = 5, .kernel = 3, .stride = 1, .pad = 1}}) {
    const std::vector<float> src = Normals(p.n * p.h * p.w * p.c, 1);
    const Diffs diffs(p);
    const std::vector<double> mean(p.c, 0.3), variance(p.c, 1.7);  // of the batch norm whose result the pools read
    Pools first;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(p.n, p.h, p.w, p.c, p.kernel, p.stride, IsaName(isa), threads);
      const Pools expected = Unfused(p, src), got = Fused(p, src);
      if (threads == 1) first = got;
      REQUIRE(got == first);
      REQUIRE(Fused(p, src, 3) == first);
      for (int b : {0, 1}) {
        REQUIRE(got.dst[b] == expected.dst[b]);
        REQUIRE(WorstDifference(got.mean[b], expected.mean[b]) < 1e-5);
        REQUIRE(WorstDifference(got.variance[b], expected.variance[b]) < 1e-5);
      }
      REQUIRE(got.workspace == expected.workspace);
      for (const Way& way :
           {Way{1, false, 0}, {1, true, 0}, {2, false, 0}, {2, true, 0}, {1, false, 2}, {2, true, 5}}) {
        CAPTURE(way.branches, way.add, way.direct);
        const std::vector<float> diff_src = UnfusedBackward(p, expected, diffs, way);
        REQUIRE(FusedBackward(p, expected, diffs, way, false, {}) == diff_src);
        std::vector<float> gamma(p.c), beta(p.c);
        const PoolNormBackwardSums sums{src.data(), mean.data(), variance.data(), gamma.data(), beta.data()};
        REQUIRE(FusedBackward(p, expected, diffs, way, way.add, sums) == diff_src);
        CheckSums(p, diff_src, sums);
      }
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
