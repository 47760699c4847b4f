#include "kernels/depthwise.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/depthwise_window.h"
#include "kernels/elementwise.h"
#include "kernels/partial_sums.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

void Check(const DepthwiseParams& p) {
  PD_CHECK(p.n >= 0 && p.h >= 1 && p.w >= 1 && p.c >= 1, "src {}x{}x{}x{}", p.n, p.h, p.w, p.c);
  PD_CHECK(p.kernel >= 1 && p.kernel <= kMaxDepthwiseKernel && p.stride >= 1 && p.dilation >= 1 && p.pad >= 0,
           "kernel {}, stride {}, dilation {}, pad {}", p.kernel, p.stride, p.dilation, p.pad);
  const int64_t reach = p.dilation * (p.kernel - 1) + 1;
  PD_CHECK(p.h + 2 * p.pad >= reach && p.w + 2 * p.pad >= reach, "a window of {} on {}x{}, pad {}", reach, p.h, p.w,
           p.pad);
}

// A row of dst is asked for while the one before it is written: by its turn memory has handed it over.
constexpr int64_t kAhead = 1;

// Rows per thread at least: below this a parallel region costs more than it gains.
int64_t Grain(const DepthwiseParams& p) { return std::max<int64_t>(1, 4096 / (p.w * p.c)); }

// The rows of a batch, one after another, without a division for each.
class Rows {
 public:
  Rows(int64_t first, int64_t height) : height_(height), image_(first / height), y_(first % height) {}
  void Next() {
    if (++y_ == height_) y_ = 0, ++image_;
  }
  int64_t image() const { return image_; }
  int64_t y() const { return y_; }

 private:
  int64_t height_, image_, y_;
};

// Whether the tables for a 3x3 take it; those of stride 2 have no forward.
bool Is3x3(const DepthwiseParams& p) {
  return p.kernel == 3 && p.stride == 1 && p.dilation <= 2 && p.pad == p.dilation &&
         std::min(p.h, p.w) >= kDepthwise3x3Least * p.dilation && p.c >= kWidestVector;
}

bool Is3x3OfStride2(const DepthwiseParams& p) {
  return p.kernel == 3 && p.stride == 2 && p.dilation == 1 && p.pad == 1 && std::min(p.h, p.w) >= kDepthwise3x3Least &&
         p.c >= kWidestVector;
}

using Entry3x3 = void (*)(const Depthwise3x3&);

// Rows [first, end) of all images' by an entry for a 3x3, at most so many at once. all: of the first row, its src at
// the first image. Of dilation 2, the even rows and the odd ones by themselves. After some rows comes after(row, rows).
template <class After>
void Rows3x3(const DepthwiseParams& p, Entry3x3 entry, const Depthwise3x3& all, int64_t first, int64_t end,
             int64_t most, const After& after) {
  const int64_t line = p.w * p.c, image = p.stride == 1 ? p.h * line : p.OutH() * p.OutW() * p.c;
  const int64_t shift = p.dilation - 1;  // dilations are 1 and 2: a division takes longer
  Depthwise3x3 a = all;
  a.width = p.w, a.channels = p.c, a.dilation = p.dilation, a.step = p.dilation * p.c, a.line = p.dilation * line;
  Rows at(first, p.h);
  for (int64_t row = first; row < end;) {
    const int64_t rows = std::min({end - row, p.h - at.y(), most});
    for (int64_t i = 0; i < std::min(p.dilation, rows); ++i) {
      const int64_t y = at.y() + i, phase = y & shift, offset = (row + i - first) * line;
      a.src = all.src + at.image() * image + phase * line;
      a.dst = all.dst + offset;
      if (all.mask != nullptr) a.mask = all.mask + offset;
      if (all.add != nullptr) a.add = all.add + offset;
      a.height = (p.h - phase + shift) >> shift;
      a.first = y >> shift, a.end = a.first + ((rows - i + shift) >> shift);
      if (shift != 0) a.to_next = i == 0 ? line : (most - 1) * line;
      entry(a);
    }
    after(row, rows);
    for (const int64_t stop = row + rows; row < stop; ++row) at.Next();
  }
}

// As many rows as are worked on at once, or all if they are worked on in order. Alone, of stride 1 and from far, one
// (of dilation 2 one of each parity): memory hands over a row faster than pieces of four.
int64_t MostRows3x3(const DepthwiseParams& p, bool all, bool alone) {
  if (alone && p.stride == 1 && IsFar(p)) return p.dilation;
  return all && p.dilation == 1 ? p.h : p.dilation * kDepthwise3x3Rows;
}

