#include "kernels/depthwise_window.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <utility>
#include <vector>

#include "support/depthwise_cases.h"
#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::DepthwiseInputs;
using test::DepthwiseResults;
using test::ForEachIsaAndThreads;
using test::MakeInputs;
using test::Naive;
using test::Padded;

std::vector<float> Forward(const DepthwiseParams& p, const DepthwiseInputs& in) {
  std::vector<float> scratch(WindowScratch(p), -12345), dst(p.n * p.OutH() * p.OutW() * p.c, -12345);
  WindowForward(p, {in.src.data(), in.weights.data(), dst.data(), scratch.data()});
  return dst;
}

std::vector<float> BackwardData(const DepthwiseParams& p, const DepthwiseInputs& in) {
  std::vector<float> scratch(WindowScratch(p), -12345), diff_src(p.n * p.h * p.w * p.c, -12345);
  WindowBackwardData(p, {in.diff_dst.data(), in.weights.data(), diff_src.data(), scratch.data()});
  return diff_src;
}

void CheckWindow(const DepthwiseParams& p) {
  const DepthwiseInputs in = MakeInputs(p);
  const DepthwiseResults expected = Naive(p, in);
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    CAPTURE(IsaName(isa), threads, p.h, p.w, p.c, p.kernel, p.stride, p.dilation);
    REQUIRE(Forward(p, in) == expected.dst);
    if (p.stride == 1) REQUIRE(BackwardData(p, in) == expected.diff_src);
  });
}

// Rows are worked on four, three, two and one at once, at the top, in the middle and at the bottom of an image.
TEST_CASE("windows hold at every height and width", "[kernels]") {
  for (int64_t height = 4; height <= 14; ++height) {
    for (const int64_t width : {4, 5, 7, 8, 13}) {
      for (const int64_t channels : {16, 20}) {
        for (const auto& [kernel, stride] : {std::array<int64_t, 2>{3, 1}, {3, 2}, {5, 1}, {5, 2}})
          CheckWindow(Padded(2, height, width, channels, kernel, stride, 1));
      }
    }
  }
}

TEST_CASE("windows hold at every height and width of what dilation leaves of an image", "[kernels]") {
  for (int64_t height = 6; height <= 19; ++height) {
    for (const int64_t width : {6, 7, 8, 9, 16, 19}) CheckWindow(Padded(2, height, width, 17, 5, 1, 2));
  }
}

TEST_CASE("windows hold for channels that are no whole vectors", "[kernels]") {
  for (int64_t channels = 16; channels <= 50; ++channels) {
    CheckWindow(Padded(1, 5, 6, channels, 5, 1, 1));
    CheckWindow(Padded(1, 5, 6, channels, 3, 2, 1));
  }
}

TEST_CASE("a 3x3 window takes images of one row and of two", "[kernels]") {
  for (const int64_t height : {1, 2, 3}) CheckWindow(Padded(3, height, 9, 16, 3, 1, 1));
}

TEST_CASE("windows give the same bits with one thread and with two", "[kernels]") {
  for (const auto& [kernel, stride, dilation] :
       {std::array<int64_t, 3>{3, 1, 1}, {3, 2, 1}, {5, 1, 1}, {5, 1, 2}, {5, 2, 1}}) {
    const DepthwiseParams p = Padded(7, 15, 14, 36, kernel, stride, dilation);
    const DepthwiseInputs in{test::Normals(p.n * p.h * p.w * p.c, 1), test::Normals(p.c * kernel * kernel, 2), {}};
    std::vector<float> first;
    ForEachIsaAndThreads([&](Isa isa, int threads) {
      CAPTURE(IsaName(isa), kernel, stride, dilation);
      if (threads == 1) {
        first = Forward(p, in);
      } else {
        REQUIRE(Forward(p, in) == first);
      }
    });
  }
}

// Which passes go by a window: all 5x5 of stride 1, those of stride 2 where a batch comes from memory, and of a 3x3 of
// stride 1 what the blocks of its own table do not fit.
TEST_CASE("windows are chosen by kind and size", "[kernels]") {
  const std::pair<DepthwiseParams, bool> kinds[] = {
      {Padded(1, 8, 8, 16, 5, 1, 1), true},     {Padded(1, 8, 8, 15, 5, 1, 1), false},
      {Padded(1, 6, 6, 16, 5, 1, 2), true},     {Padded(1, 5, 5, 16, 5, 1, 2), false},
      {Padded(96, 14, 14, 96, 3, 1, 1), true},  {Padded(96, 16, 16, 64, 3, 1, 1), false},
      {Padded(96, 16, 16, 64, 3, 2, 1), true},  {Padded(96, 8, 8, 64, 3, 2, 1), false},
      {Padded(96, 32, 32, 36, 5, 2, 1), true},  {Padded(96, 32, 32, 36, 3, 2, 1), false},
      {Padded(96, 32, 32, 36, 5, 2, 2), false}, {Padded(96, 32, 32, 36, 7, 1, 1), false}};
  for (const auto& [p, window] : kinds) {
    CAPTURE(p.h, p.w, p.c, p.kernel, p.stride, p.dilation);
    CHECK(IsWindow(p) == window);
  }
}

}  // namespace
}  // namespace pdarts::kernels
