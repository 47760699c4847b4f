#include "kernels/path_sum.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Normals;

constexpr double kEpsilon = 1e-5;

struct Case {
  int64_t terms, samples, pixels, channels;
  int64_t size() const { return samples * pixels * channels; }
};

// By turns a term is normalised with gamma and beta and dropped, normalised alone, src itself, src dropped.
bool IsNormalized(int64_t term) { return term % 4 < 2; }
bool IsAffine(int64_t term) { return term % 4 == 0; }
bool IsDropped(int64_t term) { return term % 4 == 0 || term % 4 == 3; }

// Sources far from zero with means beside theirs, as nothing here needs the statistics to be the batch's.
struct Inputs {
  explicit Inputs(const Case& c) : diff_dst(Normals(c.size(), 90)) {
    for (float& value : diff_dst) value += 1;  // so that the rounding of a mean would show
    for (int64_t k = 0; k < c.terms; ++k) {
      const auto id = static_cast<uint32_t>(k);
      srcs.push_back(Normals(c.size(), id));
      if (IsNormalized(k))
        for (float& value : srcs.back()) value += 30;
      const std::vector<float> noise = Normals(4 * c.channels, 100 + id);
      gammas.emplace_back(noise.begin() + 2 * c.channels, noise.begin() + 3 * c.channels);
      betas.emplace_back(noise.begin() + 3 * c.channels, noise.end());
      means.emplace_back(), variances.emplace_back(), factors.emplace_back();
      for (int64_t i = 0; i < c.channels; ++i) {
        means.back().push_back(30 + 0.1 * noise[i]);
        variances.back().push_back(0.5 + std::abs(noise[c.channels + i]));
      }
      for (int64_t sample = 0; sample < c.samples; ++sample)  // now and then all terms of a sample are dropped
        factors.back().push_back(sample % 3 == 0 || (sample + k) % 4 == 1 ? 0 : 1.25);
    }
  }
  std::vector<PathTerm> Terms(bool normalized_only = false) const {
    std::vector<PathTerm> terms;
    for (size_t k = 0; k < srcs.size(); ++k) {
      const auto term = static_cast<int64_t>(k);
      if (normalized_only && !IsNormalized(term)) continue;
      PathTerm t{srcs[k].data()};
      if (IsNormalized(term)) t.mean = means[k].data(), t.variance = variances[k].data();
      if (IsAffine(term)) t.gamma = gammas[k].data(), t.beta = betas[k].data();
      if (IsDropped(term)) t.factors = factors[k].data();
      terms.push_back(t);
    }
    return terms;
  }
  std::vector<std::vector<float>> srcs, gammas, betas;
  std::vector<std::vector<double>> means, variances, factors;
  std::vector<float> diff_dst;
};

double Factor(const PathTerm& t, const Case& c, int64_t i) {
  return t.factors == nullptr ? 1 : t.factors[i / (c.pixels * c.channels)];
}

double Normalized(const PathTerm& t, const Case& c, int64_t i) {
  return (t.src[i] - t.mean[i % c.channels]) / std::sqrt(t.variance[i % c.channels] + kEpsilon);
}

std::vector<float> RunForward(const Case& c, const Inputs& in, int threads) {
  const std::vector<PathTerm> terms = in.Terms();
  std::vector<float> dst(c.size(), -9);
  std::vector<double> scratch(PathSumScratch(c.terms, c.channels, threads) / sizeof(double) + 1, -9);
  PathSum({terms.data(), c.terms, c.samples, c.pixels, c.channels, kEpsilon, dst.data(), threads, scratch.data()});
  return dst;
}

void CheckForward(const Case& c, const Inputs& in, const std::vector<float>& dst) {
  const std::vector<PathTerm> terms = in.Terms();
  double worst = 0;
  for (int64_t i = 0; i < c.size(); ++i) {
    double sum = 0, size = 0;
    for (const PathTerm& t : terms) {
      double value = t.src[i];
      if (t.mean != nullptr) value = Normalized(t, c, i);
      if (t.gamma != nullptr) value = value * t.gamma[i % c.channels] + t.beta[i % c.channels];
      sum += Factor(t, c, i) * value, size += std::abs(value);
    }
    worst = std::max(worst, std::abs(dst[i] - sum) / (1e-14 * size + std::abs(sum) + 1e-30));
  }
  REQUIRE(worst <= 6.1e-8);  // one rounding
}

