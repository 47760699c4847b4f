// Times each kernel against copying the bytes it reads and writes: kernels_bench [ISA] [THREADS] [RUNS] [KERNELS]
// [SETS], the least of about RUNS each, ten at least. KERNELS: words that a kernel's size and name must hold, as
// "8x8x64 3x3 wei". SETS: depthwise kernels alone, so many sets of tensors in turn; many come from memory. Not a test:
// numbers for src/kernels/README.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
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
#include "kernels/simd/roofline_table.h"
#include "passes/memory.h"
#include "plan/storage.h"

namespace {

using namespace pdarts;

int runs = 100, sets = 1;
std::vector<std::string> wanted_words;

// Tensors as they lie in a plan: in one storage, of huge pages where the system gives them, with gaps, so that they do
// not all begin at the same place of a page and of a cache's way (passes/memory.h).
class Arena {
 public:
  explicit Arena(int64_t floats) : storage_(static_cast<size_t>(floats) * sizeof(float), "the benchmark's tensors") {}
  // A tensor of this value. It lives as long as the arena.
  float* Take(int64_t floats, float value) {
    constexpr size_t kLine = device::kAlignment;
    const size_t bytes = static_cast<size_t>(floats) * sizeof(float);
    PD_CHECK(taken_ + bytes <= storage_.bytes(), "{} more bytes of {}", bytes, storage_.bytes());
    float* tensor = reinterpret_cast<float*>(storage_.data() + taken_);
    std::fill_n(tensor, floats, value);
    taken_ = (taken_ + bytes + passes::kGapBehindLarge + kLine - 1) / kLine * kLine;
    return tensor;
  }

 private:
  plan::AlignedBuffer storage_;
  size_t taken_ = 0;
};

// The first cache line's beginning in a block that is a line larger than needed.
std::byte* Aligned(std::vector<std::byte>& block) {
  return block.data() + (64 - reinterpret_cast<uintptr_t>(block.data()) % 64) % 64;
}

class Bench {
 public:
  Bench(int64_t n, int64_t side, int64_t c)
      : n_(n),
        side_(side),
        c_(c),
        count_(n * side * side * c),
        arena_((5 * sets + (sets > 1 ? 0 : kTensors)) * (count_ + (1 << 15))) {
    for (int i = 0; i < sets; ++i)
      sets_.push_back({Tensor(), Tensor(), Tensor(), Tensor(), reinterpret_cast<uint8_t*>(Tensor(0))});
    NextSet();
    small_.assign(64 * c_, 0.25f);
  }

