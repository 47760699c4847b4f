#include "kernels/elementwise.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kGrain = 8192;  // floats per thread at least
constexpr int64_t kChunk = 4096;  // floats per partial sum: fixed, since it shapes the tree of the additions

int64_t Chunks(int64_t count) { return (count + kChunk - 1) / kChunk; }

}  // namespace

void Relu(const float* src, float* dst, int64_t count) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(count, kGrain, [&](int64_t b, int64_t e) { table.relu(src + b, dst + b, e - b); });
}

void AddMasked(const AddMaskedArgs& a) {
  PD_KERNEL_TABLE(kElementwise).add_masked({a.src, a.add, a.mask, a.dst, a.rows, a.width, a.stride, a.stream});
}

void StreamCopy(const float* src, float* dst, int64_t count) {
  PD_KERNEL_TABLE(kElementwise).stream({src, dst, count});
}

void FenceStreams() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

void ReluBackward(const float* src, const float* diff_dst, float* diff_src, int64_t count) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(count, kGrain,
                    [&](int64_t b, int64_t e) { table.relu_backward(src + b, diff_dst + b, diff_src + b, e - b); });
}

void Scale(const float* src, float factor, float* dst, int64_t count) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(count, kGrain, [&](int64_t b, int64_t e) { table.scale(src + b, factor, dst + b, e - b); });
}

void WeightedSum(const WeightedSumArgs& args) {
  PD_CHECK(args.sources >= 1, "{} sources", args.sources);
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(args.count, std::max<int64_t>(1, kGrain / args.sources), [&](int64_t b, int64_t e) {
    table.weighted_sum(args.srcs, args.weights, args.sources, args.dst, b, e);
  });
}

int64_t DotsScratch(int64_t sources, int64_t count) { return sources * Chunks(count); }

void Dots(const DotsArgs& args) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  const int64_t chunks = Chunks(args.count);
  base::ParallelFor(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t first = chunk * kChunk, size = std::min(kChunk, args.count - first);
      for (int64_t i = 0; i < args.sources; ++i) {
        args.scratch[chunk * args.sources + i] = table.dot(args.diff_dst + first, args.srcs[i] + first, size);
      }
    }
  });
  for (int64_t i = 0; i < args.sources; ++i) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += args.scratch[chunk * args.sources + i];
    args.dots[i] = static_cast<float>(sum);
  }
}

int64_t SumOfSquaresScratch(int64_t count) { return Chunks(count); }

double SumOfSquares(const float* src, int64_t count, double* scratch) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  const int64_t chunks = Chunks(count);
  base::ParallelFor(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      scratch[chunk] = table.sum_of_squares(src + chunk * kChunk, std::min(kChunk, count - chunk * kChunk));
    }
  });
  double sum = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += scratch[chunk];
  return sum;
}

}  // namespace pdarts::kernels
