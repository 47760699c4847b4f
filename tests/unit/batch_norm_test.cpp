#include "kernels/batch_norm.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Normals;

constexpr float kEpsilon = 1e-5f;

struct Case {
  int64_t rows, channels;
  float offset;  // mean of the data, in standard deviations: large ones break naive sums of squares
};

struct Outcome {
  std::vector<float> mean, variance, dst, diff_gamma, diff_beta, diff_src;
  bool operator==(const Outcome&) const = default;
};

struct Inputs {
  std::vector<float> src, diff_dst, gamma, beta;
};

Inputs MakeInputs(const Case& c) {
  Inputs in{Normals(c.rows * c.channels, 1), Normals(c.rows * c.channels, 2), Normals(c.channels, 3),
            Normals(c.channels, 4)};
  for (float& value : in.src) value += c.offset;
  return in;
}

Outcome Run(const Case& c, const Inputs& in, bool affine) {
  const int64_t size = c.rows * c.channels;
  Outcome out;
  for (auto* values : {&out.mean, &out.variance, &out.diff_gamma, &out.diff_beta}) values->assign(c.channels, -9);
  out.dst.assign(size, -9);
  out.diff_src.assign(size, -9);
  std::vector<float> scratch(BatchNormStatisticsScratch(c.rows, c.channels)),
      small(BatchNormGradientLinesSize(c.channels));
  scratch.resize(std::max<size_t>(scratch.size(), BatchNormReduceScratch(c.rows, c.channels)));
  std::vector<double> mean_of(c.channels, -9), variance_of(c.channels, -9), coefficients(2 * c.channels);
  const float* gamma = affine ? in.gamma.data() : nullptr;
  const double *mean = mean_of.data(), *variance = variance_of.data();
  BatchNormStatistics({in.src.data(), c.rows, c.channels, mean_of.data(), variance_of.data(), scratch.data()});
  BatchNormApply({in.src.data(), c.rows, c.channels, mean_of.data(), variance_of.data(), kEpsilon, gamma,
                  affine ? in.beta.data() : nullptr, out.dst.data(), coefficients.data()});
  for (int64_t i = 0; i < c.channels; ++i) {
    out.mean[i] = static_cast<float>(mean_of[i]);
    out.variance[i] = static_cast<float>(variance_of[i]);
  }
  BatchNormBackwardReduce({in.src.data(), in.diff_dst.data(), c.rows, c.channels, mean, variance, kEpsilon,
                           out.diff_gamma.data(), out.diff_beta.data(), scratch.data()});
  BatchNormBackwardData({in.src.data(), in.diff_dst.data(), c.rows, c.channels, mean, variance, kEpsilon, gamma,
                         out.diff_gamma.data(), out.diff_beta.data(), out.diff_src.data(), small.data()});
  return out;
}

// One channel by the formulas, in double; fails where the kernel is off by more than fp32 rounding.
void CheckChannel(const Case& c, const Inputs& in, bool affine, int64_t channel, const Outcome& got) {
  const double rows = static_cast<double>(c.rows), gamma = affine ? in.gamma[channel] : 1,
               beta = affine ? in.beta[channel] : 0;
  double mean = 0, variance = 0, diff_gamma = 0, diff_beta = 0;
  for (int64_t r = 0; r < c.rows; ++r) mean += in.src[r * c.channels + channel] / rows;
  for (int64_t r = 0; r < c.rows; ++r) variance += std::pow(in.src[r * c.channels + channel] - mean, 2) / rows;
  const double inverse = 1 / std::sqrt(variance + kEpsilon), slack = 2e-6 * (1 + std::abs(c.offset));
  for (int64_t r = 0; r < c.rows; ++r) {
    const int64_t i = r * c.channels + channel;
    diff_gamma += in.diff_dst[i] * (in.src[i] - mean) * inverse;
    diff_beta += in.diff_dst[i];
  }
  REQUIRE(std::abs(got.mean[channel] - mean) <= slack);
  REQUIRE(std::abs(got.variance[channel] - variance) <= 2e-6 * variance);
  REQUIRE(std::abs(got.diff_gamma[channel] - diff_gamma) <= 3 * slack * std::sqrt(rows));
  REQUIRE(std::abs(got.diff_beta[channel] - diff_beta) <= 2e-6 * std::sqrt(rows));
  double worst_dst = 0, worst_diff = 0;
  for (int64_t r = 0; r < c.rows; ++r) {
    const int64_t i = r * c.channels + channel;
    const double normal = (in.src[i] - mean) * inverse;
    worst_dst = std::max(worst_dst, std::abs(got.dst[i] - (normal * gamma + beta)) / (1 + inverse));
    const double diff = gamma * inverse * (in.diff_dst[i] - diff_beta / rows - normal * diff_gamma / rows);
    worst_diff = std::max(worst_diff, std::abs(got.diff_src[i] - diff) / (1 + inverse * inverse));
  }
  REQUIRE(worst_dst <= 5 * slack);
  REQUIRE(worst_diff <= 20 * slack);
}