void ForwardRows3x3(const DepthwiseParams& p, const DepthwiseForwardRowsArgs& args) {
  const Depthwise3x3 a{.src = args.src,
                       .weights = {args.arranged, args.arranged + 3 * p.c, args.arranged + 6 * p.c},
                       .dst = args.dst,
                       .ahead = args.ahead != 0,
                       .between = args.between};
  Rows3x3(p, PD_KERNEL_TABLE(kDepthwise3x3).rows, a, args.first, args.end, MostRows3x3(p, true, args.ahead != 0),
          [](int64_t, int64_t) {});
}

// A 3x3 backward of stride 1 is one forward with its rows upside down; ArrangeForBackward has turned round the columns.
void BackwardDataRows3x3(const DepthwiseParams& p, const DepthwiseBackwardDataRowsArgs& args) {
  const int64_t line = p.w * p.c, offset = args.first * line;
  const Depthwise3x3 a{.src = args.diff_dst,
                       .weights = {args.arranged + 6 * p.c, args.arranged + 3 * p.c, args.arranged},
                       .mask = args.mask ? args.mask + offset : nullptr,
                       .add = args.add ? args.add + offset : nullptr,
                       .dst = args.diff_src + offset,
                       .ahead = args.ahead != 0,
                       .between = args.between};
  // A copy while the rows are in the first cache.
  const int64_t most = MostRows3x3(p, args.copy == nullptr, args.ahead != 0);
  const Entry3x3 entry =
      p.stride == 1 ? PD_KERNEL_TABLE(kDepthwise3x3).rows : PD_KERNEL_TABLE(kDepthwise3x3Stride2).data_rows;
  Rows3x3(p, entry, a, args.first, args.end, most, [&](int64_t row, int64_t rows) {
    if (args.copy != nullptr) StreamCopy(args.diff_src + row * line, args.copy + row * line, rows * line);
  });
}

// The columns x of diff_src with x % stride == phase see the taps j with (phase + pad - j * dilation) % stride == 0.
struct Phase {
  int64_t taps = 0;
  int64_t first = 0;     // diff_dst column that the first tap reads for x = phase
  int64_t dilation = 1;  // diff_dst columns from tap to tap
  int64_t offset = 0;    // position of the taps within a row of the arranged weights
};

// The phases of a backward pass over an image of this width.
void FillPhases(const DepthwiseParams& p, Phase* phases) {
  int64_t offset = 0;
  for (int64_t phase = 0; phase < std::min(p.stride, p.w); ++phase) {
    Phase& at = phases[phase];
    at = {.dilation = p.dilation / std::gcd(p.stride, p.dilation), .offset = offset};
    for (int64_t j = p.kernel - 1; j >= 0; --j) {
      const int64_t column = phase + p.pad - j * p.dilation;
      if (column % p.stride != 0) continue;
      if (at.taps++ == 0) at.first = column / p.stride;
      ++offset;
    }
  }
}

// Adds an image's gradient to sums [K][K][C].
void AddImage(const DepthwiseParams& p, const float* src, const float* diff_dst, float* sums, bool ahead) {
  const bool fast = Is3x3(p) || Is3x3OfStride2(p);
  const auto add = fast ? PD_KERNEL_TABLE(kDepthwise3x3Weights).image : PD_KERNEL_TABLE(kDepthwise).weights_image;
  add({.src = src,
       .diff_dst = diff_dst,
       .sums = sums,
       .height = p.h,
       .width = p.w,
       .out_height = p.OutH(),
       .out_width = p.OutW(),
       .channels = p.c,
       .taps = p.kernel,
       .stride = p.stride,
       .dilation = p.dilation,
       .pad = p.pad,
       .ahead = ahead,
       .far = ahead && IsFarOfStride2(p)});
}

// Slices of the batch for sums of their own, 32, or 16 of a small one, where clearing and joining them would show. By
// sizes alone: it shapes the total.
constexpr int64_t kMostSlices = 32;
int64_t Slices(const DepthwiseParams& p) {
  return std::min(p.n, std::clamp<int64_t>(p.n * p.OutH() * p.OutW() * p.c / 24576, 16, kMostSlices));
}

