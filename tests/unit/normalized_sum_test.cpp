#include "kernels/normalized_sum.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "kernels/dropout.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Normals;

constexpr double kEpsilon = 1e-5;

struct Case {
  int64_t terms, rows, channels;
};

// Each third term is plain.
bool IsPlain(int64_t term) { return term % 3 == 2; }

struct Inputs {
  std::vector<std::vector<float>> srcs;
  std::vector<std::vector<double>> means, variances;
  std::vector<float> diff_dst, weights;
};

// Sources far from zero with means beside theirs, as nothing here needs the statistics to be the batch's.
Inputs MakeInputs(const Case& c) {
  Inputs in;
  in.diff_dst = Normals(c.rows * c.channels, 90);
  in.weights = Normals(c.terms, 91);
  for (int64_t k = 0; k < c.terms; ++k) {
    const auto id = static_cast<uint32_t>(k);
    in.srcs.push_back(Normals(c.rows * c.channels, id));
    if (!IsPlain(k))
      for (float& value : in.srcs.back()) value += 30;
    const std::vector<float> noise = Normals(2 * c.channels, 100 + id);
    in.means.emplace_back(), in.variances.emplace_back();
    for (int64_t i = 0; i < c.channels; ++i) {
      in.means.back().push_back(30 + 0.1 * noise[i]);
      in.variances.back().push_back(0.5 + std::abs(noise[c.channels + i]));
    }
  }
  return in;
}

std::vector<NormalizedTerm> Terms(const Case& c, const Inputs& in) {
  std::vector<NormalizedTerm> terms;
  for (int64_t k = 0; k < c.terms; ++k)
    terms.push_back({in.srcs[k].data(), IsPlain(k) ? nullptr : in.means[k].data(),
                     IsPlain(k) ? nullptr : in.variances[k].data(), in.weights[k]});
  return terms;
}

double Normalized(const Inputs& in, const Case& c, int64_t term, int64_t i) {
  if (IsPlain(term)) return in.srcs[term][i];
  const int64_t channel = i % c.channels;
  return (in.srcs[term][i] - in.means[term][channel]) / std::sqrt(in.variances[term][channel] + kEpsilon);
}

void CheckForward(const Case& c, const Inputs& in, const std::vector<float>& dst) {
  double worst = 0;
  for (int64_t i = 0; i < c.rows * c.channels; ++i) {
    double sum = 0;
    for (int64_t k = 0; k < c.terms; ++k) sum += in.weights[k] * Normalized(in, c, k, i);
    worst = std::max(worst, std::abs(dst[i] - sum) / (1e-6 + std::abs(sum)));
  }
  REQUIRE(worst <= 1.2e-7);  // one rounding
}

struct Gradients {
  std::vector<std::vector<float>> gammas;
  std::vector<float> beta, dots;
  bool operator==(const Gradients&) const = default;
};

Gradients RunBackward(const Case& c, const Inputs& in) {
  Gradients out{{}, std::vector<float>(c.channels, -9), std::vector<float>(c.terms, -9)};
  std::vector<float*> gammas;
  out.gammas.assign(c.terms, std::vector<float>(c.channels, -9));
  for (int64_t k = 0; k < c.terms; ++k) gammas.push_back(IsPlain(k) ? nullptr : out.gammas[k].data());
  const std::vector<NormalizedTerm> terms = Terms(c, in);
  const int lanes = base::Threads();
  std::vector<double> scratch(NormalizedSumBackwardScratch(c.terms, c.rows, c.channels, 0, lanes) / sizeof(double) + 1);
  NormalizedSumBackwardArgs args{terms.data(),  c.terms,         c.rows,  c.channels, kEpsilon,      in.diff_dst.data(),
                                 gammas.data(), out.beta.data(), nullptr, lanes,      scratch.data()};
  NormalizedSumBackward(args);
  const Gradients without_dots = out;
  args.dots = out.dots.data();
  NormalizedSumBackward(args);
  REQUIRE(without_dots.gammas == out.gammas);
  REQUIRE(without_dots.beta == out.beta);
  return out;
}

void CheckBackward(const Case& c, const Inputs& in, const Gradients& got) {
  const double slack = 2e-6 * std::sqrt(static_cast<double>(c.rows));
  std::vector<double> beta(c.channels);
  for (int64_t i = 0; i < c.rows * c.channels; ++i) beta[i % c.channels] += in.diff_dst[i];
  for (int64_t channel = 0; channel < c.channels; ++channel)
    REQUIRE(std::abs(got.beta[channel] - beta[channel]) <= slack);
  for (int64_t k = 0; k < c.terms; ++k) {
    std::vector<double> gamma(c.channels);
    double dot = 0;
    for (int64_t i = 0; i < c.rows * c.channels; ++i) {
      const double product = in.diff_dst[i] * Normalized(in, c, k, i);
      gamma[i % c.channels] += product;
      dot += product;
    }
    for (int64_t channel = 0; channel < c.channels; ++channel)
      REQUIRE(std::abs(got.gammas[k][channel] - (IsPlain(k) ? -9 : gamma[channel])) <= 3 * slack);
    REQUIRE(std::abs(got.dots[k] - dot) <= 3 * slack * std::sqrt(static_cast<double>(c.channels)));
  }
}