  void All() {
    for (const int64_t kernel : {3, 5, 7}) Depthwise(kernel, 1, 1);
    for (const int64_t kernel : {3, 5, 7}) Depthwise(kernel, 2, 1);
    for (const int64_t kernel : {3, 5}) Depthwise(kernel, 1, 2);
    if (sets > 1) return;  // the others have tensors that no set holds
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
  static constexpr int64_t kTensors = 80;  // more than all kernels take

  struct Set {
    float *a, *b, *d, *scratch;
    uint8_t* taps;  // one byte an element
  };

  float* Tensor(float value = 0.5f) { return arena_.Take(count_, value); }

  std::vector<float*> Tensors(size_t count) {
    std::vector<float*> tensors(count);
    for (float*& tensor : tensors) tensor = Tensor();
    return tensors;
  }

  void NextSet() {
    const Set& set = sets_[next_set_++ % sets_.size()];
    a_ = set.a, b_ = set.b, d_ = set.d, scratch_ = set.scratch, taps_ = set.taps;
  }

  // Whether this kernel is to be timed. Before the first that is comes how fast copying is.
  bool Begin(const std::string& kernel) {
    const std::string name = fmt::format("{}x{}x{}x{} {}", n_, side_, side_, c_, kernel);
    for (const std::string& word : wanted_words)
      if (name.find(word) == std::string::npos) return false;
    if (begun_) return true;
    begun_ = true;
    const double copying = Milliseconds([&] { kernels::Copy(a_, b_, count_); });
    fmt::print("\n{}x{}x{}x{}: copying {:.1f} MB takes {:.3f} ms, {:.1f} GB/s\n", n_, side_, side_, c_, count_ * 4e-6,
               copying, count_ * 8e-6 / copying);
    return true;
  }

  // The least of so many times, each with the next set of tensors.
  double Milliseconds(const std::function<void()>& work, int times = runs) {
    double best = 1e30;
    for (int i = 0; i < times; ++i) {
      NextSet();
      const auto start = std::chrono::steady_clock::now();
      work();
      best =
          std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  }

  struct Timed {
    double work, other;
  };

  // Milliseconds of both, some runs of each in turn, as the machine's speed changes.
  Timed InTurn(const std::function<void()>& work, const std::function<void()>& other) {
    Timed least{1e30, 1e30};
    for (int i = 0; i < kTurns; ++i) {
      least.other = std::min(least.other, Milliseconds(other, std::max(1, runs / kTurns)));
      least.work = std::min(least.work, Milliseconds(work, std::max(1, runs / kTurns)));
    }
    return least;
  }

  // `tensors`: how many tensors of this size are read or written. Compared with copying as many bytes, half of them
  // read and half written; of more than two tensors, with so many times as long as copying one takes.
  void Line(const std::string& name, double tensors, const std::function<void()>& work, const char* end = "\n") {
    if (!Begin(name)) return;
    const auto copied = static_cast<int64_t>(std::min(1.0, tensors / 2) * static_cast<double>(count_));
    const Timed time = InTurn(work, [&] { kernels::Copy(a_, b_, copied); });
    fmt::print("  {:<28} {:8.4f} ms  {:6.1f} GB/s  {:5.2f} of copying{}", name, time.work,
               tensors * count_ * 4e-6 / time.work, time.work / (time.other * std::max(1.0, tensors / 2)), end);
  }

  // And with moving the same bytes: as many tensors read, two at most, and as many written, one at most.
  void Line(const std::string& name, double read, double written, const std::function<void()>& work) {
    Line(name, read + written, work, "");
    if (!Begin(name)) return;
    const Timed time = InTurn(work, [&] { Move(read, written); });
    fmt::print(", {:5.2f} of moving the same\n", time.work / time.other);
  }

  void Move(double read, double written) {
    const auto sum = PD_KERNEL_TABLE(kRoofline).sum;
    base::ParallelFor(count_, count_ / base::Threads(), [&](int64_t begin, int64_t end) {
      const auto floats = [&](double tensors) {
        return static_cast<int64_t>(tensors * static_cast<double>(end - begin));
      };
      const int64_t both = floats(std::min(read, written)), first = floats(std::min(1.0, read));
      std::memcpy(d_ + begin, a_ + begin, both * sizeof(float));
      std::memset(d_ + begin + both, 0, (floats(written) - both) * sizeof(float));
      // To where it is seen: nothing may be left out.
      if (sum(a_ + begin + both, first - both) + sum(b_ + begin, floats(read) - first) < 0) d_[begin] = 1;
    });
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
    Line(name + " fwd", 1, out, [&] { kernels::DepthwiseForward(p, {a_, small_.data(), b_, scratch.data()}); });
    Line(name + " bwd data", out, 1, [&] {
      kernels::DepthwiseBackwardData(p, {b_, small_.data(), d_, scratch.data()});
    });
    Line(name + " bwd wei", 1 + out, 0, [&] {
      kernels::DepthwiseBackwardWeights(p, {a_, b_, small_.data(), scratch.data()});
    });
  }

  void Pointwise() {
    const kernels::PointwiseParams p{.pixels = n_ * side_ * side_, .in = c_, .out = c_};
    std::vector<float> weights(c_ * c_, 0.25f),
        scratch(std::max(kernels::PointwiseScratch(p), kernels::PointwiseWeightsScratch(p)));
    const double flops = 2e-6 * static_cast<double>(p.pixels * p.in * p.out);
    const auto line = [&](const std::string& name, const std::function<void()>& work) {
      if (!Begin(name)) return;
      const double time = Milliseconds(work);
      fmt::print("  {:<28} {:8.3f} ms  {:6.1f} GFLOP/s\n", name, time, flops / time);
    };
    line("1x1 fwd", [&] { kernels::PointwiseForward(p, {a_, weights.data(), b_, scratch.data()}); });
    line("1x1 bwd data", [&] { kernels::PointwiseBackwardData(p, {b_, weights.data(), d_, scratch.data()}); });
    line("1x1 bwd wei", [&] { kernels::PointwiseBackwardWeights(p, {a_, b_, weights.data(), scratch.data()}); });
  }

  // Branches of one src with these windows, 1 being a 1x1 alone, each with a dst and a gradient of its own.
  void Separables(const std::vector<int64_t>& windows) {
    const int lanes = base::Threads();
    const kernels::SeparableSource source{n_, side_, side_, c_, true, lanes, 1e-5f};
    std::vector<kernels::SeparableBranch> branches;
    std::vector<kernels::SeparableForwardBranch> forward;
    std::vector<kernels::SeparableBackwardBranch> backward;
    const std::vector<float*> dst = Tensors(windows.size()), diff = Tensors(windows.size());
    const std::vector<float> weights(c_ * c_, 0.25f), sums(c_, 0.5f);
    std::vector<float> diff_weights(c_ * c_), diff_taps(c_ * 64);
    std::vector<double> mean(c_, 0.25), variance(c_, 1), batch_mean(c_), batch_variance(c_);
    for (size_t i = 0; i < windows.size(); ++i) {
      const int64_t k = windows[i];
      branches.push_back(
          {{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = k, .stride = 1, .dilation = 1, .pad = k / 2},
           c_,
           k == 1});
      const float* taps = k == 1 ? nullptr : small_.data();
      forward.push_back({taps, weights.data(), dst[i], batch_mean.data(), batch_variance.data()});
      backward.push_back({taps, weights.data(), dst[i], mean.data(), variance.data(), nullptr, diff[i], sums.data(),
                          sums.data(), 1, nullptr, k == 1 ? nullptr : diff_taps.data(), diff_weights.data()});
    }
    std::vector<std::byte> block(std::max(kernels::SeparableForwardScratch(source, branches),
                                          kernels::SeparableBackwardScratch(source, branches)) +
                                 64);
    const float* src = a_;
    float* diff_src = d_;
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
    const float* srcs[] = {a_, b_, scratch_, a_, b_, scratch_};
    const float weights[] = {1, 2, 3, 4, 5, 6};
    float dots[6];
    std::vector<float> scratch(kernels::DotsScratch(6, count_));
    Line("relu", 2, [&] { kernels::Relu(a_, b_, count_); });
    Line("relu bwd", 3, [&] { kernels::ReluBackward(a_, b_, d_, count_); });
    Line("weighted sum of 3", 4, [&] { kernels::WeightedSum({srcs, weights, 3, d_, count_}); });
    Line("weighted sum of 6 (3 distinct)", 7, [&] { kernels::WeightedSum({srcs, weights, 6, d_, count_}); });
    Line("dots of 3", 4, [&] { kernels::Dots({srcs, 3, d_, dots, count_, scratch.data()}); });
    Line("dropout", 2, [&] { kernels::Dropout({a_, b_, count_, 0.3f, {1, 2, 3}}); });
  }

  void Norms() {
    const int64_t rows = n_ * side_ * side_;
    std::vector<float> gamma(c_), beta(c_),
        scratch(std::max(kernels::BatchNormStatisticsScratch(rows, c_), kernels::BatchNormReduceScratch(rows, c_))),
        lines(kernels::BatchNormGradientLinesSize(c_));
    std::vector<double> exact_mean(c_), exact_variance(c_), coefficients(2 * c_);
    Line("bn statistics", 1, [&] {
      kernels::BatchNormStatistics({a_, rows, c_, exact_mean.data(), exact_variance.data(), scratch.data()});
    });
    Line("bn apply", 2, [&] {
      kernels::BatchNormApply(
          {a_, rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f, nullptr, nullptr, b_, coefficients.data()});
    });
    Line("bn bwd reduce", 2, [&] {
      kernels::BatchNormBackwardReduce({a_, b_, rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f, gamma.data(),
                                        beta.data(), scratch.data()});
    });
    Line("bn bwd data", 3, [&] {
      kernels::BatchNormBackwardData({a_, b_, rows, c_, exact_mean.data(), exact_variance.data(), 1e-5f, nullptr,
                                      gamma.data(), beta.data(), d_, lines.data()});
    });
  }

  // A sum of batch norms and the way back, each source a tensor of its own as in a network: as one pass and as steps.
  void Sums(int64_t terms) {
    const int64_t rows = n_ * side_ * side_;
    const std::vector<float*> srcs = Tensors(terms), results = Tensors(terms);
    std::vector<double> mean(c_, 0.25), variance(c_, 1), coefficients(2 * c_);
    std::vector<kernels::NormalizedTerm> list;
    std::vector<const float*> applied;
    std::vector<float> weights(terms, 0.1f), gammas(terms * c_), beta(c_);
    std::vector<float*> gamma;
    for (int64_t k = 0; k < terms; ++k) {
      list.push_back({srcs[k], mean.data(), variance.data(), 0.1f});
      applied.push_back(results[k]);
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
        kernels::BatchNormApply({srcs[k], rows, c_, mean.data(), variance.data(), 1e-5f, nullptr, nullptr, results[k],
                                 coefficients.data()});
      kernels::WeightedSum({applied.data(), weights.data(), terms, d_, count_});
    });
    Line("normalised sum" + of, tensors + 1, [&] {
      kernels::NormalizedSum({list.data(), terms, rows, c_, 1e-5, d_, lanes, scratch.data()});
    });
    Line("scale, bn bwd reduce" + of, tensors + 1, [&] {
      for (int64_t k = 0; k < terms; ++k) {
        kernels::Scale(d_, 0.1f, results[k], count_);
        kernels::BatchNormBackwardReduce(
            {srcs[k], results[k], rows, c_, mean.data(), variance.data(), 1e-5f, gamma[k], beta.data(), reduce.data()});
      }
    });
    Line("normalised sum bwd" + of, tensors + 1, [&] {
      kernels::NormalizedSumBackward(
          {list.data(), terms, rows, c_, 1e-5, d_, gamma.data(), beta.data(), nullptr, lanes, scratch.data()});
    });
  }

  // Two batch norms with gamma and beta, dropped by samples, one of seven, and added, and the way back: as one pass and
  // as steps.
  void Paths() {
    const int64_t pixels = side_ * side_, rows = n_ * pixels;
    const std::vector<float*> dst = Tensors(2), dropped = Tensors(2);
    std::vector<double> mean(c_, 0.25), variance(c_, 1), factors(n_, 7.0 / 6), coefficients(2 * c_);
    for (int64_t i = 0; i < n_; i += 7) factors[i] = 0;
    std::vector<float> gamma(c_, 0.5f), beta(c_, 0.25f), sums(4 * c_),
        reduce(kernels::BatchNormReduceScratch(rows, c_));
    float *gammas[] = {sums.data(), sums.data() + c_}, *betas[] = {sums.data() + 2 * c_, sums.data() + 3 * c_};
    std::vector<kernels::PathTerm> terms;
    for (float* one : dst)
      terms.push_back({one, mean.data(), variance.data(), gamma.data(), beta.data(), factors.data()});
    const int lanes = base::Threads();
    std::vector<std::byte> block(
        std::max(kernels::PathSumScratch(2, c_, lanes), kernels::PathSumBackwardScratch(2, n_, pixels, c_, lanes)) +
        64);
    Line("apply, drop path, add", 3, [&] {
      for (int b : {0, 1}) {
        kernels::BatchNormApply({dst[b], rows, c_, mean.data(), variance.data(), 1e-5f, gamma.data(), beta.data(), a_,
                                 coefficients.data()});
        kernels::ScaleSamples({a_, factors.data(), dropped[b], n_, pixels * c_});
      }
      const float* srcs[] = {dropped[0], dropped[1]};
      kernels::WeightedSum({srcs, nullptr, 2, d_, count_});
    });
    Line("path sum", 3, [&] { kernels::PathSum({terms.data(), 2, n_, pixels, c_, 1e-5, d_, lanes, Aligned(block)}); });
    Line("drop path, bn bwd reduce", 3, [&] {
      for (int b : {0, 1}) {
        kernels::ScaleSamples({d_, factors.data(), dropped[b], n_, pixels * c_});
        kernels::BatchNormBackwardReduce(
            {dst[b], dropped[b], rows, c_, mean.data(), variance.data(), 1e-5f, gammas[b], betas[b], reduce.data()});
      }
    });
    Line("path sum bwd", 3, [&] {
      kernels::PathSumBackward({terms.data(), 2, n_, pixels, c_, 1e-5, d_, gammas, betas, lanes, Aligned(block)});
    });
  }

  void Pools() {
    const kernels::PoolParams p{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = 3, .stride = 1, .pad = 1};
    Line("max pool 3x3", 2.25, [&] { kernels::MaxPoolForward(p, a_, b_, taps_); });
    Line("max pool 3x3 bwd", 2.25, [&] { kernels::MaxPoolBackward(p, b_, taps_, d_); });
    Line("avg pool 3x3", 2, [&] { kernels::AveragePoolForward(p, a_, b_); });
    Line("avg pool 3x3 bwd", 2, [&] { kernels::AveragePoolBackward(p, b_, d_); });
    const kernels::SubsampleParams s{.n = n_, .h = side_, .w = side_, .c = c_, .offset = 1};
    Line("subsample", 0.5, [&] { kernels::Subsample(s, a_, b_); });
    Line("subsample bwd", 1.25, [&] { kernels::SubsampleBackward(s, b_, nullptr, d_); });
    const float* srcs[] = {a_, b_};
    const int64_t channels[] = {c_ / 2, c_ / 2};
    Line("concat of 2 halves", 2, [&] { kernels::ConcatChannels({srcs, channels, 2, n_ * side_ * side_, d_}); });
    Line("nchw to nhwc", 2, [&] { kernels::NchwToNhwc(a_, n_, c_, side_ * side_, d_); });
  }

  // Both pools of a tensor with their normalisations, and the way back from `diffs` gradients that both share: as one
  // pass and as steps.
  void PoolNorms(int64_t diffs) {
    const kernels::PoolParams p{.n = n_, .h = side_, .w = side_, .c = c_, .kernel = 3, .stride = 1, .pad = 1};
    const int64_t rows = n_ * side_ * side_;
    const std::vector<float*> dst = Tensors(2), values = Tensors(diffs), terms = Tensors(3);
    const std::vector<const float*> srcs(values.begin(), values.end()), added(terms.begin(), terms.end());
    std::vector<double> mean(c_, 0.25), variance(c_, 1);
    std::vector<float> weights(diffs, 0.1f), sum(c_, 0.5f),
        scratch(std::max(kernels::BatchNormStatisticsScratch(rows, c_), kernels::BatchNormReduceScratch(rows, c_)) +
                kernels::BatchNormGradientLinesSize(c_));
    const int lanes = base::Threads();
    std::vector<std::byte> forward_block(kernels::PoolNormForwardScratch(p, 2, lanes) + 64);
    std::vector<kernels::PoolNormForwardBranch> forward;
    std::vector<kernels::PoolNormBackwardBranch> backward;
    for (int b : {0, 1}) {
      uint8_t* workspace = b == 0 ? taps_ : nullptr;
      forward.push_back({dst[b], workspace, mean.data(), variance.data()});
      backward.push_back(
          {dst[b], workspace, mean.data(), variance.data(), sum.data(), sum.data(), srcs, weights.data()});
    }
    Line("pools, bn statistics", 3.25, [&] {
      kernels::MaxPoolForward(p, a_, dst[0], taps_);
      kernels::AveragePoolForward(p, a_, dst[1]);
      for (int b : {0, 1})
        kernels::BatchNormStatistics({dst[b], rows, c_, mean.data(), variance.data(), scratch.data()});
    });
    Line("pool norm", 3.25, [&] { kernels::PoolNormForward(p, {a_, forward, lanes, Aligned(forward_block)}); });
    const auto tensors = static_cast<double>(diffs) + 4.25;
    const std::string of = fmt::format(" of {}", diffs);
    Line("sums, bn bwd data, pools bwd" + of, tensors, [&] {
      for (int b : {0, 1}) {
        kernels::WeightedSum({srcs.data(), weights.data(), diffs, d_, count_});
        kernels::BatchNormBackwardData({dst[b], d_, rows, c_, mean.data(), variance.data(), 1e-5f, nullptr, sum.data(),
                                        sum.data(), b_, scratch.data()});
        if (b == 0)
          kernels::MaxPoolBackward(p, b_, taps_, terms[1]);
        else
          kernels::AveragePoolBackward(p, b_, terms[2]);
      }
      kernels::WeightedSum({added.data(), nullptr, 3, terms[0], count_});
    });
    std::vector<std::byte> block(kernels::PoolNormBackwardScratch(p, 2, diffs, 0, lanes) + 64);
    Line("pool norm bwd" + of, tensors, [&] {
      kernels::PoolNormBackward(
          p, {backward, terms[0], {}, nullptr, {}, {}, 0, terms[0], lanes, 1e-5f, {}, Aligned(block)});
    });
  }

  int64_t n_, side_, c_, count_;
  Arena arena_;
  std::vector<Set> sets_;
  size_t next_set_ = 0;
  bool begun_ = false;
  float *a_, *b_, *d_, *scratch_;  // of the set in turn
  uint8_t* taps_;
  std::vector<float> small_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) kernels::SetIsa(argv[1]);
  base::SetThreads(argc > 2 ? std::max(1, std::atoi(argv[2])) : 2);
  if (argc > 3) runs = std::max(1, std::atoi(argv[3]));
  if (argc > 4) {
    std::istringstream words(argv[4]);
    wanted_words.assign(std::istream_iterator<std::string>(words), {});
  }
  if (argc > 5) sets = std::max(1, std::atoi(argv[5]));
  fmt::print("{}, {} threads\n", kernels::IsaName(kernels::ActiveIsa()), base::Threads());
  for (const auto& [side, channels] : {std::pair{32, 16}, {16, 32}, {8, 64}, {32, 36}, {32, 64}})
    Bench(96, side, channels).All();
  return 0;
}
