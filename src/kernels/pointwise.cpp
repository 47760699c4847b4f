#include "kernels/pointwise.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/partial_sums.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kRows = 104;             // pixels per item of a product: with 64 channels 26 KB, a first cache
constexpr int64_t kChunk = 256;            // pixels at least per partial sum of the weights' gradient
constexpr int64_t kPartialSums = 1 << 20;  // floats of partial sums at most, unless 16 of them need more

void Check(const PointwiseParams& p) {
  PD_CHECK(p.pixels >= 1 && p.in >= 1 && p.out >= 1, "{} pixels, {} to {} channels", p.pixels, p.in, p.out);
  PD_CHECK(p.groups >= 1 && p.in % p.groups == 0 && p.out % p.groups == 0, "{} to {} channels in {} groups", p.in,
           p.out, p.groups);
}

// How many partial sums, by sizes alone: it shapes the total.
int64_t Chunks(const PointwiseParams& p) {
  const int64_t most = std::max<int64_t>(16, kPartialSums / (p.in * p.out));
  return std::clamp<int64_t>(p.pixels / kChunk, 1, most);
}

// dst [rows, n] = src [rows, k] times matrix [k, n], on all threads.
void Multiply(const float* src, const float* matrix, float* dst, int64_t rows, int64_t k, int64_t n) {
  base::ParallelFor((rows + kRows - 1) / kRows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t first = item * kRows;
      PointwiseProduct({src + first * k, matrix, dst + first * n, std::min(kRows, rows - first), k, n});
    }
  });
}

}  // namespace

int64_t PointwiseScratch(const PointwiseParams& p) { return p.in * p.out + PointwiseDataScratch(p); }

int64_t PointwiseDataScratch(const PointwiseParams& p) { return p.groups > 1 ? p.in * p.out : 0; }

int64_t PointwiseWeightsScratch(const PointwiseParams& params) { return Chunks(params) * params.in * params.out; }

void PointwiseForward(const PointwiseParams& p, const PointwiseForwardArgs& args) {
  Check(p);
  Transpose(PointwiseMatrix(p, args.weights, args.scratch + p.in * p.out), p.out, p.in, args.scratch);
  Multiply(args.src, args.scratch, args.dst, p.pixels, p.in, p.out);
}

void PointwiseBackwardData(const PointwiseParams& p, const PointwiseBackwardDataArgs& args) {
  Check(p);
  Multiply(args.diff_dst, PointwiseMatrix(p, args.weights, args.scratch), args.diff_src, p.pixels, p.out, p.in);
}

void PointwiseBackwardWeights(const PointwiseParams& p, const PointwiseBackwardWeightsArgs& args) {
  Check(p);
  const int64_t chunks = Chunks(p), size = p.in * p.out;
  base::ParallelFor(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* sums = args.scratch + chunk * size;
      const int64_t first = p.pixels * chunk / chunks, last = p.pixels * (chunk + 1) / chunks;
      AddPointwiseProducts(
          {args.diff_dst + first * p.out, args.src + first * p.in, sums, last - first, p.out, p.in, true});
    }
  });
  AddPartialSums(args.scratch, chunks, size, p.groups > 1 ? args.scratch : args.diff_weights);
  if (p.groups > 1) NarrowGroups(p, args.scratch, args.diff_weights);
}

void PointwiseProduct(const PointwiseProductArgs& a) {
  PD_KERNEL_TABLE(kPointwise).multiply({a.src, a.matrix, a.dst, a.rows, a.k, a.n, a.moments, a.stream, a.between});
}

void AddPointwiseProducts(const PointwiseSumsArgs& a) {
  const PointwiseTable& table = PD_KERNEL_TABLE(kPointwise);
  const int64_t block = std::max<int64_t>(32, 4096 / (a.m + a.n));  // pixels: 16 KB, read again by every tile
  for (int64_t first = 0; first < a.rows; first += block)
    table.add_outer_products({a.left + first * a.m, a.right + first * a.n, a.sums, std::min(block, a.rows - first), a.m,
                              a.n, a.fresh && first == 0, a.between});
}

const float* PointwiseMatrix(const PointwiseParams& p, const float* weights, float* wide) {
  if (p.groups == 1) return weights;
  const int64_t width = p.in / p.groups, rows = p.out / p.groups;
  std::fill_n(wide, p.out * p.in, 0.0f);
  for (int64_t o = 0; o < p.out; ++o) std::copy_n(weights + o * width, width, wide + o * p.in + o / rows * width);
  return wide;
}

void NarrowGroups(const PointwiseParams& p, const float* matrix, float* weights) {
  const int64_t width = p.in / p.groups, rows = p.out / p.groups;
  for (int64_t o = 0; o < p.out; ++o) std::copy_n(matrix + o * p.in + o / rows * width, width, weights + o * width);
}

void Transpose(const float* src, int64_t rows, int64_t columns, float* dst) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) dst[j * rows + i] = src[i * columns + j];
  }
}

}  // namespace pdarts::kernels