TEST_CASE("batch normalisation follows its formulas for any channel count, also far from zero", "[kernels]") {
  for (const Case& c :
       {Case{96, 16, 0}, Case{2000, 3, 0}, Case{7, 1, 0}, Case{3000, 36, 100}, Case{515, 12, -30}, Case{5000, 4, 1000},
        Case{64, 72, 0}, Case{300, 144, 5}, Case{1200, 24, 0}, Case{2, 8, 0}, Case{1, 40, 0}, Case{901, 61, 10}}) {
    const Inputs inputs = MakeInputs(c);
    for (const bool affine : {false, true}) {
      Outcome first;
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(c.rows, c.channels, c.offset, affine, IsaName(isa), threads);
        const Outcome got = Run(c, inputs, affine);
        if (threads == 1) {
          for (int64_t channel = 0; channel < c.channels; ++channel) CheckChannel(c, inputs, affine, channel, got);
          first = got;
        }
        REQUIRE(got == first);
      });
    }
  }
}

std::vector<float> Apply(const BatchNormApplyArgs& args) {
  std::vector<float> dst(args.rows * args.channels, -9);
  std::vector<double> scratch(2 * args.channels, -9);
  BatchNormApplyArgs with = args;
  with.dst = dst.data();
  with.scratch = scratch.data();
  BatchNormApply(with);
  return dst;
}

TEST_CASE("normalising is within an ulp, and what a channel has in common as exact as in double", "[kernels]") {
  // Gammas that make src count less than beta's last bits too.
  const std::vector<float> gamma = {1, 1, -0.7f, 3.3f, 1e-3f, 1e-5f, 1e-9f, 0, 1e5f, 1.7f},
                           beta = {0, 1.3f, 0.123f, -77.7f, 5.1f, -1.1f, 3.1f, 2.7f, 0.1f, 1e-5f};
  const int64_t rows = 1 << 16, channels = 10;
  for (const auto& [offset, deviation] :
       {std::pair{0.0f, 1.0f}, {0.123f, 1.0f}, {100.0f, 1.0f}, {-3.0f, 0.01f}, {1000.0f, 1.0f}, {1e-4f, 40.0f}}) {
    std::vector<float> src = Normals(rows * channels, 5);
    for (float& value : src) value = value * deviation + offset;
    const std::vector<double> mean(channels, offset + 1e-3 * deviation / 3),
        variance(channels, 1.234567 * deviation * deviation);
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      if (threads != 1) return;
      const std::vector<float> got = Apply({src.data(), rows, channels, mean.data(), variance.data(), kEpsilon,
                                            gamma.data(), beta.data(), nullptr, nullptr});
      for (int64_t c = 0; c < channels; ++c) {
        CAPTURE(IsaName(isa), offset, deviation, c);
        double worst = 0, shift = 0, slope = 0;
        for (int64_t i = c; i < rows * channels; i += channels) {
          const double normal = (src[i] - mean[c]) / std::sqrt(variance[c] + kEpsilon),
                       exact = normal * gamma[c] + beta[c], off = got[i] - exact;
          worst = std::max(worst, std::abs(off) / (0x1p-23 * std::abs(exact) + 1e-10 * std::abs(gamma[c])));
          shift += off / static_cast<double>(rows);
          slope += off * normal / static_cast<double>(rows);
        }
        CHECK(worst <= 1);
        CHECK(std::abs(shift) <= 1e-9 * (std::abs(gamma[c]) + std::abs(beta[c])));
        CHECK(std::abs(slope) <= 1e-9 * (std::abs(gamma[c]) + std::abs(beta[c])));
      }
    });
  }
}

