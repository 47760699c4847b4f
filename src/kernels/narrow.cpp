#include "kernels/narrow.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {

int64_t NarrowScratch(const NarrowParams& p) { return p.kernel * p.kernel * p.c * p.out; }

void NarrowForward(const NarrowParams& p, const NarrowForwardArgs& args) {
  PD_CHECK(p.n >= 0 && p.c >= 1 && p.c <= kMaxNarrowChannels && p.out >= 1, "{} to {} channels", p.c, p.out);
  PD_CHECK(p.kernel >= 1 && p.stride >= 1 && p.pad >= 0 && p.h + 2 * p.pad >= p.kernel && p.w + 2 * p.pad >= p.kernel,
           "a window of {} on {}x{}, stride {}, pad {}", p.kernel, p.h, p.w, p.stride, p.pad);
  const int64_t taps = p.kernel * p.kernel, out_h = p.OutH(), out_w = p.OutW();
  for (int64_t o = 0; o < p.out; ++o) {
    for (int64_t c = 0; c < p.c; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap)
        args.scratch[(tap * p.c + c) * p.out + o] = args.weights[(o * p.c + c) * taps + tap];
    }
  }
  const NarrowTable& table = PD_KERNEL_TABLE(kNarrow);
  base::ParallelFor(p.n * out_h, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t top = item % out_h * p.stride - p.pad;
      table.row({.src = args.src + item / out_h * p.h * p.w * p.c,
                 .weights = args.scratch,
                 .dst = args.dst + item * out_w * p.out,
                 .top = top,
                 .height = p.h,
                 .width = p.w,
                 .channels = p.c,
                 .out = p.out,
                 .kernel = p.kernel,
                 .stride = p.stride,
                 .pad = p.pad,
                 .count = out_w});
    }
  });
}

}  // namespace pdarts::kernels
