#include "kernels/pool.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

static_assert(kMaxPoolKernel <= kMostPoolWindows, "the average pool's backward keeps a weight for each");

void Check(const PoolParams& p) {
  PD_CHECK(p.n >= 0 && p.h >= 1 && p.w >= 1 && p.c >= 1, "src {}x{}x{}x{}", p.n, p.h, p.w, p.c);
  PD_CHECK(p.kernel >= 1 && p.kernel <= kMaxPoolKernel && p.stride >= 1 && p.pad >= 0 && 2 * p.pad <= p.kernel,
           "kernel {}, stride {}, pad {}", p.kernel, p.stride, p.pad);
  PD_CHECK(p.h + 2 * p.pad >= p.kernel && p.w + 2 * p.pad >= p.kernel, "a window of {} on {}x{}", p.kernel, p.h, p.w);
}

// Calls body(PoolRow, src, dst) for bands of at most `most` of an image's `rows` rows, on all threads; src and dst are
// where the image begins.
template <typename Body>
void ForBands(const PoolParams& p, int64_t rows, int64_t most, const Body& body) {
  const PoolRow shape{.height = p.h,
                      .width = p.w,
                      .out_height = p.OutH(),
                      .out_width = p.OutW(),
                      .channels = p.c,
                      .kernel = p.kernel,
                      .stride = p.stride,
                      .pad = p.pad};
  base::ParallelFor(p.n * rows, std::max<int64_t>(1, 4096 / (p.w * p.c)), [&](int64_t begin, int64_t end) {
    PoolRow band = shape;
    for (int64_t item = begin; item < end; item += band.end - band.y) {
      band.y = item % rows;
      band.end = std::min({band.y + most, rows, band.y + end - item});
      body(band, item / rows * p.h * p.w * p.c, item / rows * shape.out_height * shape.out_width * p.c);
    }
  });
}

}  // namespace

void MaxPoolForward(const PoolParams& params, const float* src, float* dst, uint8_t* workspace) {
  Check(params);
  const MaxPoolTable& table = PD_KERNEL_TABLE(kMaxPool);
  ForBands(params, params.OutH(), params.OutH(), [&](const PoolRow& rows, int64_t in, int64_t out) {
    table.rows(rows, src + in, dst + out, workspace ? workspace + out : nullptr, {});
  });
}

void MaxPoolBackward(const PoolParams& params, const float* diff_dst, const uint8_t* workspace, float* diff_src) {
  Check(params);
  const MaxPoolTable& table = PD_KERNEL_TABLE(kMaxPool);
  ForBands(params, params.h, 1, [&](const PoolRow& row, int64_t in, int64_t out) {
    table.backward_row(row, diff_dst + out, workspace + out, nullptr, diff_src + in);
  });
}

void AveragePoolForward(const PoolParams& params, const float* src, float* dst) {
  Check(params);
  const AveragePoolTable& table = PD_KERNEL_TABLE(kAveragePool);
  ForBands(params, params.OutH(), params.OutH(),
           [&](const PoolRow& rows, int64_t in, int64_t out) { table.rows(rows, src + in, dst + out, {}); });
}

void AveragePoolBackward(const PoolParams& params, const float* diff_dst, float* diff_src) {
  Check(params);
  const AveragePoolTable& table = PD_KERNEL_TABLE(kAveragePool);
  ForBands(params, params.h, 1, [&](const PoolRow& row, int64_t in, int64_t out) {
    table.backward_row(row, diff_dst + out, nullptr, diff_src + in);
  });
}

void GlobalAveragePoolForward(const float* src, int64_t n, int64_t pixels, int64_t channels, float* dst) {
  PD_CHECK(pixels >= 1 && channels >= 1, "{} pixels, {} channels", pixels, channels);
  const AveragePoolTable& table = PD_KERNEL_TABLE(kAveragePool);
  base::ParallelFor(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) table.mean(src + i * pixels * channels, pixels, channels, dst + i * channels);
  });
}

void GlobalAveragePoolBackward(const float* diff_dst, int64_t n, int64_t pixels, int64_t channels, float* diff_src) {
  PD_CHECK(pixels >= 1 && channels >= 1, "{} pixels, {} channels", pixels, channels);
  const AveragePoolTable& table = PD_KERNEL_TABLE(kAveragePool);
  base::ParallelFor(n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      table.spread(diff_dst + i * channels, pixels, channels, diff_src + i * pixels * channels);
    }
  });
}

}  // namespace pdarts::kernels
