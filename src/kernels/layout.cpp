#include "kernels/layout.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kGrain = 16384;  // floats per thread at least

int64_t RowGrain(int64_t width) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)); }

// [batch, rows, columns] -> [batch, columns, rows], in square tiles so that both sides move whole cache lines.
void Transpose(const float* src, int64_t batch, int64_t rows, int64_t columns, float* dst) {
  constexpr int64_t kTile = 16;
  const int64_t strips = (columns + kTile - 1) / kTile;
  base::ParallelFor(batch * strips, RowGrain(rows * kTile), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t base = item / strips * rows * columns, first = item % strips * kTile;
      const int64_t last = std::min(first + kTile, columns);
      for (int64_t top = 0; top < rows; top += kTile) {
        const int64_t bottom = std::min(top + kTile, rows);
        for (int64_t column = first; column < last; ++column) {
          for (int64_t row = top; row < bottom; ++row)
            dst[base + column * rows + row] = src[base + row * columns + column];
        }
      }
    }
  });
}

}  // namespace

void Copy(const float* src, float* dst, int64_t count) {
  base::ParallelFor(count, kGrain,
                    [&](int64_t b, int64_t e) { std::memcpy(dst + b, src + b, (e - b) * sizeof(float)); });
}

void Fill(float* dst, float value, int64_t count) {
  base::ParallelFor(count, kGrain, [&](int64_t b, int64_t e) { std::fill(dst + b, dst + e, value); });
}

void CopyRows(const CopyRowsArgs& a) {
  const LayoutTable& table = PD_KERNEL_TABLE(kLayout);
  base::ParallelFor(a.rows, RowGrain(a.width), [&](int64_t b, int64_t e) {
    table.copy_rows(
        {a.src + b * a.src_stride, a.src_stride, a.dst + b * a.dst_stride, a.dst_stride, e - b, a.width, false});
  });
}

void ConcatChannels(const ConcatArgs& a) {
  int64_t channels = 0;
  for (int64_t i = 0; i < a.sources; ++i) channels += a.channels[i];
  const LayoutTable& table = PD_KERNEL_TABLE(kLayout);
  constexpr int64_t kBlock =
      64;  // rows of all sources before the next ones, so that a line of dst is written while in cache
  base::ParallelFor(a.rows, RowGrain(channels), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b += kBlock) {
      int64_t offset = 0;
      for (int64_t i = 0; i < a.sources; offset += a.channels[i++]) {
        table.copy_rows({a.srcs[i] + b * a.channels[i], a.channels[i], a.dst + b * channels + offset, channels,
                         std::min(kBlock, end - b), a.channels[i], false});
      }
    }
  });
}

void SliceChannels(const SliceArgs& a) {
  PD_CHECK(a.offset >= 0 && a.offset + a.channels <= a.src_channels, "channels {} to {} of {}", a.offset,
           a.offset + a.channels, a.src_channels);
  CopyRows({a.src + a.offset, a.src_channels, a.dst, a.channels, a.rows, a.channels});
}

void Subsample(const SubsampleParams& p, const float* src, float* dst) {
  PD_CHECK(p.offset == 0 || p.offset == 1, "offset {}", p.offset);
  const LayoutTable& table = PD_KERNEL_TABLE(kLayout);
  const int64_t out_h = p.OutH(), out_w = p.OutW();
  base::ParallelFor(p.n * out_h, RowGrain(out_w * p.c), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t row = item / out_h * p.h + item % out_h * 2 + p.offset;
      table.copy_rows({src + (row * p.w + p.offset) * p.c, 2 * p.c, dst + item * out_w * p.c, p.c, out_w, p.c, false});
    }
  });
}

void SubsampleBackward(const SubsampleParams& p, const float* diff_dst, const float* add, float* diff_src) {
  PD_CHECK(p.offset == 0 || p.offset == 1, "offset {}", p.offset);
  const LayoutTable& table = PD_KERNEL_TABLE(kLayout);
  const int64_t out_h = p.OutH(), out_w = p.OutW();
  base::ParallelFor(p.n * p.h, RowGrain(p.w * p.c), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t image = item / p.h, y = item % p.h;
      float* row = diff_src + item * p.w * p.c;
      if (add == nullptr)
        std::fill_n(row, p.w * p.c, 0.0f);
      else if (add != diff_src)
        std::copy_n(add + item * p.w * p.c, p.w * p.c, row);
      if (y % 2 != p.offset) continue;
      (add == nullptr ? table.copy_rows : table.add_rows)(
          {diff_dst + (image * out_h + y / 2) * out_w * p.c, p.c, row + p.offset * p.c, 2 * p.c, out_w, p.c, false});
    }
  });
}

void NchwToNhwc(const float* src, int64_t n, int64_t channels, int64_t pixels, float* dst) {
  Transpose(src, n, channels, pixels, dst);
}

void NhwcToNchw(const float* src, int64_t n, int64_t channels, int64_t pixels, float* dst) {
  Transpose(src, n, pixels, channels, dst);
}

}  // namespace pdarts::kernels