TEST_CASE("normalised sums follow their formulas for any channel and term count, the same on all threads",
          "[kernels]") {
  for (const Case& c : {Case{1, 7, 1}, Case{3, 2000, 3}, Case{4, 515, 12}, Case{5, 1000, 16}, Case{8, 301, 36},
                        Case{9, 70, 64}, Case{13, 33, 100}, Case{2, 5, 1000}, Case{35, 600, 16}, Case{6, 1, 8}}) {
    const Inputs in = MakeInputs(c);
    const std::vector<NormalizedTerm> terms = Terms(c, in);
    std::vector<float> first;
    Gradients first_gradients;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(c.terms, c.rows, c.channels, IsaName(isa), threads);
      std::vector<float> dst(c.rows * c.channels, -9);
      std::vector<double> scratch(NormalizedSumScratch(c.terms, c.channels, 0, threads) / sizeof(double) + 1);
      NormalizedSum({terms.data(), c.terms, c.rows, c.channels, kEpsilon, dst.data(), threads, scratch.data()});
      const Gradients gradients = RunBackward(c, in);
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

TEST_CASE("products of the backward are exact on integers", "[kernels]") {
  const int64_t rows = 700, channels = 24;
  const std::vector<float> src = test::Integers(rows * channels, 1), diff = test::Integers(rows * channels, 2);
  const std::vector<double> mean(channels, 2), variance(channels, 0.25);
  const NormalizedTerm terms[] = {{src.data(), mean.data(), variance.data(), 1}, {src.data(), nullptr, nullptr, 1}};
  std::vector<float> gamma(channels), beta(channels), dots(2);
  float* gammas[] = {gamma.data(), nullptr};
  std::vector<double> scratch(NormalizedSumBackwardScratch(2, rows, channels, 0, 2) / sizeof(double) + 1);
  ForEachIsaAndThreads([&](Isa, int threads) {
    NormalizedSumBackward(
        {terms, 2, rows, channels, 0, diff.data(), gammas, beta.data(), dots.data(), threads, scratch.data()});
    double dot = 0, plain = 0;
    for (int64_t c = 0; c < channels; ++c) {
      double product = 0, sum = 0;
      for (int64_t i = c; i < rows * channels; i += channels) {
        product += diff[i] * (src[i] - 2) * 2;
        plain += diff[i] * src[i];
        sum += diff[i];
      }
      REQUIRE(gamma[c] == product);
      REQUIRE(beta[c] == sum);
      dot += product;
    }
    REQUIRE(dots == std::vector<float>{static_cast<float>(dot), static_cast<float>(plain)});
  });
}

// Each plain term becomes a dropped one, or a plain one of what dropout makes of it.
TEST_CASE("a sum drops its terms as dropout would", "[kernels]") {
  for (const Case& c : {Case{3, 2000, 3}, Case{8, 301, 36}, Case{35, 600, 16}, Case{3, 5, 1000}, Case{6, 700, 64}}) {
    const Inputs in = MakeInputs(c);
    for (const float rate : {0.0f, 0.7f}) {
      Inputs dropped = in;
      std::vector<NormalizedTerm> drops = Terms(c, in);
      const NormalizedDrops draw{{77, 0, 5}, rate};
      int64_t count = 0;
      for (int64_t k = 0; k < c.terms; ++k) {
        if (!IsPlain(k)) continue;
        drops[k].drop = 40 + k, ++count;
        Dropout({in.srcs[k].data(),
                 dropped.srcs[k].data(),
                 c.rows * c.channels,
                 rate,
                 {77, static_cast<uint32_t>(40 + k), 5}});
      }
      const std::vector<NormalizedTerm> terms = Terms(c, dropped);
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(c.terms, c.rows, c.channels, rate, IsaName(isa), threads);
        std::vector<float> dst(c.rows * c.channels, -9), expected = dst, beta(c.channels), dots(c.terms), beta2 = beta,
                                                         dots2 = dots;
        std::vector<float*> none(c.terms, nullptr);
        const size_t backward = NormalizedSumBackwardScratch(c.terms, c.rows, c.channels, count, threads);
        std::vector<double> scratch(
            std::max(NormalizedSumScratch(c.terms, c.channels, count, threads), backward) / sizeof(double) + 1);
        NormalizedSum({terms.data(), c.terms, c.rows, c.channels, kEpsilon, expected.data(), threads, scratch.data()});
        NormalizedSum({drops.data(), c.terms, c.rows, c.channels, kEpsilon, dst.data(), threads, scratch.data(), draw});
        REQUIRE(dst == expected);
        NormalizedSumBackward({terms.data(), c.terms, c.rows, c.channels, kEpsilon, in.diff_dst.data(), none.data(),
                               beta.data(), dots.data(), threads, scratch.data()});
        NormalizedSumBackward({drops.data(), c.terms, c.rows, c.channels, kEpsilon, in.diff_dst.data(), none.data(),
                               beta2.data(), dots2.data(), threads, scratch.data(), draw});
        REQUIRE(dots2 == dots);
        REQUIRE(beta2 == beta);
      });
    }
  }
}

}  // namespace
}  // namespace pdarts::kernels
