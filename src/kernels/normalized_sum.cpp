#include "kernels/normalized_sum.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kLanes = 16;          // of the widest vector
constexpr int64_t kLeastWidth = 64;     // so that short rows neither make short loops nor long fp32 sums
constexpr int64_t kChunkFloats = 4096;  // per partial sum: fixed, since it shapes the tree of the additions

// Rows are read several at a time, as one of `width` floats: whole vectors for any channel count.
int64_t Width(int64_t channels) {
  const int64_t whole = channels * (kLanes / std::gcd(kLanes, channels));
  return whole * ((kLeastWidth + whole - 1) / whole);
}

int64_t ChunkFloats(int64_t width) { return width * std::max<int64_t>(1, kChunkFloats / width); }

int64_t Chunks(int64_t rows, int64_t channels) {
  const int64_t size = ChunkFloats(Width(channels));
  return (rows * channels + size - 1) / size;
}

template <class Args>
void Check(const Args& a) {
  PD_CHECK(a.count >= 1 && a.rows >= 1 && a.channels >= 1, "{} terms, {} rows, {} channels", a.count, a.rows,
           a.channels);
}

double Scale(const NormalizedTerm& term, double epsilon, int64_t channel) {
  return term.mean == nullptr ? 1.0 : 1.0 / std::sqrt(term.variance[channel] + epsilon);
}

// dst = shift + sum of scale * src: [terms, width] and [width], each channel's values repeated.
void FillCoefficients(const NormalizedSumArgs& a, int64_t width, double* scales, double* shift) {
  std::fill_n(shift, a.channels, 0.0);
  for (int64_t k = 0; k < a.count; ++k) {
    const NormalizedTerm& term = a.terms[k];
    double* row = scales + k * width;
    for (int64_t c = 0; c < a.channels; ++c) {
      row[c] = term.weight * Scale(term, a.epsilon, c);
      if (term.mean != nullptr) shift[c] -= row[c] * term.mean[c];
    }
    for (int64_t i = a.channels; i < width; ++i) row[i] = row[i - a.channels];
  }
  for (int64_t i = a.channels; i < width; ++i) shift[i] = shift[i - a.channels];
}

// totals[i] = sum over the chunks of partial[chunk][i].
void AddChunks(const float* partial, int64_t chunks, int64_t size, double* totals) {
  base::ParallelFor(size, 1 + 65536 / chunks, [&](int64_t begin, int64_t end) {
    std::fill(totals + begin, totals + end, 0.0);
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      for (int64_t i = begin; i < end; ++i) totals[i] += partial[chunk * size + i];
  });
}

struct BackwardScratch {
  double* totals;      // [terms + 1, width]
  const float** srcs;  // [terms]
  float* means;        // [terms, width]
  float* partial;      // [chunks, terms + 1, width]
};
BackwardScratch Cut(const NormalizedSumBackwardArgs& a, int64_t width) {
  auto* totals = static_cast<double*>(a.scratch);
  auto** srcs = reinterpret_cast<const float**>(totals + (a.count + 1) * width);
  auto* means = reinterpret_cast<float*>(srcs + a.count);
  return {totals, srcs, means, means + a.count * width};
}

// The totals of term k to its outputs; those of diff_dst, which correct the rounding of the mean, stand behind all.
void FinishTerm(const NormalizedSumBackwardArgs& a, const BackwardScratch& s, int64_t width, int64_t k) {
  const NormalizedTerm& term = a.terms[k];
  const double *totals = s.totals + k * width, *sums = s.totals + a.count * width;
  double dot = 0;
  for (int64_t c = 0; c < a.channels; ++c) {
    double product = 0, sum = 0;
    for (int64_t i = c; i < width; i += a.channels) product += totals[i], sum += sums[i];
    if (term.mean != nullptr) product += (s.means[k * width + c] - term.mean[c]) * sum;
    product *= Scale(term, a.epsilon, c);
    dot += product;
    if (a.diff_gammas[k] != nullptr) a.diff_gammas[k][c] = static_cast<float>(product);
    if (k == 0) a.diff_beta[c] = static_cast<float>(sum);
  }
  if (a.dots != nullptr) a.dots[k] = static_cast<float>(dot);
}

}  // namespace

size_t NormalizedSumScratch(int64_t terms, int64_t channels) {
  return static_cast<size_t>((terms + 1) * Width(channels)) * sizeof(double) +
         static_cast<size_t>(terms) * sizeof(const float*);
}

void NormalizedSum(const NormalizedSumArgs& a) {
  Check(a);
  const NormalizedSumTable& table = PD_KERNEL_TABLE(kNormalizedSum);
  const int64_t width = Width(a.channels), total = a.rows * a.channels;
  auto *scales = static_cast<double*>(a.scratch), *shift = scales + a.count * width;
  auto** srcs = reinterpret_cast<const float**>(shift + width);
  for (int64_t k = 0; k < a.count; ++k) srcs[k] = a.terms[k].src;
  FillCoefficients(a, width, scales, shift);
  // Blocks of whole rows of `width`, or pieces of one such row.
  const int64_t pieces = (width + kNormalizedSumBlock - 1) / kNormalizedSumBlock;
  const int64_t step = pieces > 1 ? width : kNormalizedSumBlock / width * width;
  const int64_t blocks = (total + step - 1) / step * pieces;
  base::ParallelFor(blocks, 1 + 64 / a.count, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t at = block % pieces * kNormalizedSumBlock, first = block / pieces * step + at;
      const int64_t count = std::min({pieces > 1 ? std::min(kNormalizedSumBlock, width - at) : step, total - first});
      if (count > 0) table.sum({srcs, scales + at, shift + at, a.count, width, a.dst + first, first, count});
    }
  });
}

size_t NormalizedSumBackwardScratch(int64_t terms, int64_t rows, int64_t channels) {
  const int64_t width = Width(channels), floats = terms * width + Chunks(rows, channels) * (terms + 1) * width;
  return static_cast<size_t>((terms + 1) * width) * sizeof(double) + static_cast<size_t>(terms) * sizeof(const float*) +
         static_cast<size_t>(floats) * sizeof(float);
}

void NormalizedSumBackward(const NormalizedSumBackwardArgs& a) {
  Check(a);
  const NormalizedSumTable& table = PD_KERNEL_TABLE(kNormalizedSum);
  const int64_t width = Width(a.channels), total = a.rows * a.channels, step = ChunkFloats(width);
  const int64_t chunks = Chunks(a.rows, a.channels), size = (a.count + 1) * width;
  const BackwardScratch s = Cut(a, width);
  for (int64_t k = 0; k < a.count; ++k) {
    s.srcs[k] = a.terms[k].src;
    const double* mean = a.terms[k].mean;
    for (int64_t i = 0; i < width; ++i)
      s.means[k * width + i] = mean == nullptr ? 0.0f : static_cast<float>(mean[i % a.channels]);
  }
  base::ParallelFor(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* partial = s.partial + chunk * size;
      const int64_t first = chunk * step, count = std::min(step, total - first);
      table.products({s.srcs, a.diff_dst, s.means, a.count, width, first, count, partial, partial + a.count * width});
    }
  });
  AddChunks(s.partial, chunks, size, s.totals);
  for (int64_t k = 0; k < a.count; ++k) FinishTerm(a, s, width, k);
}

}  // namespace pdarts::kernels