struct Gradients {
  std::vector<std::vector<float>> gammas, betas;
  bool operator==(const Gradients&) const = default;
};

Gradients RunBackward(const Case& c, const Inputs& in, int threads) {
  const std::vector<PathTerm> terms = in.Terms(true);
  const auto count = static_cast<int64_t>(terms.size());
  Gradients out;
  out.gammas.assign(terms.size(), std::vector<float>(c.channels, -9));
  out.betas = out.gammas;
  std::vector<float*> gammas, betas;
  for (std::vector<float>& g : out.gammas) gammas.push_back(g.data());
  for (std::vector<float>& b : out.betas) betas.push_back(b.data());
  std::vector<double> scratch(
      PathSumBackwardScratch(count, c.samples, c.pixels, c.channels, threads) / sizeof(double) + 1, -9);
  PathSumBackward({terms.data(), count, c.samples, c.pixels, c.channels, kEpsilon, in.diff_dst.data(), gammas.data(),
                   betas.data(), threads, scratch.data()});
  return out;
}

void CheckBackward(const Case& c, const Inputs& in, const Gradients& got) {
  const std::vector<PathTerm> terms = in.Terms(true);
  const double slack = 3e-6 * std::sqrt(static_cast<double>(c.samples * c.pixels));
  for (size_t k = 0; k < terms.size(); ++k) {
    std::vector<double> gamma(c.channels), beta(c.channels);
    for (int64_t i = 0; i < c.size(); ++i) {
      const double diff = Factor(terms[k], c, i) * in.diff_dst[i];
      beta[i % c.channels] += diff;
      gamma[i % c.channels] += diff * Normalized(terms[k], c, i);
    }
    for (int64_t channel = 0; channel < c.channels; ++channel) {
      REQUIRE(std::abs(got.betas[k][channel] - beta[channel]) <= slack);
      REQUIRE(std::abs(got.gammas[k][channel] - gamma[channel]) <= 3 * slack);
    }
  }
}

TEST_CASE("sums of paths follow their formulas for any channel and term count, the same on all threads", "[kernels]") {
  for (const Case& c :
       {Case{1, 7, 1, 1}, Case{2, 5, 64, 36}, Case{2, 9, 49, 48}, Case{4, 3, 700, 12}, Case{5, 1, 9, 64},
        Case{3, 4, 5, 1000}, Case{6, 2, 1024, 16}, Case{9, 13, 3, 7}, Case{2, 96, 4, 144}}) {
    const Inputs in(c);
    std::vector<float> first;
    Gradients first_gradients;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(c.terms, c.samples, c.pixels, c.channels, IsaName(isa), threads);
      const std::vector<float> dst = RunForward(c, in, threads);
      const Gradients gradients = RunBackward(c, in, threads);
      if (threads == 1) {
        CheckForward(c, in, dst);
        CheckBackward(c, in, gradients);
        first = dst;
        first_gradients = gradients;
      }
      REQUIRE(dst == first);
      REQUIRE(gradients == first_gradients);
    });
  }
}

TEST_CASE("a sample of a path that is dropped is not read", "[kernels]") {
  const Case c{4, 8, 20, 24};
  const Inputs in(c);
  Inputs poisoned = in;
  for (size_t k = 0; k < in.srcs.size(); ++k)
    for (int64_t i = 0; i < c.size(); ++i)
      if (Factor(in.Terms()[k], c, i) == 0) poisoned.srcs[k][i] = std::nanf("");
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    REQUIRE(RunForward(c, poisoned, threads) == RunForward(c, in, threads));
    REQUIRE(RunBackward(c, poisoned, threads) == RunBackward(c, in, threads));
  });
}

}  // namespace
}  // namespace pdarts::kernels
