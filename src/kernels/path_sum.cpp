#include "kernels/path_sum.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/partial_sums.h"
#include "kernels/simd/tables.h"
#include "kernels/sum_rows.h"

namespace pdarts::kernels {
namespace {

template <class Args>
void Check(const Args& a) {
  PD_CHECK(a.count >= 1 && a.samples >= 1 && a.pixels >= 1 && a.channels >= 1, "{} terms, {} samples, {} pixels of {}",
           a.count, a.samples, a.pixels, a.channels);
  PD_CHECK(a.lanes >= 1, "{} lanes", a.lanes);
}

double Factor(const PathTerm& term, int64_t sample) { return term.factors == nullptr ? 1 : term.factors[sample]; }

// Calls body(lane, sample, item) for all items of all samples, each lane for as many in a row.
template <class Args, class Body>
void ForSamples(const Args& a, int64_t items, const Body& body) {
  const int64_t all = a.samples * items, lanes = std::min<int64_t>(all, a.lanes);
  base::ParallelFor(lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; ++lane)
      for (int64_t i = all * lane / lanes; i < all * (lane + 1) / lanes; ++i) body(lane, i / items, i % items);
  });
}

// term = scale * src + shift: [terms][width] each. Of one lane: where the terms that count for a sample lie, their
// scales times their factors, and the sum of their shifts.
struct ForwardScratch {
  ForwardScratch(std::byte* at, int64_t terms, int64_t channels, int lanes)
      : width(Width(channels)), scales(Cut<double>(at, terms * width)), shifts(Cut<double>(at, terms * width)) {
    lane = at;
    CutLane(at, terms);
    lane_bytes = static_cast<size_t>(at - lane);
    bytes = Bytes(lane) + static_cast<size_t>(lanes) * lane_bytes;
  }
  struct Lane {
    const float** srcs;
    double *scales, *shift;
  };
  Lane CutLane(std::byte*& at, int64_t terms) const {
    return {Cut<const float*>(at, terms), Cut<double>(at, terms * width), Cut<double>(at, width)};
  }
  Lane LaneAt(int64_t index, int64_t terms) const {
    std::byte* at = lane + static_cast<size_t>(index) * lane_bytes;
    return CutLane(at, terms);
  }

  int64_t width;
  double *scales, *shifts;
  std::byte* lane;  // the first
  size_t lane_bytes, bytes;
};

void FillCoefficients(const PathSumArgs& a, const ForwardScratch& s) {
  for (int64_t k = 0; k < a.count; ++k) {
    const PathTerm& term = a.terms[k];
    double *scales = s.scales + k * s.width, *shifts = s.shifts + k * s.width;
    for (int64_t c = 0; c < a.channels; ++c) {
      scales[c] = term.mean == nullptr ? 1 : 1 / std::sqrt(term.variance[c] + a.epsilon);
      if (term.gamma != nullptr) scales[c] *= term.gamma[c];
      shifts[c] = term.mean == nullptr ? 0 : -scales[c] * term.mean[c];
      if (term.beta != nullptr) shifts[c] += term.beta[c];
    }
    Repeat(scales, a.channels, s.width);
    Repeat(shifts, a.channels, s.width);
  }
}

// The terms that are not dropped in a sample; returns how many.
int64_t TakeTerms(const PathSumArgs& a, const ForwardScratch& s, int64_t sample, const ForwardScratch::Lane& lane) {
  int64_t taken = 0;
  std::fill_n(lane.shift, s.width, 0.0);
  for (int64_t k = 0; k < a.count; ++k) {
    const double factor = Factor(a.terms[k], sample);
    if (factor == 0) continue;
    lane.srcs[taken] = a.terms[k].src;
    double* scales = lane.scales + taken++ * s.width;
    for (int64_t i = 0; i < s.width; ++i) scales[i] = factor * s.scales[k * s.width + i];
    for (int64_t i = 0; i < s.width; ++i) lane.shift[i] += factor * s.shifts[k * s.width + i];
  }
  return taken;
}

struct BackwardScratch {
  BackwardScratch(std::byte* at, int64_t terms, int64_t samples, int64_t pixels, int64_t channels, int lanes)
      : width(Width(channels)),
        step(ChunkFloats(width)),
        chunks((pixels * channels + step - 1) / step),
        totals(Cut<double>(at, 2 * terms * width)),
        means(Cut<float>(at, terms * width)),
        partial(Cut<float>(at, samples * chunks * 2 * terms * width)) {
    lane = at;
    CutLane(at, terms);
    lane_bytes = static_cast<size_t>(at - lane);
    bytes = Bytes(lane) + static_cast<size_t>(lanes) * lane_bytes;
  }
  // Of the terms that count for a sample.
  struct Lane {
    const float** srcs;
    int64_t* terms;
    float *means, *products;  // [terms][width]; products: one row more, of diff_dst alone
  };
  Lane CutLane(std::byte*& at, int64_t terms) const {
    return {Cut<const float*>(at, terms), Cut<int64_t>(at, terms), Cut<float>(at, terms * width),
            Cut<float>(at, (terms + 1) * width)};
  }
  Lane LaneAt(int64_t index, int64_t terms) const {
    std::byte* at = lane + static_cast<size_t>(index) * lane_bytes;
    return CutLane(at, terms);
  }

