#include "kernels/normalized_sum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/partial_sums.h"
#include "kernels/simd/tables.h"
#include "kernels/sum_rows.h"

namespace pdarts::kernels {
namespace {

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
    Repeat(row, a.channels, width);
  }
  Repeat(shift, a.channels, width);
}

// What one thread works in: where the terms lie, for a block of which those that are dropped lie in a buffer.
struct Lane {
  const float** srcs;  // [terms]
  float* dropped;      // [drops][block]
};
Lane CutLane(std::byte*& at, int64_t terms, int64_t drops, int64_t block) {
  return {Cut<const float*>(at, terms), Cut<float>(at, drops * block)};
}
size_t LaneBytes(int64_t terms, int64_t drops, int64_t block) {
  std::byte* at = nullptr;
  CutLane(at, terms, drops, block);
  return Bytes(at);
}

template <class Args>
int64_t CountDrops(const Args& a) {
  return a.drops.rate == 0
             ? 0
             : std::count_if(a.terms, a.terms + a.count, [](const NormalizedTerm& t) { return t.drop >= 0; });
}

// Cuts the lanes from `at` on and calls body(lane, item) for all items, each lane for as many in a row.
template <class Args, class Body>
void ForLanes(const Args& a, std::byte* at, int64_t items, int64_t grain, int64_t block, const Body& body) {
  const int64_t drops = CountDrops(a), lanes = std::clamp<int64_t>(items / grain, 1, a.lanes);
  const size_t bytes = LaneBytes(a.count, drops, block);
  base::ParallelFor(lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      std::byte* own = at + static_cast<size_t>(index) * bytes;
      const Lane lane = CutLane(own, a.count, drops, block);
      for (int64_t k = 0; k < a.count; ++k) lane.srcs[k] = a.terms[k].src;
      for (int64_t item = items * index / lanes; item < items * (index + 1) / lanes; ++item) body(lane, item);
    }
  });
}

// Elements [first, first + count) of the dropped terms, first a multiple of 8.
template <class Args>
void Drop(const Args& a, const Lane& lane, int64_t block, int64_t first, int64_t count) {
  if (a.drops.rate == 0) return;
  float* to = lane.dropped;
  for (int64_t k = 0; k < a.count; ++k) {
    if (a.terms[k].drop < 0) continue;
    PD_KERNEL_TABLE(kDropout).dropout({a.terms[k].src, to - first, first, first + count,
                                       base::DropoutSteps(a.drops.rate), base::DropoutScale(a.drops.rate),
                                       a.drops.draw.key, static_cast<uint32_t>(a.terms[k].drop), a.drops.draw.step});
    lane.srcs[k] = to - first;
    to += block;
  }
}

struct BackwardScratch {
  double* totals;   // [terms + 1, width]
  float* means;     // [terms, width]
  float* partial;   // [chunks, terms + 1, width]
  std::byte* rest;  // the lanes
};
BackwardScratch CutBackward(std::byte* at, int64_t terms, int64_t width, int64_t chunks) {
  BackwardScratch s{Cut<double>(at, (terms + 1) * width), Cut<float>(at, terms * width),
                    Cut<float>(at, chunks * (terms + 1) * width), nullptr};
  s.rest = at;
  return s;
}

struct ForwardScratch {
  double *scales, *shift;  // [terms, width], [width]
  std::byte* rest;         // the lanes
};
ForwardScratch CutForward(std::byte* at, int64_t terms, int64_t width) {
  ForwardScratch s{Cut<double>(at, terms * width), Cut<double>(at, width), nullptr};
  s.rest = at;
  return s;
}

