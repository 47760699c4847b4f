#include "kernels/depthwise.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/depthwise_window.h"
#include "support/depthwise_cases.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::DepthwiseInputs;
using test::DepthwiseResults;
using test::ForEachIsaAndThreads;
using test::Integers;
using test::MakeInputs;
using test::Naive;
using test::Padded;

DepthwiseResults Run(const DepthwiseParams& p, const DepthwiseInputs& in) {
  const float dirty = -12345;
  DepthwiseResults out{std::vector<float>(in.diff_dst.size(), dirty), std::vector<float>(in.src.size(), dirty),
                       std::vector<float>(in.weights.size(), dirty)};
  std::vector<float> scratch(DepthwiseScratch(p), dirty), weights_scratch(DepthwiseWeightsScratch(p), dirty);
  DepthwiseForward(
      p, {.src = in.src.data(), .weights = in.weights.data(), .dst = out.dst.data(), .scratch = scratch.data()});
  DepthwiseBackwardData(p, {.diff_dst = in.diff_dst.data(),
                            .weights = in.weights.data(),
                            .diff_src = out.diff_src.data(),
                            .scratch = scratch.data()});
  DepthwiseBackwardWeights(p, {.src = in.src.data(),
                               .diff_dst = in.diff_dst.data(),
                               .diff_weights = out.diff_weights.data(),
                               .scratch = weights_scratch.data()});
  return out;
}

void CheckExact(const DepthwiseParams& p) {
  CAPTURE(p.n, p.h, p.w, p.c, p.kernel, p.stride, p.dilation, p.pad);
  const DepthwiseInputs inputs = MakeInputs(p);
  const DepthwiseResults expected = Naive(p, inputs);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads);
    const DepthwiseResults got = Run(p, inputs);
    REQUIRE(got.dst == expected.dst);
    REQUIRE(got.diff_src == expected.diff_src);
    REQUIRE(got.diff_weights == expected.diff_weights);
  });
}

TEST_CASE("depthwise passes equal their definition for every kernel, stride, dilation and channel count", "[kernels]") {
  for (const int64_t channels : {1, 3, 4, 8, 12, 16, 24, 32, 36, 72}) {
    for (const int64_t kernel : {3, 5, 7}) {
      for (const int64_t stride : {1, 2}) {
        for (const int64_t dilation : {1, 2}) {
          CheckExact({.n = 3,
                      .h = 9,
                      .w = 11,
                      .c = channels,
                      .kernel = kernel,
                      .stride = stride,
                      .dilation = dilation,
                      .pad = dilation * (kernel / 2)});
        }
      }
    }
  }
}

TEST_CASE("depthwise passes hold at every width, and with any padding", "[kernels]") {
  for (int64_t width = 1; width <= 34; ++width) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t channels : {8, 12, 16, 32}) {
        CheckExact({.n = 2, .h = 4, .w = width, .c = channels, .kernel = 3, .stride = stride, .pad = 1});
        CheckExact({.n = 1, .h = 8, .w = width, .c = channels, .kernel = 5, .stride = stride, .dilation = 2, .pad = 4});
      }
    }
  }
  for (const int64_t pad : {0, 1, 3, 6}) {
    CheckExact({.n = 2, .h = 6, .w = 7, .c = 16, .kernel = 5, .pad = pad});
    CheckExact({.n = 2, .h = 6, .w = 7, .c = 16, .kernel = 5, .stride = 2, .pad = pad});
  }
}

TEST_CASE("depthwise passes hold where an image is several bands of rows, and a row several blocks", "[kernels]") {
  for (const int64_t channels : {16, 36, 61}) {
    for (const int64_t kernel : {3, 5, 7}) {
      for (const int64_t dilation : {1, 2}) {
        CheckExact({.n = 1,
                    .h = 13,
                    .w = 27,
                    .c = channels,
                    .kernel = kernel,
                    .dilation = dilation,
                    .pad = dilation * (kernel / 2)});
      }
    }
  }
}

TEST_CASE("3x3 depthwise passes hold where rows are so long that they are worked on in pieces", "[kernels]") {
  for (int64_t width = 16; width <= 34; ++width) {
    for (const int64_t dilation : {1, 2})
      CheckExact({.n = 1, .h = 7, .w = width, .c = 68, .kernel = 3, .dilation = dilation, .pad = dilation});
  }
}

