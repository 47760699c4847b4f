#include "kernels/pool.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/simd/tables.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;
using test::Normals;

struct Outcome {
  std::vector<float> max, max_diff, average, average_diff;
  std::vector<uint8_t> taps;
  bool operator==(const Outcome&) const = default;
};

Outcome MakeOutcome(const PoolParams& p) {
  const int64_t in = p.n * p.h * p.w * p.c, out = p.n * p.OutH() * p.OutW() * p.c;
  return {std::vector<float>(out), std::vector<float>(in), std::vector<float>(out), std::vector<float>(in),
          std::vector<uint8_t>(out)};
}

// One window by definition, scattering its gradients.
void NaiveWindow(const PoolParams& p, const std::vector<float>& src, const std::vector<float>& diff, int64_t out,
                 Outcome* o) {
  const int64_t c = out % p.c, x = out / p.c % p.OutW(), y = out / p.c / p.OutW() % p.OutH();
  const int64_t image = out / p.c / p.OutW() / p.OutH();
  std::vector<int64_t> inside;
  float sum = 0;
  int64_t best = -1;
  for (int64_t tap = 0; tap < p.kernel * p.kernel; ++tap) {
    const int64_t row = y * p.stride - p.pad + tap / p.kernel, column = x * p.stride - p.pad + tap % p.kernel;
    if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
    const int64_t at = ((image * p.h + row) * p.w + column) * p.c + c;
    inside.push_back(at);
    sum += src[at];
    if (best < 0 || src[at] > src[best] || std::isnan(src[at])) best = at, o->taps[out] = static_cast<uint8_t>(tap);
  }
  const float count = static_cast<float>(inside.size());
  o->max[out] = src[best];
  o->max_diff[best] += diff[out];
  o->average[out] = sum / count;
  for (const int64_t at : inside) o->average_diff[at] += diff[out] / count;
}

void CheckExact(const PoolParams& p) {
  CAPTURE(p.n, p.h, p.w, p.c, p.kernel, p.stride, p.pad);
  Outcome expected = MakeOutcome(p);
  std::vector<float> src = Integers(p.n * p.h * p.w * p.c, 1),
                     diff = Integers(static_cast<int64_t>(expected.max.size()), 2);
  for (float& value : diff) value *= 1 * 4 * 9 * 25;  // every window size divides it: averages stay exact
  for (size_t out = 0; out < diff.size(); ++out) NaiveWindow(p, src, diff, static_cast<int64_t>(out), &expected);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    Outcome got = MakeOutcome(p);
    MaxPoolForward(p, src.data(), got.max.data(), got.taps.data());
    MaxPoolBackward(p, diff.data(), got.taps.data(), got.max_diff.data());
    AveragePoolForward(p, src.data(), got.average.data());
    AveragePoolBackward(p, diff.data(), got.average_diff.data());
    REQUIRE(got.max == expected.max);
    REQUIRE(got.taps == expected.taps);
    REQUIRE(got.max_diff == expected.max_diff);
    REQUIRE(got.average == expected.average);
    REQUIRE(got.average_diff == expected.average_diff);
    std::vector<float> no_workspace(got.max.size());
    MaxPoolForward(p, src.data(), no_workspace.data(), nullptr);
    REQUIRE(no_workspace == expected.max);
  });
}

TEST_CASE("pools equal their definition, ties going to the first", "[kernels]") {
  for (const int64_t channels : {1, 3, 4, 8, 12, 16, 36, 72}) {
    CheckExact({.n = 3, .h = 8, .w = 8, .c = channels, .kernel = 3, .stride = 1, .pad = 1});
    CheckExact({.n = 3, .h = 9, .w = 7, .c = channels, .kernel = 3, .stride = 2, .pad = 1});
    CheckExact({.n = 2, .h = 6, .w = 5, .c = channels, .kernel = 2, .stride = 2});
    CheckExact({.n = 2, .h = 8, .w = 8, .c = channels, .kernel = 5, .stride = 3});
    CheckExact({.n = 1, .h = 1, .w = 1, .c = channels, .kernel = 3, .stride = 1, .pad = 1});
    CheckExact({.n = 1, .h = 7, .w = 9, .c = channels, .kernel = 2, .stride = 3, .pad = 1});
  }
}

TEST_CASE("pools of any height and of narrow images equal their definition", "[kernels]") {
  for (const int64_t stride : {1, 2})
    for (const int64_t height : {1, 2, 3, 7, 10, 19})
      for (const int64_t width : {4, 5, 7, 8, 11})
        for (const int64_t channels : {3, 16, 20})
          CheckExact({.n = 2, .h = height, .w = width, .c = channels, .kernel = 3, .stride = stride, .pad = 1});
}