// So many slices are joined by themselves, by the thread that made them if it is one: of what another core has written,
// each line takes as long as a hundred multiply-adds.
constexpr int64_t kGroup = 8;

int64_t Groups(int64_t slices) { return (slices + kGroup - 1) / kGroup; }

}  // namespace

int64_t DepthwiseTaps(const DepthwiseParams& params) { return params.kernel * params.kernel * params.c; }

int64_t DepthwiseScratch(const DepthwiseParams& params) { return WindowScratch(params); }

int64_t DepthwiseWeightsScratch(const DepthwiseParams& params) {
  const int64_t slices = Slices(params);
  return (slices + Groups(slices)) * DepthwiseTaps(params);
}

void ArrangeForForward(const DepthwiseParams& p, const float* weights, float* arranged) {
  const int64_t taps = p.kernel * p.kernel;
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t c = 0; c < p.c; ++c) arranged[tap * p.c + c] = weights[c * taps + tap];
  }
}

// [K][taps of phase 0, of phase 1, ...][C], j descending so that diff_dst columns ascend.
void ArrangeForBackward(const DepthwiseParams& p, const float* weights, float* arranged) {
  const int64_t k = p.kernel;
  int64_t offset = 0;
  for (int64_t phase = 0; phase < std::min(p.stride, p.w); ++phase) {
    for (int64_t j = k - 1; j >= 0; --j) {
      if ((phase + p.pad - j * p.dilation) % p.stride != 0) continue;
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t c = 0; c < p.c; ++c) arranged[(i * k + offset) * p.c + c] = weights[(c * k + i) * k + j];
      }
      ++offset;
    }
  }
}

void DepthwiseForwardRows(const DepthwiseParams& p, const DepthwiseForwardRowsArgs& args) {
  if (Is3x3(p)) return ForwardRows3x3(p, args);
  const int64_t k = p.kernel, out_h = p.OutH(), out_w = p.OutW();
  const DepthwiseTable& table = PD_KERNEL_TABLE(kDepthwise);
  DepthwiseRow row{.taps = k,
                   .stride = p.stride,
                   .dilation = p.dilation,
                   .first = -p.pad,
                   .src_width = p.w,
                   .channels = p.c,
                   .count = out_w,
                   .dst_step = p.c,
                   .ahead = args.ahead * out_w * p.c};
  Rows at(args.first, out_h);
  for (int64_t item = args.first; item < args.end; ++item, at.Next()) {
    const int64_t top = at.y() * p.stride - p.pad;
    row.rows = 0;
    for (int64_t i = 0; i < k; ++i) {
      const int64_t y = top + i * p.dilation;
      if (y < 0 || y >= p.h) continue;
      row.src[row.rows] = args.src + (at.image() * p.h + y) * p.w * p.c;
      row.weights[row.rows++] = args.arranged + i * k * p.c;
    }
    row.dst = args.dst + (item - args.first) * out_w * p.c;
    table.row(row);
    if (args.between != nullptr) args.between->piece(args.between->state);
  }
}

void DepthwiseBackwardDataRows(const DepthwiseParams& p, const DepthwiseBackwardDataRowsArgs& args) {
  PD_CHECK(p.stride <= kMaxDepthwiseKernel, "stride {}", p.stride);
  const int64_t k = p.kernel, out_h = p.OutH(), out_w = p.OutW();
  if (Is3x3(p) || Is3x3OfStride2(p)) return BackwardDataRows3x3(p, args);
  Phase phases[kMaxDepthwiseKernel];
  FillPhases(p, phases);
  const DepthwiseTable& table = PD_KERNEL_TABLE(kDepthwise);
  DepthwiseRow row{
      .stride = 1, .src_width = out_w, .channels = p.c, .dst_step = p.stride * p.c, .ahead = args.ahead * p.w * p.c};
  Rows at(args.first, p.h);
  for (int64_t item = args.first; item < args.end; ++item, at.Next()) {
    for (int64_t x = 0; x < std::min(p.stride, p.w); ++x) {
      const Phase& phase = phases[x];
      row.rows = 0;
      for (int64_t i = k - 1; i >= 0 && phase.taps > 0; --i) {
        const int64_t scaled = at.y() + p.pad - i * p.dilation;
        if (scaled < 0 || (p.stride > 1 && scaled % p.stride != 0)) continue;
        const int64_t y = p.stride > 1 ? scaled / p.stride : scaled;  // a division takes as long as ten multiply-adds
        if (y >= out_h) continue;
        row.src[row.rows] = args.diff_dst + (at.image() * out_h + y) * out_w * p.c;
        row.weights[row.rows++] = args.arranged + (i * k + phase.offset) * p.c;
      }
      row.taps = std::max<int64_t>(1, phase.taps);  // without rows one tap just stores zeros
      row.dilation = phase.taps > 1 ? phase.dilation : 1;
      row.first = phase.first;
      row.count = (p.w - x + p.stride - 1) / p.stride;
      const int64_t offset = (item * p.w + x) * p.c;
      row.dst = args.diff_src + offset;
      row.mask = args.mask ? args.mask + offset : nullptr;
      row.add = args.add ? args.add + offset : nullptr;
      table.row(row);
    }
    const int64_t offset = item * p.w * p.c;
    if (args.copy != nullptr) StreamCopy(args.diff_src + offset, args.copy + offset, p.w * p.c);
    if (args.between != nullptr) args.between->piece(args.between->state);
  }
}