TEST_CASE("3x3 depthwise passes hold where a batch is so large that rows are worked on one by one", "[kernels]") {
  for (const int64_t dilation : {1, 2})
    CheckExact({.n = 3, .h = 37, .w = 97, .c = 49, .kernel = 3, .dilation = dilation, .pad = dilation});
  // Rows of one block, and of 35 rows two threads begin at an even one and at an odd one.
  for (const auto& [width, channels, dilation] : {std::tuple{4, 1256, 1}, {8, 632, 1}, {8, 632, 2}, {15, 337, 2}}) {
    const DepthwiseParams p = Padded(3, 35, width, channels, 3, 1, dilation);
    REQUIRE(IsFar(p));
    CheckExact(p);
  }
}

TEST_CASE("depthwise passes of stride 2 hold where a batch comes from beyond the second caches", "[kernels]") {
  for (const int64_t kernel : {3, 5}) {
    for (const int64_t width : {15, 16}) {
      const DepthwiseParams p = Padded(66, 13, width, 64, kernel, 2, 1);
      REQUIRE(IsFarOfStride2(p));
      CheckExact(p);
    }
  }
}

TEST_CASE("depthwise passes take kernels, strides and dilations without a fast path", "[kernels]") {
  for (const int64_t channels : {2, 20}) {
    CheckExact({.n = 2, .h = 7, .w = 6, .c = channels, .kernel = 1});
    CheckExact({.n = 2, .h = 11, .w = 10, .c = channels, .kernel = 9, .pad = 4});
    CheckExact({.n = 2, .h = 9, .w = 10, .c = channels, .kernel = 3, .stride = 3, .dilation = 2, .pad = 2});
    CheckExact({.n = 2, .h = 9, .w = 10, .c = channels, .kernel = 3, .stride = 2, .dilation = 3, .pad = 3});
    CheckExact({.n = 1, .h = 12, .w = 13, .c = channels, .kernel = 5, .stride = 4, .pad = 2});
  }
}

TEST_CASE("depthwise passes take any padding with any kernel, and images smaller than its reach", "[kernels]") {
  for (const int64_t channels : {5, 16, 36, 48}) {
    for (const int64_t kernel : {3, 5, 7}) {
      for (const int64_t dilation : {1, 2}) {
        for (const int64_t pad : {0, 2, 3, 6}) {
          const int64_t reach = dilation * (kernel - 1) + 1;
          for (const int64_t side : {std::max<int64_t>(1, reach - 2 * pad), reach + 4})
            CheckExact(
                {.n = 1, .h = side, .w = side + 5, .c = channels, .kernel = kernel, .dilation = dilation, .pad = pad});
        }
      }
    }
  }
}

// As long as the line of zeros that stands for a row outside the image, and longer.
TEST_CASE("depthwise weights' gradients of no image are zero", "[kernels]") {
  const DepthwiseParams p{.n = 0, .h = 8, .w = 8, .c = 20, .kernel = 3, .pad = 1};
  const std::vector<float> gradient = Run(p, MakeInputs(p)).diff_weights;
  CHECK(gradient == std::vector<float>(9 * 20, 0.0f));
}

TEST_CASE("depthwise passes take rows of any length", "[kernels]") {
  for (const int64_t width : {1 << 14, (1 << 14) + 1})
    CheckExact({.n = 1, .h = 2, .w = width, .c = 16, .kernel = 3, .pad = 1});
}

TEST_CASE("3x3 depthwise passes hold at every width and height around their blocks", "[kernels]") {
  for (const int64_t channels : {15, 16, 17, 40, 64}) {
    for (const int64_t height : {4, 5, 6, 7, 8, 11}) {
      for (const int64_t width : {7, 8, 9, 10, 15, 16, 17, 25})
        CheckExact({.n = 2, .h = height, .w = width, .c = channels, .kernel = 3, .pad = 1});
    }
  }
}

TEST_CASE("dilated and strided 3x3 depthwise passes hold at every width and height around their blocks", "[kernels]") {
  for (const int64_t channels : {16, 20, 36, 64}) {
    for (const int64_t height : {3, 4, 5, 7, 8, 9, 10, 14, 17, 19}) {
      for (const int64_t width : {3, 4, 6, 7, 8, 9, 11, 14, 15, 16, 17, 18, 31, 33, 36}) {
        CheckExact({.n = 1, .h = height, .w = width, .c = channels, .kernel = 3, .dilation = 2, .pad = 2});
        CheckExact({.n = 1, .h = height, .w = width, .c = channels, .kernel = 3, .stride = 2, .pad = 1});
      }
    }
  }
}