bool SameOrNan(const std::vector<float>& a, const std::vector<float>& b) {
  return std::ranges::equal(a, b, [](float x, float y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

// A whole channel of one image, and it alone: it goes by single pixels, where the others' blocks are.
std::vector<float> Channel(const std::vector<float>& all, int64_t channels, int64_t channel) {
  std::vector<float> one;
  for (int64_t at = channel; at < std::ssize(all); at += channels) one.push_back(all[at]);
  return one;
}

TEST_CASE("blocks and single pixels give the same bits", "[kernels]") {
  for (const int64_t stride : {1, 2}) {
    for (const int64_t side : {4, 7, 18}) {
      const PoolParams p{.n = 2, .h = side, .w = side, .c = 20, .kernel = 3, .stride = stride, .pad = 1};
      PoolParams alone = p;
      alone.c = 1;
      const std::vector<float> src = Normals(p.n * p.h * p.w * p.c, 1);
      ForEachIsaAndThreads([&](Isa isa, int threads) {
        CAPTURE(stride, side, IsaName(isa), threads);
        std::vector<float> dst(p.n * p.OutH() * p.OutW() * p.c);
        AveragePoolForward(p, src.data(), dst.data());
        for (int64_t c = 0; c < p.c; ++c) {
          std::vector<float> one(dst.size() / p.c);
          AveragePoolForward(alone, Channel(src, p.c, c).data(), one.data());
          REQUIRE(one == Channel(dst, p.c, c));
        }
      });
    }
  }
}

// Where all are equal, and one is not.
TEST_CASE("ties, infinities and a NaN in any row of a block", "[kernels]") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t stride : {1, 2}) {
    const PoolParams p{.n = 1, .h = 11, .w = 9, .c = 20, .kernel = 3, .stride = stride, .pad = 1};
    for (const float common : {0.0f, 2.0f, -infinity, nan})
      for (const float other : {common, infinity, -infinity, nan, 3.0f})
        for (int64_t y = 0; y < p.h; ++y) {
          std::vector<float> src(p.h * p.w * p.c, common);
          src[(y * p.w + y * 4 % p.w) * p.c + y] = src[(y * p.w + 1) * p.c + 17] = other;
          Outcome expected = MakeOutcome(p);
          const std::vector<float> diff(expected.max.size());
          for (size_t out = 0; out < diff.size(); ++out)
            NaiveWindow(p, src, diff, static_cast<int64_t>(out), &expected);
          test::ForEachIsa([&](Isa isa) {
            CAPTURE(stride, common, other, y, IsaName(isa));
            Outcome got = MakeOutcome(p);
            MaxPoolForward(p, src.data(), got.max.data(), got.taps.data());
            AveragePoolForward(p, src.data(), got.average.data());
            REQUIRE(SameOrNan(got.max, expected.max));
            REQUIRE(got.taps == expected.taps);
            REQUIRE(std::ranges::equal(got.average, expected.average, [](float a, float b) {
              return std::isfinite(a) && std::isfinite(b) ? std::abs(a - b) < 1e-6f
                                                          : std::isfinite(a) == std::isfinite(b);
            }));
          });
        }
  }
}

// In bands of `size` rows; what is written meanwhile goes from `from` to `to`, some more of it with each band.
Outcome ByBands(const PoolParams& p, const std::vector<float>& src, int64_t size, const float* from, float* to,
                int64_t count) {
  const MaxPoolTable& max = PD_KERNEL_TABLE(kMaxPool);
  const AveragePoolTable& average = PD_KERNEL_TABLE(kAveragePool);
  PoolRow rows{.height = p.h,
               .width = p.w,
               .out_height = p.OutH(),
               .out_width = p.OutW(),
               .channels = p.c,
               .kernel = p.kernel,
               .stride = p.stride,
               .pad = p.pad,
               .y = 0,
               .end = 0};
  Outcome o = MakeOutcome(p);
  int64_t done = 0;
  const auto more = [&](int64_t floats) {
    const StreamRange range{from + done, to + done, std::min(count - done, floats)};
    done += range.count;
    return range;
  };
  for (rows.y = 0; rows.y < p.OutH(); rows.y = rows.end) {
    rows.end = std::min(p.OutH(), rows.y + size);
    max.rows(rows, src.data(), o.max.data(), o.taps.data(), more(16 * (1 + rows.y)));
    average.rows(rows, src.data(), o.average.data(), more(rows.end < p.OutH() ? 16 * 9 : count));
  }
  return o;
}

TEST_CASE("a pool's rows do not depend on where bands begin, and what is written meanwhile arrives", "[kernels]") {
  for (const int64_t stride : {1, 2})
    for (const int64_t height : {1, 2, 9, 20})
      for (const int64_t channels : {3, 20, 32}) {
        const PoolParams p{.n = 1, .h = height, .w = 9, .c = channels, .kernel = 3, .stride = stride, .pad = 1};
        const std::vector<float> src = Normals(p.h * p.w * p.c, 1), from = Normals(16 * 100, 2);
        test::ForEachIsa([&](Isa isa) {
          CAPTURE(stride, height, channels, IsaName(isa));
          Outcome whole = MakeOutcome(p);
          MaxPoolForward(p, src.data(), whole.max.data(), whole.taps.data());
          AveragePoolForward(p, src.data(), whole.average.data());
          for (const int64_t size : {1, 2, 3, 5, 9, 20}) {
            alignas(64) float to[16 * 100] = {};
            REQUIRE(ByBands(p, src, size, from.data(), to, std::ssize(from)) == whole);
            REQUIRE(std::ranges::equal(from, to));
          }
        });
      }
}

// Of one pixel that is not 0, windows at a corner, an edge and inside are its value over 4, 6 and 9.
TEST_CASE("averages are rounded as divisions are", "[kernels]") {
  const PoolParams p{.n = 1, .h = 8, .w = 8, .c = 4096, .kernel = 3, .stride = 1, .pad = 1};
  const std::vector<float> values = test::Normals(p.c, 5);
  std::vector<float> src(p.h * p.w * p.c), dst(src.size());
  std::copy(values.begin(), values.end(), src.begin() + (p.w + 1) * p.c);  // row 1, column 1
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    AveragePoolForward(p, src.data(), dst.data());
    for (int64_t y = 0; y < 3; ++y)
      for (int64_t x = 0; x < 3; ++x) {
        const float count = static_cast<float>((y == 0 ? 2 : 3) * (x == 0 ? 2 : 3));
        std::vector<float> expected = values;
        for (float& value : expected) value /= count;
        const auto at = dst.begin() + (y * p.w + x) * p.c;
        REQUIRE(std::vector<float>(at, at + p.c) == expected);
      }
  });
}

