#include "kernels/layout.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;
using test::Integers;

TEST_CASE("concat puts channels side by side and slices take them apart again", "[kernels]") {
  const std::vector<int64_t> channels = {16, 3, 36, 8, 1, 12};
  const int64_t rows = 333, total = 76;
  std::vector<std::vector<float>> data;
  std::vector<const float*> srcs;
  for (const int64_t c : channels) data.push_back(Integers(rows * c, static_cast<uint32_t>(c), 1000));
  for (const auto& source : data) srcs.push_back(source.data());
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    std::vector<float> dst(rows * total, -1);
    ConcatChannels({srcs.data(), channels.data(), static_cast<int64_t>(channels.size()), rows, dst.data()});
    int64_t offset = 0;
    for (size_t i = 0; i < channels.size(); offset += channels[i++]) {
      std::vector<float> slice(rows * channels[i]);
      SliceChannels({dst.data(), total, offset, channels[i], rows, slice.data()});
      REQUIRE(slice == data[i]);
      for (int64_t r = 0; r < rows; ++r) REQUIRE(dst[r * total + offset] == data[i][r * channels[i]]);
    }
  });
}

TEST_CASE("subsampling picks every second pixel and its backward scatters among zeros", "[kernels]") {
  for (const int64_t c : {1, 4, 12, 16, 36}) {
    for (const int64_t size : {2, 7, 8, 33}) {
      for (const int64_t offset : {0, 1}) {
        const SubsampleParams p{.n = 2, .h = size, .w = size + 1, .c = c, .offset = offset};
        const std::vector<float> src = Integers(p.n * p.h * p.w * c, 1, 1000);
        std::vector<float> dst, back(src.size(), 0);
        for (int64_t i = 0; i < p.n * p.h * p.w; ++i) {
          if (i % p.w % 2 != offset || i / p.w % p.h % 2 != offset) continue;
          for (int64_t k = i * c; k < (i + 1) * c; ++k) dst.push_back(src[k]), back[k] = src[k];
        }
        REQUIRE(static_cast<int64_t>(dst.size()) == p.n * p.OutH() * p.OutW() * c);
        ForEachIsaAndThreads([&](Isa isa, int threads) {
          CAPTURE(c, size, offset, IsaName(isa), threads);
          std::vector<float> got(dst.size(), -1), got_back(src.size(), -1);
          Subsample(p, src.data(), got.data());
          REQUIRE(got == dst);
          SubsampleBackward(p, dst.data(), nullptr, got_back.data());
          REQUIRE(got_back == back);
          const std::vector<float> add = Integers(src.size(), 2, 1000);
          std::vector<float> sum = back, in_place = add;
          for (size_t i = 0; i < sum.size(); ++i) sum[i] += add[i];
          SubsampleBackward(p, dst.data(), add.data(), got_back.data());
          REQUIRE(got_back == sum);
          SubsampleBackward(p, dst.data(), in_place.data(), in_place.data());
          REQUIRE(in_place == sum);
        });
      }
    }
  }
}

TEST_CASE("transposing to channels last and back, copying and filling", "[kernels]") {
  const int64_t n = 3, c = 19, pixels = 35;
  const std::vector<float> src = Integers(n * c * pixels, 1, 1000);
  ForEachIsaAndThreads([&](Isa, int) {
    std::vector<float> nhwc(src.size()), back(src.size()), copy(src.size());
    NchwToNhwc(src.data(), n, c, pixels, nhwc.data());
    for (int64_t i = 0; i < n * c * pixels; ++i) {
      REQUIRE(nhwc[(i / (c * pixels) * pixels + i % pixels) * c + i / pixels % c] == src[i]);
    }
    NhwcToNchw(nhwc.data(), n, c, pixels, back.data());
    REQUIRE(back == src);
    Copy(src.data(), copy.data(), static_cast<int64_t>(src.size()));
    REQUIRE(copy == src);
    Fill(copy.data(), 3, static_cast<int64_t>(copy.size()));
    REQUIRE(copy == std::vector<float>(src.size(), 3));
  });
}

}  // namespace
}  // namespace pdarts::kernels