// Of two images: rows of one, whole images, and what ends inside the second.
constexpr std::pair<int64_t, int64_t> kRowBands[] = {{0, 1}, {1, 3}, {2, 9}, {3, 11}, {5, 16}, {0, 16}, {8, 15}};

// Every band of diff_src's rows, added to and masked or not, with a copy or without.
void CheckGradientRows(const DepthwiseParams& p, std::span<const std::pair<int64_t, int64_t>> bands) {
  const DepthwiseInputs in = MakeInputs(p);
  const std::vector<float> add = Integers(p.n * p.h * p.w * p.c, 4), diff_src = Naive(p, in).diff_src;
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads, p.h, p.w, p.c, p.kernel, p.stride, p.dilation);
    std::vector<float> arranged(DepthwiseTaps(p));
    ArrangeForBackward(p, in.weights.data(), arranged.data());
    for (const auto& [first, end] : bands) {
      for (const int choice : {0, 1, 2, 3, 7}) {
        const bool added = choice & 1, masked = choice & 2, copied = choice & 4;
        std::vector<float> got(diff_src.size(), -1), expected = got, copy = got;
        DepthwiseBackwardDataRows(
            p, {in.diff_dst.data(), arranged.data(), added ? add.data() : nullptr, masked ? in.src.data() : nullptr,
                got.data(), first, end, copied ? copy.data() : nullptr});
        for (int64_t i = first * p.w * p.c; i < end * p.w * p.c; ++i)
          expected[i] = masked && in.src[i] <= 0 ? 0 : diff_src[i] + (added ? add[i] : 0);
        REQUIRE(got == expected);
        if (copied) REQUIRE(copy == expected);
      }
    }
  });
}

TEST_CASE("depthwise gradients of some rows are added and masked", "[kernels]") {
  for (const int64_t channels : {3, 16, 36, 64}) {
    for (const auto& [kernel, stride] : {std::pair<int64_t, int64_t>{3, 1}, {3, 2}, {5, 1}, {5, 2}})
      CheckGradientRows(Padded(2, 8, 17, channels, kernel, stride, 1), kRowBands);
    CheckGradientRows(Padded(2, 8, 17, channels, 3, 1, 2), kRowBands);
  }
}

TEST_CASE("depthwise rows equal their definition", "[kernels]") {
  for (const int64_t channels : {3, 16, 36}) {
    for (const auto& [kernel, stride, dilation] :
         {std::array<int64_t, 3>{3, 1, 1}, {3, 1, 2}, {3, 2, 1}, {5, 1, 1}, {5, 1, 2}, {5, 2, 1}, {5, 2, 2}}) {
      const DepthwiseParams p = Padded(2, 9, 18, channels, kernel, stride, dilation);
      const DepthwiseInputs in = MakeInputs(p);
      const std::vector<float> expected = Naive(p, in).dst;
      ForEachIsaAndThreads([&](Isa isa, int) {
        CAPTURE(IsaName(isa), channels, kernel, stride, dilation);
        std::vector<float> arranged(DepthwiseTaps(p)), got(expected.size(), -1);
        ArrangeForForward(p, in.weights.data(), arranged.data());
        DepthwiseForwardRows(p, {in.src.data(), arranged.data(), got.data(), 0, p.n * p.OutH()});
        REQUIRE(got == expected);
      });
    }
  }
}

// All bands of the rows of two images.
std::vector<std::pair<int64_t, int64_t>> AllBands(int64_t rows) {
  std::vector<std::pair<int64_t, int64_t>> bands;
  for (int64_t first = 0; first < rows; ++first)
    for (int64_t end = first + 1; end <= rows; ++end) bands.emplace_back(first, end);
  return bands;
}

TEST_CASE("dilated and strided 3x3 depthwise gradients begin and end at any row", "[kernels]") {
  for (const int64_t height : {4, 9}) {
    for (const auto& [stride, dilation] : {std::pair<int64_t, int64_t>{2, 1}, {1, 2}})
      CheckGradientRows(Padded(2, height * dilation, 9, 20, 3, stride, dilation), AllBands(2 * height * dilation));
  }
}

int64_t Blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

// At least so many pieces of other work come between a 3x3's blocks: one for a vector of at most sixteen floats, of 32
// pixels or fewer.
int64_t LeastPieces(const DepthwiseParams& p, int64_t rows, int64_t width) {
  return Blocks(rows * width, 32) * Blocks(p.c, 16);
}

constexpr std::pair<int64_t, int64_t> kKinds[] = {{1, 1}, {1, 2}, {2, 1}};  // stride, dilation

