#include "kernels/dropout.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kChunk = 1024;  // elements per item: a multiple of the elements per step of every instruction set

}  // namespace

void Dropout(const DropoutArgs& args) {
  PD_CHECK(args.rate >= 0 && args.rate < 1, "rate {}", args.rate);
  const DropoutTable& table = PD_KERNEL_TABLE(kDropout);
  const auto scale = PD_KERNEL_TABLE(kElementwise).scale;
  base::ParallelFor((args.count + kChunk - 1) / kChunk, 4, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kChunk, last = std::min(end * kChunk, args.count);
    if (args.rate == 0) return scale(args.src + first, args.weight, args.dst + first, last - first);
    table.dropout({args.src, args.dst, first, last, base::DropoutSteps(args.rate),
                   args.weight * base::DropoutScale(args.rate), args.draw.key, args.draw.op_id, args.draw.step});
  });
}

void DropPath(const base::DropoutDraw& draw, float rate, int64_t samples, double* factors) {
  PD_CHECK(rate >= 0 && rate < 1, "rate {}", rate);
  const double scale = 1 / (1 - base::DropoutRate(rate));
  for (int64_t i = 0; i < samples; ++i) factors[i] = base::DropoutMaskKeep(draw, rate, i) ? scale : 0;
}

void ScaleSamples(const ScaleSamplesArgs& a) {
  const ElementwiseTable& table = PD_KERNEL_TABLE(kElementwise);
  base::ParallelFor(a.samples, 1, [&](int64_t begin, int64_t end) {
    for (int64_t sample = begin; sample < end; ++sample) {
      const auto factor = static_cast<float>(a.factors[sample]);
      float* dst = a.dst + sample * a.size;
      if (factor != 0)
        table.scale(a.src + sample * a.size, factor, dst, a.size);
      else
        std::fill_n(dst, a.size, 0.0f);
    }
  });
}

}  // namespace pdarts::kernels