// The totals of term k to its outputs; those of diff_dst, which correct the rounding of the mean, stand behind all.
void FinishTerm(const NormalizedSumBackwardArgs& a, const BackwardScratch& s, int64_t width, int64_t k) {
  const NormalizedTerm& term = a.terms[k];
  const double *totals = s.totals + k * width, *sums = s.totals + a.count * width;
  double dot = 0;
  for (int64_t c = 0; c < a.channels; ++c) {
    double product = ColumnSum(totals, c, a.channels, width);
    const double sum = ColumnSum(sums, c, a.channels, width);
    if (term.mean != nullptr) product += (s.means[k * width + c] - term.mean[c]) * sum;
    product *= Scale(term, a.epsilon, c);
    dot += product;
    if (a.diff_gammas[k] != nullptr) a.diff_gammas[k][c] = static_cast<float>(product);
    if (k == 0) a.diff_beta[c] = static_cast<float>(sum);
  }
  if (a.dots != nullptr) a.dots[k] = static_cast<float>(dot);
}

}  // namespace

size_t NormalizedSumScratch(int64_t terms, int64_t channels, int64_t drops, int lanes) {
  return Bytes(CutForward(nullptr, terms, Width(channels)).rest) +
         static_cast<size_t>(lanes) * LaneBytes(terms, drops, kNormalizedSumBlock);
}

void NormalizedSum(const NormalizedSumArgs& a) {
  Check(a);
  const NormalizedSumTable& table = PD_KERNEL_TABLE(kNormalizedSum);
  const int64_t width = Width(a.channels), total = a.rows * a.channels;
  const ForwardScratch s = CutForward(static_cast<std::byte*>(a.scratch), a.count, width);
  FillCoefficients(a, width, s.scales, s.shift);
  // Blocks of whole rows of `width`, or pieces of one such row.
  const int64_t pieces = (width + kNormalizedSumBlock - 1) / kNormalizedSumBlock;
  const int64_t step = pieces > 1 ? width : kNormalizedSumBlock / width * width;
  const int64_t blocks = (total + step - 1) / step * pieces;
  ForLanes(a, s.rest, blocks, 1 + 64 / a.count, kNormalizedSumBlock, [&](const Lane& lane, int64_t block) {
    const int64_t at = block % pieces * kNormalizedSumBlock, first = block / pieces * step + at;
    const int64_t count = std::min({pieces > 1 ? std::min(kNormalizedSumBlock, width - at) : step, total - first});
    if (count <= 0) return;
    Drop(a, lane, kNormalizedSumBlock, first, count);
    table.sum({lane.srcs, s.scales + at, s.shift + at, a.count, width, a.dst + first, first, count});
  });
}

size_t NormalizedSumBackwardScratch(int64_t terms, int64_t rows, int64_t channels, int64_t drops, int lanes) {
  const int64_t width = Width(channels);
  return Bytes(CutBackward(nullptr, terms, width, Chunks(rows, channels)).rest) +
         static_cast<size_t>(lanes) * LaneBytes(terms, drops, ChunkFloats(width));
}

void NormalizedSumBackward(const NormalizedSumBackwardArgs& a) {
  Check(a);
  const NormalizedSumTable& table = PD_KERNEL_TABLE(kNormalizedSum);
  const int64_t width = Width(a.channels), total = a.rows * a.channels, step = ChunkFloats(width);
  const int64_t chunks = Chunks(a.rows, a.channels), size = (a.count + 1) * width;
  const BackwardScratch s = CutBackward(static_cast<std::byte*>(a.scratch), a.count, width, chunks);
  for (int64_t k = 0; k < a.count; ++k) FillMeans(a.terms[k].mean, a.channels, width, s.means + k * width);
  ForLanes(a, s.rest, chunks, 1, step, [&](const Lane& lane, int64_t chunk) {
    float* partial = s.partial + chunk * size;
    const int64_t first = chunk * step, count = std::min(step, total - first);
    Drop(a, lane, step, first, count);
    table.products({lane.srcs, a.diff_dst, s.means, a.count, width, first, count, partial, partial + a.count * width});
  });
  AddPartialSums(s.partial, chunks, size, s.totals);
  base::ParallelFor(a.count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) FinishTerm(a, s, width, k);
  });
}

}  // namespace pdarts::kernels