// So a backward pass may compute in other bands what a forward pass has computed.
TEST_CASE("depthwise rows have the same bits in any band, with a piece of other work for each", "[kernels]") {
  for (const int64_t channels : {12, 16, 40}) {
    for (const auto& [stride, dilation] : kKinds) {
      const DepthwiseParams p = Padded(2, 9, 11, channels, 3, stride, dilation);
      const int64_t row = p.OutW() * p.c, rows = p.n * p.OutH();
      const DepthwiseInputs in{test::Normals(p.n * p.h * p.w * p.c, 1), test::Normals(p.c * 9, 2), {}};
      ForEachIsaAndThreads([&](Isa isa, int) {
        CAPTURE(IsaName(isa), channels, stride, dilation);
        std::vector<float> arranged(DepthwiseTaps(p)), whole(rows * row);
        ArrangeForForward(p, in.weights.data(), arranged.data());
        DepthwiseForwardRows(p, {in.src.data(), arranged.data(), whole.data(), 0, rows});
        for (const auto& [first, end] : AllBands(rows)) {
          int64_t pieces = 0;
          const Between between{[](void* count) { ++*static_cast<int64_t*>(count); }, &pieces};
          std::vector<float> band((end - first) * row);
          DepthwiseForwardRows(p, {in.src.data(), arranged.data(), band.data(), first, end, &between});
          REQUIRE(std::equal(band.begin(), band.end(), whole.begin() + first * row));
          // After each row, or after each block.
          if (channels < 16 || stride == 2) REQUIRE(pieces == end - first);
          if (channels >= 16 && stride == 1) REQUIRE(pieces >= LeastPieces(p, end - first, p.OutW()));
        }
      });
    }
  }
}

TEST_CASE("depthwise gradients have the same bits in any band, with a piece of other work for each", "[kernels]") {
  for (const auto& [stride, dilation] : kKinds) {
    const DepthwiseParams p = Padded(2, 9, 35, 40, 3, stride, dilation);
    const int64_t row = p.w * p.c, rows = p.n * p.h;
    const std::vector<float> diff_dst = test::Normals(p.n * p.OutH() * p.OutW() * p.c, 1),
                             weights = test::Normals(p.c * 9, 2), add = test::Normals(rows * row, 3);
    ForEachIsaAndThreads([&](Isa isa, int) {
      CAPTURE(IsaName(isa), stride, dilation);
      std::vector<float> arranged(DepthwiseTaps(p)), whole(rows * row), band(rows * row);
      ArrangeForBackward(p, weights.data(), arranged.data());
      DepthwiseBackwardDataRows(p, {diff_dst.data(), arranged.data(), add.data(), nullptr, whole.data(), 0, rows});
      for (const auto& [first, end] : AllBands(rows)) {
        int64_t pieces = 0;
        const Between between{[](void* count) { ++*static_cast<int64_t*>(count); }, &pieces};
        DepthwiseBackwardDataRows(
            p, {diff_dst.data(), arranged.data(), add.data(), nullptr, band.data(), first, end, nullptr, &between});
        REQUIRE(std::equal(whole.begin() + first * row, whole.begin() + end * row, band.begin() + first * row));
        REQUIRE(pieces >= LeastPieces(p, end - first, p.w));
      }
    });
  }
}

TEST_CASE("depthwise passes give the same bits with one thread and with two", "[kernels]") {
  for (const DepthwiseParams& p :
       {DepthwiseParams{.n = 5, .h = 16, .w = 16, .c = 36, .kernel = 5, .dilation = 2, .pad = 4},
        DepthwiseParams{.n = 11, .h = 14, .w = 14, .c = 36, .kernel = 3, .pad = 1},
        DepthwiseParams{.n = 19, .h = 14, .w = 15, .c = 36, .kernel = 3, .dilation = 2, .pad = 2},
        DepthwiseParams{.n = 37, .h = 15, .w = 14, .c = 36, .kernel = 3, .stride = 2, .pad = 1}}) {
    DepthwiseInputs inputs{test::Normals(p.n * p.h * p.w * p.c, 1), test::Normals(p.c * p.kernel * p.kernel, 2),
                           test::Normals(p.n * p.OutH() * p.OutW() * p.c, 3)};
    DepthwiseResults first;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), p.kernel);
      if (threads == 1) {
        first = Run(p, inputs);
      } else {
        REQUIRE(Run(p, inputs) == first);
      }
    });
  }
}

}  // namespace
}  // namespace pdarts::kernels