TEST_CASE("normalising with a fused ReLU equals max of the result and 0, and NaN stays", "[kernels]") {
  for (const int64_t channels : {1, 3, 8, 12, 16, 20, 36}) {
    for (const int64_t rows : {1, 3, 4, 9, 700}) {
      std::vector<float> src = Normals(rows * channels, 1);
      src[src.size() / 2] = NAN;
      const std::vector<float> beta = Normals(channels, 2);
      const std::vector<double> mean(channels, 0.1), variance(channels, 2);
      BatchNormApplyArgs args{src.data(), rows,    channels,    mean.data(), variance.data(),
                              kEpsilon,   nullptr, beta.data(), nullptr,     nullptr};
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(IsaName(isa), threads, rows, channels);
        args.relu = false;
        const std::vector<float> plain = Apply(args);
        args.relu = true;
        const std::vector<float> got = Apply(args);
        bool equal = true;
        for (size_t i = 0; i < got.size(); ++i)
          equal = equal && (std::isnan(src[i]) ? std::isnan(got[i]) : got[i] == std::max(plain[i], 0.0f));
        REQUIRE(equal);
      });
    }
  }
}

TEST_CASE("a factor of batch normalisation's backward data multiplies the result", "[kernels]") {
  const Case c{300, 20, 1};
  const Inputs in = MakeInputs(c);
  const std::vector<double> mean(c.channels, 1.25), variance(c.channels, 0.75);
  const std::vector<float> diff = Normals(c.channels, 5);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    std::vector<float> plain(in.src.size(), -9), scaled(in.src.size(), -9),
        scratch(BatchNormGradientLinesSize(c.channels));
    BatchNormBackwardDataArgs args{in.src.data(), in.diff_dst.data(), c.rows,       c.channels,
                                   mean.data(),   variance.data(),    kEpsilon,     in.gamma.data(),
                                   diff.data(),   in.beta.data(),     plain.data(), scratch.data()};
    BatchNormBackwardData(args);
    args.diff_src = scaled.data();
    args.factor = 0.25f;  // a power of two, so that both round alike
    BatchNormBackwardData(args);
    for (float& value : plain) value *= 0.25f;
    REQUIRE(scaled == plain);
  });
}

TEST_CASE("moments of many chunks are joined, and those of empty ones not read", "[kernels]") {
  for (const int64_t chunks : {1, 5, 128, 129, 300}) {
    for (const int64_t channels : {1, 3, 8, 19, 36, 70}) {
      // Integers, and powers of two as counts, so that all is exact; every third chunk is empty, but for the first.
      const auto rows = [](int64_t k) { return k > 0 && k % 3 == 0 ? int64_t{0} : int64_t{1} << k % 4; };
      std::vector<float> moments(3 * channels * chunks);
      for (int64_t k = 0; k < chunks; ++k)
        for (int64_t i = 0; i < 3 * channels; ++i)
          moments[3 * channels * k + i] = rows(k) == 0
                                              ? std::numeric_limits<float>::quiet_NaN()
                                              : static_cast<float>((k * 7 + i * 5) % 11 - (i < 2 * channels ? 5 : 0));
      std::vector<double> total(channels, 0), squares(channels, 0);
      double count = 0;
      const auto of = [&](int64_t k, int64_t what, int64_t c) {
        return double{moments[(3 * k + what) * channels + c]};
      };
      for (int64_t k = 0; k < chunks; ++k) {
        if (rows(k) == 0) continue;
        count += static_cast<double>(rows(k));
        for (int64_t c = 0; c < channels; ++c) total[c] += of(k, 0, c) * static_cast<double>(rows(k)) + of(k, 1, c);
      }
      for (int64_t k = 0; k < chunks; ++k) {
        const auto n = static_cast<double>(rows(k));
        for (int64_t c = 0; c < channels && n > 0; ++c)
          squares[c] += of(k, 2, c) + std::pow(of(k, 0, c) + of(k, 1, c) / n - total[c] / count, 2) * n;
      }
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(IsaName(isa), threads, chunks, channels);
        std::vector<double> mean(channels), variance(channels);
        JoinBatchNormMoments({moments.data(), chunks, channels, rows, mean.data(), variance.data()});
        for (int64_t c = 0; c < channels; ++c) {
          REQUIRE(mean[c] == total[c] / count);
          REQUIRE(std::abs(variance[c] - squares[c] / count) <= 1e-13 * (1 + squares[c] / count));
        }
      });
    }
  }
}