void AddDepthwiseWeightsGradient(const DepthwiseParams& p, const float* src, const float* diff_dst, float* sums) {
  for (int64_t image = 0; image < p.n; ++image)
    AddImage(p, src + image * p.h * p.w * p.c, diff_dst + image * p.OutH() * p.OutW() * p.c, sums, false);
}

void ArrangeWeightsGradient(const DepthwiseParams& p, const float* sums, float* diff_weights) {
  const int64_t taps = p.kernel * p.kernel;
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t c = 0; c < p.c; ++c) diff_weights[c * taps + tap] = sums[tap * p.c + c];
  }
}

void DepthwiseForward(const DepthwiseParams& p, const DepthwiseForwardArgs& args) {
  Check(p);
  if (IsWindow(p)) return WindowForward(p, args);
  ArrangeForForward(p, args.weights, args.scratch);
  const int64_t row = p.OutW() * p.c;
  base::ParallelFor(p.n * p.OutH(), Grain(p), [&](int64_t begin, int64_t end) {
    DepthwiseForwardRows(p, {args.src, args.scratch, args.dst + begin * row, begin, end, nullptr, kAhead});
  });
}

void DepthwiseBackwardData(const DepthwiseParams& p, const DepthwiseBackwardDataArgs& args) {
  Check(p);
  if (IsWindowBackward(p)) return WindowBackwardData(p, args);
  ArrangeForBackward(p, args.weights, args.scratch);
  base::ParallelFor(p.n * p.h, Grain(p), [&](int64_t begin, int64_t end) {
    DepthwiseBackwardDataRows(
        p, {args.diff_dst, args.scratch, nullptr, nullptr, args.diff_src, begin, end, nullptr, nullptr, kAhead});
  });
}

void DepthwiseBackwardWeights(const DepthwiseParams& p, const DepthwiseBackwardWeightsArgs& args) {
  Check(p);
  const int64_t out_h = p.OutH(), out_w = p.OutW(), size = DepthwiseTaps(p);
  if (p.n == 0) return static_cast<void>(std::fill_n(args.diff_weights, size, 0.0f));
  // Each slice has sums of its own, and these are added in order: the same tree for any number of threads.
  const int64_t slices = Slices(p), groups = Groups(slices);
  float* const totals = args.scratch + slices * size;  // of groups
  bool joined[kMostSlices / kGroup] = {};
  const auto join = [&](int64_t group) {
    AddPartialSums(args.scratch + group * kGroup * size, std::min(kGroup, slices - group * kGroup), size,
                   totals + group * size);
  };
  base::ParallelFor(slices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slice = begin; slice < end; ++slice) {
      float* sums = args.scratch + slice * size;
      std::fill_n(sums, size, 0.0f);
      for (int64_t image = p.n * slice / slices; image < p.n * (slice + 1) / slices; ++image)
        AddImage(p, args.src + image * p.h * p.w * p.c, args.diff_dst + image * out_h * out_w * p.c, sums, true);
      const int64_t group = slice / kGroup;
      if (group * kGroup < begin || (slice % kGroup < kGroup - 1 && slice + 1 < slices)) continue;
      join(group);
      joined[group] = true;
    }
  });
  for (int64_t group = 0; group < groups; ++group)
    if (!joined[group]) join(group);
  AddPartialSums(totals, groups, size, totals);
  ArrangeWeightsGradient(p, totals, args.diff_weights);
}

}  // namespace pdarts::kernels