  int64_t width, step, chunks;  // floats of a row and of a chunk, chunks of a sample
  double* totals;               // [terms][2][width]: of diff_dst * (src - mean), of diff_dst
  float* means;                 // [terms][width]
  float* partial;               // [samples][chunks][terms][2][width]
  std::byte* lane;              // the first
  size_t lane_bytes, bytes;
};

// One chunk of a sample to its partial sums.
void SumChunk(const PathSumBackwardArgs& a, const BackwardScratch& s, const BackwardScratch::Lane& lane, int64_t sample,
              int64_t chunk) {
  float* partial = s.partial + (sample * s.chunks + chunk) * 2 * a.count * s.width;
  std::fill_n(partial, 2 * a.count * s.width, 0.0f);
  int64_t taken = 0;
  for (int64_t k = 0; k < a.count; ++k) {
    if (Factor(a.terms[k], sample) == 0) continue;
    lane.srcs[taken] = a.terms[k].src, lane.terms[taken] = k;
    std::copy_n(s.means + k * s.width, s.width, lane.means + taken++ * s.width);
  }
  if (taken == 0) return;
  const int64_t size = a.pixels * a.channels, at = chunk * s.step;
  const float* sums = lane.products + taken * s.width;
  PD_KERNEL_TABLE(kNormalizedSum)
      .products({lane.srcs, a.diff_dst, lane.means, taken, s.width, sample * size + at, std::min(s.step, size - at),
                 lane.products, lane.products + taken * s.width});
  for (int64_t t = 0; t < taken; ++t) {
    const auto factor = static_cast<float>(Factor(a.terms[lane.terms[t]], sample));
    float* row = partial + lane.terms[t] * 2 * s.width;
    for (int64_t i = 0; i < s.width; ++i) row[i] = factor * lane.products[t * s.width + i];
    for (int64_t i = 0; i < s.width; ++i) row[s.width + i] = factor * sums[i];
  }
}

void FinishTerm(const PathSumBackwardArgs& a, const BackwardScratch& s, int64_t k) {
  const PathTerm& term = a.terms[k];
  const double* totals = s.totals + 2 * k * s.width;
  for (int64_t c = 0; c < a.channels; ++c) {
    const double sum = ColumnSum(totals + s.width, c, a.channels, s.width);
    const double product = ColumnSum(totals, c, a.channels, s.width) + (s.means[k * s.width + c] - term.mean[c]) * sum;
    a.diff_gammas[k][c] = static_cast<float>(product / std::sqrt(term.variance[c] + a.epsilon));
    a.diff_betas[k][c] = static_cast<float>(sum);
  }
}

}  // namespace

size_t PathSumScratch(int64_t terms, int64_t channels, int lanes) {
  return ForwardScratch(nullptr, terms, channels, lanes).bytes;
}

void PathSum(const PathSumArgs& a) {
  Check(a);
  const ForwardScratch s(static_cast<std::byte*>(a.scratch), a.count, a.channels, a.lanes);
  FillCoefficients(a, s);
  // Blocks of whole rows of `width`, or pieces of one such row.
  const int64_t size = a.pixels * a.channels, pieces = (s.width + kNormalizedSumBlock - 1) / kNormalizedSumBlock;
  const int64_t step = pieces > 1 ? s.width : kNormalizedSumBlock / s.width * s.width;
  const NormalizedSumTable& table = PD_KERNEL_TABLE(kNormalizedSum);
  ForSamples(a, 1, [&](int64_t index, int64_t sample, int64_t) {
    const ForwardScratch::Lane lane = s.LaneAt(index, a.count);
    const int64_t taken = TakeTerms(a, s, sample, lane);
    float* dst = a.dst + sample * size;
    if (taken == 0) std::fill_n(dst, size, 0.0f);
    for (int64_t row = 0; taken > 0 && row < size; row += step) {
      for (int64_t at = 0; at < std::min(step, size - row); at += kNormalizedSumBlock) {
        const int64_t count = std::min({kNormalizedSumBlock, step - at, size - row - at});
        table.sum({lane.srcs, lane.scales + at, lane.shift + at, taken, s.width, dst + row + at,
                   sample * size + row + at, count});
      }
    }
  });
}

size_t PathSumBackwardScratch(int64_t terms, int64_t samples, int64_t pixels, int64_t channels, int lanes) {
  return BackwardScratch(nullptr, terms, samples, pixels, channels, lanes).bytes;
}

void PathSumBackward(const PathSumBackwardArgs& a) {
  Check(a);
  const BackwardScratch s(static_cast<std::byte*>(a.scratch), a.count, a.samples, a.pixels, a.channels, a.lanes);
  for (int64_t k = 0; k < a.count; ++k) FillMeans(a.terms[k].mean, a.channels, s.width, s.means + k * s.width);
  ForSamples(a, s.chunks, [&](int64_t index, int64_t sample, int64_t chunk) {
    SumChunk(a, s, s.LaneAt(index, a.count), sample, chunk);
  });
  AddPartialSums(s.partial, a.samples * s.chunks, 2 * a.count * s.width, s.totals);
  for (int64_t k = 0; k < a.count; ++k) FinishTerm(a, s, k);
}

}  // namespace pdarts::kernels
