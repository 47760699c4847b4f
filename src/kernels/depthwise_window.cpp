#include "kernels/depthwise_window.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

// Of an image, and of what a window goes along where it is dilated.
constexpr int64_t kLeastSide = 4, kLeastDilatedSide = 3;

// [channels in blocks of kWidestVector][K][K][kWidestVector]; a last block ends at the last channel. backward: turned
// round.
void Arrange(const DepthwiseParams& p, const float* weights, bool backward, float* arranged) {
  const int64_t taps = p.kernel * p.kernel;
  for (int64_t c = 0; c < p.c; c += kWidestVector) {
    const float* block = weights + std::min(c, p.c - kWidestVector) * taps;
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t lane = 0; lane < kWidestVector; ++lane)
        *arranged++ = block[lane * taps + (backward ? taps - 1 - tap : tap)];
    }
  }
}

// Of so many rows or columns, those from `phase` on, `dilation` apart.
int64_t OfPhase(int64_t count, int64_t dilation, int64_t phase) { return (count - phase + dilation - 1) / dilation; }

// Rows of dst in parts, worked on at once; the first ones have a row more, if any. Where two are most, three come
// rather than a single one: there is no code for the last row but one without the last.
struct Parts {
  Parts(int64_t all, int64_t most)
      : rows(all), count(most == 2 ? std::max<int64_t>(1, all / 2) : (all + most - 1) / most) {}
  int64_t First(int64_t part) const { return part * (rows / count) + std::min(part, rows % count); }
  int64_t rows, count;
};

// A pass over all images, on all threads.
class Pass {
 public:
  Pass(const DepthwiseParams& p, const float* src, const float* arranged, float* dst)
      : p_(p), src_(src), dst_(dst), line_(p.w * p.c), out_h_(p.OutH()), out_line_(p.OutW() * p.c) {
    base_.weights = arranged;
    base_.taps = p.kernel, base_.stride = p.stride, base_.channels = p.c;
    base_.step = p.dilation * p.c, base_.src_line = p.dilation * line_, base_.dst_line = p.dilation * out_line_;
  }

  void Run() const {
    const int64_t count = PartsOf(0).count;  // those of phase 0 are most
    // Below so many floats a thread's share costs more than it gains.
    const int64_t grain = std::max<int64_t>(1, 4096 * count / (out_h_ * line_));
    base::ParallelFor(p_.n * count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) RunPart(item / count, item % count);
    });
  }

 private:
  // Of a 3x3, which waits for memory, one: row by row it is handed over fastest.
  int64_t Most() const { return p_.kernel == 3 ? 1 : PD_KERNEL_TABLE(kDepthwiseWindow).most_rows; }

  // Of dilation 2 the even rows and the odd ones are images of their own, as are their columns: none sees another's.
  Parts PartsOf(int64_t phase) const { return {OfPhase(out_h_, p_.dilation, phase), Most()}; }

  void RunPart(int64_t image, int64_t part) const {
    const int64_t d = p_.dilation;
    const float* src = src_ + image * p_.h * line_;
    float* dst = dst_ + image * out_h_ * out_line_;
    // From the first rows that this part does not read, and does not write: on through all phases.
    const int64_t end = PartsOf(0).First(part + 1), behind = (end - 1) * p_.stride + p_.kernel / 2 + 1;
    DepthwiseAsk ask{src + behind * d * line_, dst + end * d * out_line_};
    DepthwiseWindow a = base_;
    for (int64_t phase = 0; phase < d; ++phase) {
      const Parts parts = PartsOf(phase);
      if (part >= parts.count) continue;
      a.height = OfPhase(p_.h, d, phase);
      a.first = parts.First(part), a.rows = parts.First(part + 1) - a.first;
      for (int64_t column = 0; column < d; ++column) {
        a.width = OfPhase(p_.w, d, column);
        a.src = src + phase * line_ + column * p_.c;
        a.dst = dst + (a.first * d + phase) * out_line_ + column * p_.c;
        PD_KERNEL_TABLE(kDepthwiseWindow).rows(a, ask);
      }
    }
  }

  const DepthwiseParams& p_;
  const float* src_;
  float* dst_;
  int64_t line_, out_h_, out_line_;  // floats of a row of src, rows of dst, floats of one
  DepthwiseWindow base_{};
};

}  // namespace

bool IsFar(const DepthwiseParams& p) {
  constexpr int64_t kSecondCaches = int64_t{4} << 20;  // bytes
  return p.n * (p.h * p.w + p.OutH() * p.OutW()) * p.c * int64_t{sizeof(float)} >= kSecondCaches;
}

bool IsFarOfStride2(const DepthwiseParams& p) {
  const int64_t read = (p.c + kWidestVector - 1) / kWidestVector * kWidestVector;
  return IsFar(p) && (read - p.c) * 8 <= p.c;
}

bool IsWindow(const DepthwiseParams& p) {
  if (p.stride == 1) return IsWindowBackward(p);
  // Of stride 2, in a near cache rows are faster.
  return (p.kernel == 3 || p.kernel == 5) && p.stride == 2 && p.dilation == 1 && p.pad == p.kernel / 2 &&
         std::min(p.h, p.w) >= kLeastSide && p.c >= kWidestVector && (p.kernel == 3 ? IsFarOfStride2(p) : IsFar(p));
}

bool IsWindowBackward(const DepthwiseParams& p) {
  if (p.stride != 1 || p.dilation > 2 || p.pad != p.kernel / 2 * p.dilation || p.c < kWidestVector) return false;
  // The table for a 3x3 is as fast where its blocks of pixels fit the rows.
  if (p.kernel == 3) return p.dilation == 1 && p.w > kDepthwise3x3Least && p.w % kDepthwise3x3Pixels != 0;
  return p.kernel == 5 && std::min(p.h, p.w) >= (p.dilation == 1 ? kLeastSide : 2 * kLeastDilatedSide);
}

int64_t WindowScratch(const DepthwiseParams& p) {
  return (p.c + kWidestVector - 1) / kWidestVector * kWidestVector * p.kernel * p.kernel;
}

void WindowForward(const DepthwiseParams& p, const DepthwiseForwardArgs& args) {
  Arrange(p, args.weights, false, args.scratch);
  Pass(p, args.src, args.scratch, args.dst).Run();
}

void WindowBackwardData(const DepthwiseParams& p, const DepthwiseBackwardDataArgs& args) {
  Arrange(p, args.weights, true, args.scratch);
  Pass(p, args.diff_dst, args.scratch, args.diff_src).Run();
}

}  // namespace pdarts::kernels
