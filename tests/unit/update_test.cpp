#include "kernels/update.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "support/kernel_cases.h"

namespace pdarts::kernels {
namespace {

using test::ForEachIsaAndThreads;

TEST_CASE("SGD with momentum, decay and clipping takes PyTorch's steps", "[kernels]") {
  // By hand, exact in binary: p = 4, g = 0.5 * 8 + 0.25 * 4 = 5, buffer 5, p = 4 - 0.125 * 5; then once more.
  ForEachIsaAndThreads([&](Isa isa, int threads) {
    for (const int64_t count : {1, 7, 16, 100, 20000}) {
      CAPTURE(IsaName(isa), threads, count);
      std::vector<float> params(count, 4), buffer(count, 0), grads(count, 8);
      const SgdArgs args{.params = params.data(),
                         .momentum_buffer = buffer.data(),
                         .grads = grads.data(),
                         .count = count,
                         .clip = 0.5f,
                         .learning_rate = 0.125f,
                         .momentum = 0.5f,
                         .weight_decay = 0.25f};
      SgdUpdate(args);
      REQUIRE(params == std::vector<float>(count, 3.375f));
      REQUIRE(buffer == std::vector<float>(count, 5));
      SgdUpdate(args);  // g = 4 + 0.84375, buffer = 2.5 + g
      REQUIRE(buffer == std::vector<float>(count, 7.34375f));
      REQUIRE(params == std::vector<float>(count, 3.375f - 0.125f * 7.34375f));
    }
  });
}

TEST_CASE("Adam corrects the bias of its moments", "[kernels]") {
  // With a constant gradient both corrected moments are g and g * g at every step, so each step is learning_rate *
  // sign(g).
  std::vector<float> params = {1, 1, 1}, first(3), second(3);
  const std::vector<float> grads = {0.5f, -2, 1e-3f};
  AdamArgs args{.params = params.data(),
                .first_moment = first.data(),
                .second_moment = second.data(),
                .grads = grads.data(),
                .count = 3,
                .step = 1,
                .learning_rate = 0.01,
                .beta1 = 0.5,
                .beta2 = 0.999};
  for (args.step = 1; args.step <= 10; ++args.step) AdamUpdate(args);
  CHECK(std::abs(params[0] - 0.9f) < 1e-5);
  CHECK(std::abs(params[1] - 1.1f) < 1e-5);
  CHECK(std::abs(params[2] - 0.9f) < 1e-5);
  CHECK(std::abs(first[0] - 0.5 * (1 - std::pow(0.5, 10))) < 1e-7);
  CHECK(std::abs(second[1] - 4 * (1 - std::pow(0.999, 10))) < 1e-7);
  params = {2, 0, 0}, first = {0, 0, 0}, second = {0, 0, 0};
  args.step = 1, args.weight_decay = 0.25, args.clip = 0, args.epsilon = 1.0;
  AdamUpdate(args);  // g = 0.25 * 2 = 0.5: p -= 0.01 * 0.5 / (0.5 + 1)
  CHECK(std::abs(params[0] - (2 - 0.01 / 3)) < 1e-6);
  CHECK(params[1] == 0);
}

TEST_CASE("cross entropy and its gradient agree with known values and with differences", "[kernels]") {
  const int64_t rows = 3, classes = 5;
  std::vector<float> logits = test::Normals(rows * classes, 9), losses(rows), diff(rows * classes);
  const int32_t labels[] = {4, 0, 2};
  const std::vector<float> zeros(classes, 0);
  float loss = 0;
  CHECK(std::abs(SoftmaxCrossEntropy({zeros.data(), labels, 1, classes, 0.1f}, &loss) - std::log(5.0)) < 1e-6);
  std::vector<float> large = {1000, 0, 0, 0, 0};
  const int32_t zero = 0;
  CHECK(SoftmaxCrossEntropy({large.data(), &zero, 1, classes, 0}, &loss) == 0);
  for (const float smoothing : {0.0f, 0.1f}) {
    const CrossEntropyArgs args{logits.data(), labels, rows, classes, smoothing};
    SoftmaxCrossEntropyBackward(args, 2, diff.data());
    for (int64_t i = 0; i < rows * classes; ++i) {
      const float before = logits[i];
      logits[i] = before + 0.01f;
      const double up = SoftmaxCrossEntropy(args, losses.data());
      logits[i] = before - 0.01f;
      const double down = SoftmaxCrossEntropy(args, losses.data());
      logits[i] = before;
      CHECK(std::abs(diff[i] - 2 * (up - down) / 0.02) < 1e-3);
    }
  }
}

TEST_CASE("softmax rows sum to one and its backward agrees with differences", "[kernels]") {
  const int64_t rows = 2, columns = 4;
  std::vector<float> src = test::Normals(rows * columns, 5), diff_dst = test::Normals(rows * columns, 6);
  std::vector<float> dst(src.size()), diff_src(src.size()), moved(src.size());
  Softmax(src.data(), dst.data(), rows, columns);
  for (int64_t r = 0; r < rows; ++r) {
    CHECK(std::abs(dst[r * 4] + dst[r * 4 + 1] + dst[r * 4 + 2] + dst[r * 4 + 3] - 1) < 1e-6);
  }
  SoftmaxBackward(dst.data(), diff_dst.data(), diff_src.data(), rows, columns);
  for (size_t i = 0; i < src.size(); ++i) {
    double slope = 0;
    for (const float step : {0.01f, -0.01f}) {
      std::vector<float> shifted = src;
      shifted[i] += step;
      Softmax(shifted.data(), moved.data(), rows, columns);
      for (size_t j = 0; j < src.size(); ++j) slope += moved[j] * diff_dst[j] / (2 * step);
    }
    CHECK(std::abs(diff_src[i] - slope) < 1e-3);
  }
}

}  // namespace
}  // namespace pdarts::kernels