TEST_CASE("a NaN wins a max pool and the last NaN gets the gradient", "[kernels]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), low = -std::numeric_limits<float>::infinity();
  for (const int64_t channels : {2, 24}) {
    ForEachIsaAndThreads([&](Isa isa, int) {
      CAPTURE(IsaName(isa), channels);
      const PoolParams p{.n = 2, .h = 2, .w = 2, .c = channels, .kernel = 2, .stride = 2};
      std::vector<float> src(8 * channels, low), dst(2 * channels);
      std::vector<uint8_t> taps(2 * channels);
      for (int64_t c = 0; c < channels; ++c) src[channels + c] = src[2 * channels + c] = nan, src[3 * channels + c] = 5;
      MaxPoolForward(p, src.data(), dst.data(), taps.data());
      for (int64_t c = 0; c < channels; ++c) {
        REQUIRE(std::isnan(dst[c]));
        REQUIRE(taps[c] == 2);
        REQUIRE(dst[channels + c] == low);  // a window of -inf: its first tap
        REQUIRE(taps[channels + c] == 0);
      }
    });
  }
}

TEST_CASE("the global average is the mean over pixels", "[kernels]") {
  for (const int64_t channels : {3, 8, 12, 72}) {
    const int64_t n = 3, pixels = 49;
    const std::vector<float> src = Integers(n * pixels * channels, 1), diff = Integers(n * channels, 2);
    std::vector<float> dst(n * channels), diff_src(src.size());
    for (int64_t i = 0; i < n * pixels * channels; ++i)
      dst[i / (pixels * channels) * channels + i % channels] += src[i];
    for (float& value : dst) value /= pixels;
    for (int64_t i = 0; i < n * pixels * channels; ++i) {
      diff_src[i] = diff[i / (pixels * channels) * channels + i % channels] / pixels;
    }
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(channels, IsaName(isa), threads);
      std::vector<float> got(dst.size()), got_diff(src.size());
      GlobalAveragePoolForward(src.data(), n, pixels, channels, got.data());
      GlobalAveragePoolBackward(diff.data(), n, pixels, channels, got_diff.data());
      REQUIRE(got == dst);
      REQUIRE(got_diff == diff_src);
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