TEST_CASE("merged moments stand for those of their chunks", "[kernels]") {
  for (const int64_t channels : {1, 8, 19, 64}) {
    // The second of three chunks is empty: its moments are not read. Then one chunk more, as it is.
    constexpr int64_t kRows[] = {5, 0, 300, 13};
    const auto rows = [&](int64_t k) { return kRows[k]; };
    std::vector<float> moments = Normals(3 * channels * 4, 7);
    for (int64_t i = 0; i < 3 * channels; ++i) moments[3 * channels + i] = std::numeric_limits<float>::quiet_NaN();
    for (int64_t k = 0; k < 4; ++k)
      for (int64_t c = 0; c < channels; ++c) {
        moments[3 * channels * k + c] += 100;  // far from 0, and squares are positive
        moments[(3 * k + 2) * channels + c] = 1 + std::abs(moments[(3 * k + 2) * channels + c]);
      }
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads, channels);
      std::vector<float> merged(6 * channels);
      std::vector<double> mean(channels), variance(channels), all_mean(channels), all_variance(channels);
      MergeBatchNormMoments({moments.data(), 3, channels, rows, mean.data(), variance.data()}, merged.data());
      std::copy_n(moments.data() + 9 * channels, 3 * channels, merged.data() + 3 * channels);
      JoinBatchNormMoments({moments.data(), 4, channels, rows, all_mean.data(), all_variance.data()});
      JoinBatchNormMoments({merged.data(), 2, channels, [](int64_t k) { return k == 0 ? int64_t{305} : int64_t{13}; },
                            mean.data(), variance.data()});
      for (int64_t c = 0; c < channels; ++c) {
        REQUIRE(std::abs(mean[c] - all_mean[c]) <= 1e-12 * all_mean[c]);
        REQUIRE(std::abs(variance[c] - all_variance[c]) <= 1e-7 * all_variance[c]);
      }
    });
  }
}

TEST_CASE("sums of many chunks are finished with the mean's rounding put right", "[kernels]") {
  for (const int64_t channels : {1, 9, 64, 65, 150}) {
    const int64_t chunks = 37;
    const std::vector<float> partial = Normals(2 * chunks * channels, 5), rounded = Normals(channels, 6);
    std::vector<double> mean(channels), variance(channels);
    for (int64_t c = 0; c < channels; ++c)
      mean[c] = rounded[c] + 1e-3 * static_cast<double>(c % 7), variance[c] = 1 + c;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), threads, channels);
      std::vector<float> gamma(channels), beta(channels);
      FinishBatchNormSums({partial.data(), chunks, channels, mean.data(), rounded.data(), variance.data(), kEpsilon,
                           gamma.data(), beta.data()});
      for (int64_t c = 0; c < channels; ++c) {
        double product = 0, sum = 0;
        for (int64_t k = 0; k < chunks; ++k) product += partial[2 * k * channels + c];
        for (int64_t k = 0; k < chunks; ++k) sum += partial[(2 * k + 1) * channels + c];
        product += (rounded[c] - mean[c]) * sum;
        REQUIRE(gamma[c] == static_cast<float>(product * (1 / std::sqrt(variance[c] + kEpsilon))));
        REQUIRE(beta[c] == static_cast<float>(sum));
      }
    });
  }
}

TEST_CASE("running statistics take the unbiased variance", "[kernels]") {
  const double mean[] = {2, 4}, variance[] = {3, 6};
  float running_mean[] = {0, 8}, running_variance[] = {1, 1};
  UpdateRunningStatistics({mean, variance, 4, 2, 0.25f, running_mean, running_variance});
  CHECK(running_mean[0] == 0.5f);
  CHECK(running_mean[1] == 7.0f);
  CHECK(running_variance[0] == 0.75f + 0.25f * 4);
  CHECK(running_variance[1] == 0.75f + 0.25f * 8);
}

}  // namespace
}  // namespace pdarts::kernels
