// Times each kernel against copying the bytes it reads and writes: kernels_bench [ISA] [THREADS] [RUNS] [KERNELS], the
// least of about RUNS each, ten at least; KERNELS: only those whose name holds this. Not a test: numbers for
// src/kernels/README.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "kernels/batch_norm.h"
#include "kernels/depthwise.h"
#include "kernels/dropout.h"
#include "kernels/elementwise.h"
#include "kernels/isa.h"
#include "kernels/layout.h"
#include "kernels/normalized_sum.h"
#include "kernels/path_sum.h"
#include "kernels/pointwise.h"
#include "kernels/pool.h"
#include "kernels/pool_norm.h"
#include "kernels/separable.h"

namespace {

using namespace pdarts;

int runs = 100;
std::string kernels_named;

double Milliseconds(const std::function<void()>& work, int times = runs) {
  double best = 1e30;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// Floats that begin a cache line, as in a plan.
class Floats {
 public:
  void assign(int64_t count, float value) {
    data_.reset(static_cast<float*>(::operator new[](static_cast<size_t>(count) * sizeof(float), kLine)));
    std::fill_n(data_.get(), count, value);
  }
  float* data() { return data_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(float* p) const { ::operator delete[](p, kLine); }
  };
  std::unique_ptr<float[], Free> data_;
};

// The first cache line's beginning in a block that is a line larger than needed.
std::byte* Aligned(std::vector<std::byte>& block) {
  return block.data() + (64 - reinterpret_cast<uintptr_t>(block.data()) % 64) % 64;
}

class Bench {
 public:
  Bench(int64_t n, int64_t side, int64_t c) : n_(n), side_(side), c_(c), count_(n * side * side * c) {
    for (auto* buffer : {&a_, &b_, &d_, &scratch_}) buffer->assign(count_, 0.5f);
    small_.assign(64 * c_, 0.25f);
    taps_.assign(count_, 0);
    const double copying = Milliseconds([&] { kernels::Copy(a_.data(), b_.data(), count_); });
    fmt::print("\n{}x{}x{}x{}: copying {:.1f} MB takes {:.3f} ms, {:.1f} GB/s\n", n, side, side, c, count_ * 4e-6,
               copying, count_ * 8e-6 / copying);
  }

  void All() {
    for (const int64_t kernel : {3, 5, 7}) Depthwise(kernel, 1, 1);
    for (const int64_t kernel : {3, 5, 7}) Depthwise(kernel, 2, 1);
    for (const int64_t kernel : {3, 5}) Depthwise(kernel, 1, 2);
    Pointwise();
    for (const std::vector<int64_t>& kernels : {std::vector<int64_t>{1}, {3}, {5}, {3, 5, 3, 5}}) Separables(kernels);
    Elementwise();
    Norms();
    for (const int64_t terms : {5, 14}) Sums(terms);
    Paths();
    Pools();
    for (const int64_t diffs : {2, 4}) PoolNorms(diffs);
  }

 private:
  static constexpr int kTurns = 10;

  // `tensors`: how many tensors of this size are read or written. Compared with copying as many bytes, some runs of
  // each in turn, as the machine's speed changes; of more than two tensors, with so many times as long as copying one
  // takes.
  void Line(const std::string& name, double tensors, const std::function<void()>& work) {
    if (name.find(kernels_named) == std::string::npos) return;
    const auto copied = static_cast<int64_t>(std::min(1.0, tensors / 2) * static_cast<double>(count_));
    double time = 1e30, copying = 1e30;
    for (int i = 0; i < kTurns; ++i) {
      copying = std::min(
          copying, Milliseconds([&] { kernels::Copy(a_.data(), b_.data(), copied); }, std::max(1, runs / kTurns)));
      time = std::min(time, Milliseconds(work, std::max(1, runs / kTurns)));
    }
    fmt::print("  {:<28} {:8.3f} ms  {:6.1f} GB/s  {:5.2f} of copying\n", name, time, tensors * count_ * 4e-6 / time,
               time / (copying * std::max(1.0, tensors / 2)));
  }

  void Depthwise(int64_t kernel, int64_t stride, int64_t dilation) {
    const kernels::DepthwiseParams p{.n = n_,
                                     .h = side_,
                                     .w = side_,
                                     .c = c_,
                                     .kernel = kernel,
                                     .stride = stride,
                                     .dilation = dilation,
                                     .pad = dilation * (kernel / 2)};
    std::vector<float> scratch(kernels::DepthwiseWeightsScratch(p));
    const std::string name = fmt::format("dw {0}x{0} stride {1} dil {2}", kernel, stride, dilation);
    const double out = 1.0 / static_cast<double>(stride * stride);
    Line(name + " fwd", 1 + out, [&] {
      kernels::DepthwiseForward(p, {a_.data(), small_.data(), b_.data(), scratch.data()});
    });
    Line(name + " bwd data", 1 + out, [&] {
      kernels::DepthwiseBackwardData(p, {b_.data(), small_.data(), d_.data(), scratch.data()});
    });
    Line(name + " bwd wei", 1 + out, [&] {
      kernels::DepthwiseBackwardWeights(p, {a_.data(), b_.data(), small_.data(), scratch.data()});
    });
  }

  void Pointwise() {
    const kernels::PointwiseParams p{.pixels = n_ * side_ * side_, .in = c_, .out = c_};
    std::vector<float> weights(c_ * c_, 0.25f),
        scratch(std::max(kernels::PointwiseScratch(p), kernels::PointwiseWeightsScratch(p)));
    const double flops = 2e-6 * static_cast<double>(p.pixels * p.in * p.out);
    const auto line = [&](const std::string& name, const std::function<void()>& work) {
      if (name.find(kernels_named) == std::string::npos) return;
      const double time = Milliseconds(work);
      fmt::print("  {:<28} {:8.3f} ms  {:6.1f} GFLOP/s\n", name, time, flops / time);
    };
    line("1x1 fwd", [&] { kernels::PointwiseForward(p, {a_.data(), weights.data(), b_.data(), scratch.data()}); });
    line("1x1 bwd data", [&] {
      kernels::PointwiseBackwardData(p, {b_.data(), weights.data(), d_.data(), scratch.data()});
    });
    line("1x1 bwd wei", [&] {
      kernels::PointwiseBackwardWeights(p, {a_.data(), b_.data(), weights.data(), scratch.data()});
    });
  }

  // Branches of one src with these windows, 1 being a 1x1 alone, each with a dst and a gradient of its own.
  void Separables(const std::vector<int64_t>& windows) {
    const int lanes = base::Threads();
    const kernels::SeparableSource source{n_, side_, side_, c_, true, lanes, 1e-5f};
    std::vector<kernels::SeparableBranch> branches;
    std::vector<kernels::SeparableForwardBranch> forward;
    std::vector<kernels::SeparableBackwardBranch> backward;
    std::vector<Floats> dst(windows.size()), diff(windows.size());
    const std::vector<float> weights(c_ * c_, 0.25f), sums(c_, 0.5f);
    std::vector<float> diff_weights(c_ * c_), diff_taps(c_ * 64);
    std::vector<double> mean(c_, 0.25), variance(c_, 1), batch_mean(c_), batch_variance(c_);
    for (size_t i = 0; i < windows.size(); ++i) {
      const int64_t k = windows[i];
      for (Floats* buffer : {&dst[i], &diff[i]}) buffer->assign(count_, 0.5f);
      branches.push_back(
          {{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = k, .stride = 1, .dilation = 1, .pad = k / 2},
           c_,
           k == 1});
      const float* taps = k == 1 ? nullptr : small_.data();
      forward.push_back({taps, weights.data(), dst[i].data(), batch_mean.data(), batch_variance.data()});
      backward.push_back({taps, weights.data(), dst[i].data(), mean.data(), variance.data(), nullptr, diff[i].data(),
                          sums.data(), sums.data(), 1, nullptr, k == 1 ? nullptr : diff_taps.data(),
                          diff_weights.data()});
    }
    std::vector<std::byte> block(std::max(kernels::SeparableForwardScratch(source, branches),
                                          kernels::SeparableBackwardScratch(source, branches)) +
                                 64);
    const float* src = a_.data();
    float* diff_src = d_.data();
    const auto count = static_cast<double>(windows.size());
    const std::string name = fmt::format("separable {}", fmt::join(windows, ","));
    Line(name + " fwd", 1 + count, [&] {
      kernels::SeparableForward(source, branches, {std::span(&src, 1), {}, forward, Aligned(block)});
    });
    Line(name + " bwd", 2 + 2 * count, [&] {
      kernels::SeparableBackward(
          source, branches,
          {std::span(&src, 1), {}, backward, n_, true, std::span(&diff_src, 1), nullptr, nullptr, Aligned(block)});
    });
  }

  void Elementwise() {
    const float* srcs[] = {a_.data(), b_.data(), scratch_.data(), a_.data(), b_.data(), scratch_.data()};
    const float weights[] = {1, 2, 3, 4, 5, 6};
    float dots[6];
    std::vector<float> scratch(kernels::DotsScratch(6, count_));
    Line("relu", 2, [&] { kernels::Relu(a_.data(), b_.data(), count_); });
    Line("relu bwd", 3, [&] { kernels::ReluBackward(a_.data(), b_.data(), d_.data(), count_); });
    Line("weighted sum of 3", 4, [&] { kernels::WeightedSum({srcs, weights, 3, d_.data(), count_}); });
    Line("weighted sum of 6 (3 distinct)", 7, [&] { kernels::WeightedSum({srcs, weights, 6, d_.data(), count_}); });
    Line("dots of 3", 4, [&] { kernels::Dots({srcs, 3, d_.data(), dots, count_, scratch.data()}); });
    Line("dropout", 2, [&] { kernels::Dropout({a_.data(), b_.data(), count_, 0.3f, {1, 2, 3}}); });
  }

  void Norms() {
    const int64_t rows = n_ * side_ * side_;
    std::vector<float> gamma(c_), beta(c_),
        scratch(std::max(kernels::BatchNormStatisticsScratch(rows, c_), kernels::BatchNormReduceScratch(rows, c_))),
        lines(kernels::BatchNormGradientLinesSize(c_));
    std::vector<double> exact_mean(c_), exact_variance(c_), coefficients(2 * c_);
    Line("bn statistics", 1, [&] {
      kernels::BatchNormStatistics({a_.data(), rows, c_, exact_mean.data(), exact_variance.data(), scratch.data()});
    });
    Line("bn apply", 2, [&] {
      kernels::BatchNormApply({a_.data(), rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f, nullptr, nullptr,
                               b_.data(), coefficients.data()});
    });
    Line("bn bwd reduce", 2, [&] {
      kernels::BatchNormBackwardReduce({a_.data(), b_.data(), rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f,
                                        gamma.data(), beta.data(), scratch.data()});
    });
    Line("bn bwd data", 3, [&] {
      kernels::BatchNormBackwardData({a_.data(), b_.data(), rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f,
                                      nullptr, gamma.data(), beta.data(), d_.data(), lines.data()});
    });
  }

  // A sum of batch norms and the way back, each source a tensor of its own as in a network: as one pass and as steps.
  void Sums(int64_t terms) {
    const int64_t rows = n_ * side_ * side_;
    std::vector<std::vector<float>> srcs(terms, std::vector<float>(count_, 0.5f)), results = srcs;
    std::vector<double> mean(c_, 0.25), variance(c_, 1), coefficients(2 * c_);
    std::vector<kernels::NormalizedTerm> list;
    std::vector<const float*> applied;
    std::vector<float> weights(terms, 0.1f), gammas(terms * c_), beta(c_);
    std::vector<float*> gamma;
    for (int64_t k = 0; k < terms; ++k) {
      list.push_back({srcs[k].data(), mean.data(), variance.data(), 0.1f});
      applied.push_back(results[k].data());
      gamma.push_back(gammas.data() + k * c_);
    }
    const int lanes = base::Threads();
    std::vector<double> scratch((kernels::NormalizedSumScratch(terms, c_, 0, lanes) +
                                 kernels::NormalizedSumBackwardScratch(terms, rows, c_, 0, lanes)) /
                                    8 +
                                1);
    std::vector<float> reduce(kernels::BatchNormReduceScratch(rows, c_));
    const auto tensors = static_cast<double>(terms);
    const std::string of = fmt::format(" of {}", terms);
    Line("apply, weighted sum" + of, tensors + 1, [&] {
      for (int64_t k = 0; k < terms; ++k)
        kernels::BatchNormApply({srcs[k].data(), rows, c_, mean.data(), variance.data(), 1e-5f, nullptr, nullptr,
                                 results[k].data(), coefficients.data()});
      kernels::WeightedSum({applied.data(), weights.data(), terms, d_.data(), count_});
    });
    Line("normalised sum" + of, tensors + 1, [&] {
      kernels::NormalizedSum({list.data(), terms, rows, c_, 1e-5, d_.data(), lanes, scratch.data()});
    });
    Line("scale, bn bwd reduce" + of, tensors + 1, [&] {
      for (int64_t k = 0; k < terms; ++k) {
        kernels::Scale(d_.data(), 0.1f, results[k].data(), count_);
        kernels::BatchNormBackwardReduce({srcs[k].data(), results[k].data(), rows, c_, mean.data(), variance.data(),
                                          1e-5f, gamma[k], beta.data(), reduce.data()});
      }
    });
    Line("normalised sum bwd" + of, tensors + 1, [&] {
      kernels::NormalizedSumBackward(
          {list.data(), terms, rows, c_, 1e-5, d_.data(), gamma.data(), beta.data(), nullptr, lanes, scratch.data()});
    });
  }

  // Two batch norms with gamma and beta, dropped by samples, one of seven, and added, and the way back: as one pass and
  // as steps.
  void Paths() {
    const int64_t pixels = side_ * side_, rows = n_ * pixels;
    Floats dst[2], dropped[2];
    for (auto* pair : {&dst, &dropped})
      for (Floats& one : *pair) one.assign(count_, 0.5f);
    std::vector<double> mean(c_, 0.25), variance(c_, 1), factors(n_, 7.0 / 6), coefficients(2 * c_);
    for (int64_t i = 0; i < n_; i += 7) factors[i] = 0;
    std::vector<float> gamma(c_, 0.5f), beta(c_, 0.25f), sums(4 * c_),
        reduce(kernels::BatchNormReduceScratch(rows, c_));
    float *gammas[] = {sums.data(), sums.data() + c_}, *betas[] = {sums.data() + 2 * c_, sums.data() + 3 * c_};
    std::vector<kernels::PathTerm> terms;
    for (Floats& one : dst)
      terms.push_back({one.data(), mean.data(), variance.data(), gamma.data(), beta.data(), factors.data()});
    const int lanes = base::Threads();
    std::vector<std::byte> block(
        std::max(kernels::PathSumScratch(2, c_, lanes), kernels::PathSumBackwardScratch(2, n_, pixels, c_, lanes)) +
        64);
    Line("apply, drop path, add", 3, [&] {
      for (int b : {0, 1}) {
        kernels::BatchNormApply({dst[b].data(), rows, c_, mean.data(), variance.data(), 1e-5f, gamma.data(),
                                 beta.data(), a_.data(), coefficients.data()});
        kernels::ScaleSamples({a_.data(), factors.data(), dropped[b].data(), n_, pixels * c_});
      }
      const float* srcs[] = {dropped[0].data(), dropped[1].data()};
      kernels::WeightedSum({srcs, nullptr, 2, d_.data(), count_});
    });
    Line("path sum", 3, [&] {
      kernels::PathSum({terms.data(), 2, n_, pixels, c_, 1e-5, d_.data(), lanes, Aligned(block)});
    });
    Line("drop path, bn bwd reduce", 3, [&] {
      for (int b : {0, 1}) {
        kernels::ScaleSamples({d_.data(), factors.data(), dropped[b].data(), n_, pixels * c_});
        kernels::BatchNormBackwardReduce({dst[b].data(), dropped[b].data(), rows, c_, mean.data(), variance.data(),
                                          1e-5f, gammas[b], betas[b], reduce.data()});
      }
    });
    Line("path sum bwd", 3, [&] {
      kernels::PathSumBackward(
          {terms.data(), 2, n_, pixels, c_, 1e-5, d_.data(), gammas, betas, lanes, Aligned(block)});
    });
  }

  void Pools() {
    const kernels::PoolParams p{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = 3, .stride = 1, .pad = 1};
    Line("max pool 3x3", 2.25, [&] { kernels::MaxPoolForward(p, a_.data(), b_.data(), taps_.data()); });
    Line("max pool 3x3 bwd", 2.25, [&] { kernels::MaxPoolBackward(p, b_.data(), taps_.data(), d_.data()); });
    Line("avg pool 3x3", 2, [&] { kernels::AveragePoolForward(p, a_.data(), b_.data()); });
    Line("avg pool 3x3 bwd", 2, [&] { kernels::AveragePoolBackward(p, b_.data(), d_.data()); });
    const kernels::SubsampleParams s{.n = n_, .h = side_, .w = side_, .c = c_, .offset = 1};
    Line("subsample", 0.5, [&] { kernels::Subsample(s, a_.data(), b_.data()); });
    Line("subsample bwd", 1.25, [&] { kernels::SubsampleBackward(s, b_.data(), nullptr, d_.data()); });
    const float* srcs[] = {a_.data(), b_.data()};
    const int64_t channels[] = {c_ / 2, c_ / 2};
    Line("concat of 2 halves", 2, [&] { kernels::ConcatChannels({srcs, channels, 2, n_ * side_ * side_, d_.data()}); });
    Line("nchw to nhwc", 2, [&] { kernels::NchwToNhwc(a_.data(), n_, c_, side_ * side_, d_.data()); });
  }

  // Both pools of a tensor with their normalisations, and the way back from `diffs` gradients that both share: as one
  // pass and as steps.
  void PoolNorms(int64_t diffs) {
    const kernels::PoolParams p{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = 3, .stride = 1, .pad = 1};
    const int64_t rows = n_ * side_ * side_;
    Floats dst[2];
    for (Floats& one : dst) one.assign(count_, 0.5f);
    std::vector<std::vector<float>> values(diffs, std::vector<float>(count_, 0.5f)), terms(3, values[0]);
    std::vector<const float*> srcs, added;
    for (const auto& value : values) srcs.push_back(value.data());
    for (const auto& term : terms) added.push_back(term.data());
    std::vector<double> mean(c_, 0.25), variance(c_, 1);
    std::vector<float> weights(diffs, 0.1f), sum(c_, 0.5f),
        scratch(std::max(kernels::BatchNormStatisticsScratch(rows, c_), kernels::BatchNormReduceScratch(rows, c_)) +
                kernels::BatchNormGradientLinesSize(c_));
    const int lanes = base::Threads();
    std::vector<std::byte> forward_block(kernels::PoolNormForwardScratch(p, 2, lanes) + 64);
    std::vector<kernels::PoolNormForwardBranch> forward;
    std::vector<kernels::PoolNormBackwardBranch> backward;
    for (int b : {0, 1}) {
      uint8_t* workspace = b == 0 ? taps_.data() : nullptr;
      forward.push_back({dst[b].data(), workspace, mean.data(), variance.data()});
      backward.push_back(
          {dst[b].data(), workspace, mean.data(), variance.data(), sum.data(), sum.data(), srcs, weights.data()});
    }
    Line("pools, bn statistics", 3.25, [&] {
      kernels::MaxPoolForward(p, a_.data(), dst[0].data(), taps_.data());
      kernels::AveragePoolForward(p, a_.data(), dst[1].data());
      for (int b : {0, 1})
        kernels::BatchNormStatistics({dst[b].data(), rows, c_, mean.data(), variance.data(), scratch.data()});
    });
    Line("pool norm", 3.25, [&] { kernels::PoolNormForward(p, {a_.data(), forward, lanes, Aligned(forward_block)}); });
    const auto tensors = static_cast<double>(diffs) + 4.25;
    const std::string of = fmt::format(" of {}", diffs);
    Line("sums, bn bwd data, pools bwd" + of, tensors, [&] {
      for (int b : {0, 1}) {
        kernels::WeightedSum({srcs.data(), weights.data(), diffs, d_.data(), count_});
        kernels::BatchNormBackwardData({dst[b].data(), d_.data(), rows, c_, mean.data(), variance.data(), 1e-5f,
                                        nullptr, sum.data(), sum.data(), b_.data(), scratch.data()});
        if (b == 0)
          kernels::MaxPoolBackward(p, b_.data(), taps_.data(), terms[1].data());
        else
          kernels::AveragePoolBackward(p, b_.data(), terms[2].data());
      }
      kernels::WeightedSum({added.data(), nullptr, 3, terms[0].data(), count_});
    });
    std::vector<std::byte> block(kernels::PoolNormBackwardScratch(p, 2, diffs, 0, lanes) + 64);
    Line("pool norm bwd" + of, tensors, [&] {
      kernels::PoolNormBackward(
          p, {backward, terms[0].data(), {}, nullptr, {}, {}, 0, terms[0].data(), lanes, 1e-5f, {}, Aligned(block)});
    });
  }

  int64_t n_, side_, c_, count_;
  Floats a_, b_, d_, scratch_;
  std::vector<float> small_;
  std::vector<uint8_t> taps_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) kernels::SetIsa(argv[1]);
  base::SetThreads(argc > 2 ? std::max(1, std::atoi(argv[2])) : 2);
  if (argc > 3) runs = std::max(1, std::atoi(argv[3]));
  if (argc > 4) kernels_named = argv[4];
  fmt::print("{}, {} threads\n", kernels::IsaName(kernels::ActiveIsa()), base::Threads());
  Bench(96, 32, 16).All();
  Bench(96, 16, 32).All();
  Bench(96, 8, 64).All();
  Bench(96, 32, 36).All();
  return 0;
}
