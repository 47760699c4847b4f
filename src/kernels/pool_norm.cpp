#include "kernels/pool_norm.h"

#include <algorithm>
#include <atomic>

#include "kernels/separable_tiles.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {
namespace {

void Check(const PoolParams& p, size_t branches) {
  PD_CHECK(p.n >= 1 && p.h >= 1 && p.w >= 1 && p.c >= 1 && branches >= 1, "{} pools of {}x{}x{}x{}", branches, p.n, p.h,
           p.w, p.c);
  PD_CHECK(p.kernel >= 1 && p.kernel <= kMaxPoolKernel && p.stride >= 1 && p.pad >= 0 && 2 * p.pad <= p.kernel,
           "kernel {}, stride {}, pad {}", p.kernel, p.stride, p.pad);
}

PoolRow RowOf(const PoolParams& p) {
  return {.height = p.h,
          .width = p.w,
          .out_height = p.OutH(),
          .out_width = p.OutW(),
          .channels = p.c,
          .kernel = p.kernel,
          .stride = p.stride,
          .pad = p.pad,
          .y = 0};
}

int64_t SourceFloats(const PoolParams& p) { return p.h * p.w * p.c; }
int64_t DstFloats(const PoolParams& p) { return p.OutH() * p.OutW() * p.c; }

// The bands of an image's dst rows.
Bands DstBands(const PoolParams& p) { return {p.OutH(), p.OutW(), p.c}; }

// An eighth of a band, as several tensors of src's size are in use at once, and more of the next rows' lines are on
// their way to the cache the sooner it is their turn.
Bands SourceBands(const PoolParams& p) { return {p.h, p.w, 8 * p.c}; }

// Source bands whose sums are taken at once: about 16 KB, or eight rows.
constexpr int64_t kSumBands = 8;
int64_t SumChunks(const PoolParams& p) { return (SourceBands(p).count + kSumBands - 1) / kSumBands; }

// Floats of what a lane needs to make dst beside its place.
int64_t ForwardBuffers(const PoolParams& p) { return 2 * DstBands(p).size * p.OutW() * p.c; }

// dst of an image, where its bands are made: there, or, where it goes past the caches, in one of two buffers of a band
// each. A band goes while the next one is made, so that what is written waits while that is computed.
class ForwardBands {
 public:
  ForwardBands(const PoolParams& p, float* dst, float* buffers)
      : bands_(DstBands(p)), row_(p.OutW() * p.c), dst_(dst), buffers_(buffers) {}

  // Where rows of the band lie, as if the image began there.
  float* Image(int64_t band) const {
    return buffers_ == nullptr ? dst_ : buffers_ + (band % 2 * bands_.size - bands_.First(band)) * row_;
  }
  // What is to be written of the band; -1: nothing.
  StreamRange Written(int64_t band) const {
    if (buffers_ == nullptr || band < 0) return {};
    const int64_t at = bands_.First(band) * row_;
    return {Image(band) + at, dst_ + at, bands_.First(band + 1) * row_ - at};
  }

 private:
  Bands bands_;
  int64_t row_;  // floats
  float *dst_, *buffers_;
};

// One image of one branch; moments [bands][3][C].
void ForwardImage(const PoolParams& p, const float* src, const ForwardBands& dst, uint8_t* workspace, float* moments) {
  const MaxPoolTable& max = PD_KERNEL_TABLE(kMaxPool);
  const AveragePoolTable& average = PD_KERNEL_TABLE(kAveragePool);
  const Bands bands = DstBands(p);
  PoolRow rows = RowOf(p);
  for (int64_t band = 0; band < bands.count; ++band) {
    rows.y = bands.First(band), rows.end = bands.First(band + 1);
    if (workspace != nullptr)
      max.rows(rows, src, dst.Image(band), workspace, dst.Written(band - 1));
    else
      average.rows(rows, src, dst.Image(band), dst.Written(band - 1));
    BatchNormChunkMoments(dst.Image(band) + rows.y * p.OutW() * p.c, (rows.end - rows.y) * p.OutW(), p.c,
                          moments + band * 3 * p.c);
  }
  const StreamRange rest = dst.Written(bands.count - 1);
  StreamCopy(rest.src, rest.dst, rest.count);
}

// What one thread works in. Whole images, so that rows lie where the pools' kernels look for them.
struct Lane {
  Lane(const PoolParams& p, size_t branches, size_t diffs, size_t drops, Cutter cut)
      : srcs(cut.Take<const float*>(static_cast<int64_t>(diffs) + 1)),
        weights(cut.Take<float>(static_cast<int64_t>(diffs) + 1)),
        sum(cut.Take<float>((SourceBands(p).size + p.pad) * p.OutW() * p.c)),
        norm(cut.Take<float>(static_cast<int64_t>(branches) * DstFloats(p))),
        row(cut.Take<float>(p.w * p.c)),
        dropped(cut.Take<float>(static_cast<int64_t>(drops) * SourceBands(p).size * p.w * p.c)),
        bytes(cut.used()) {}
  const float** srcs;  // the diffs at the rows that are summed, maybe behind one other
  float* weights;
  float* sum;      // of the weighted diffs, some rows
  float* norm;     // the gradient of each branch's dst
  float* row;      // a row of a sum
  float* dropped;  // a band of each dropped term
  size_t bytes;
};

class Backward {
 public:
  Backward(const PoolParams& p, const PoolNormBackwardArgs& args, Cutter& cut)
      : p_(p),
        args_(args),
        elementwise_(PD_KERNEL_TABLE(kElementwise)),
        max_(PD_KERNEL_TABLE(kMaxPool)),
        average_(PD_KERNEL_TABLE(kAveragePool)),
        lines_(cut.Take<float>(static_cast<int64_t>(args.branches.size()) * BatchNormGradientLinesSize(p.c))),
        rounded_mean_(cut.Take<float>(p.c)),
        partial_(cut.Take<float>(p.n * SumChunks(p) * 2 * p.c)),
        lanes_(cut) {
    for (int64_t c = 0; c < p.c && args.sums.src != nullptr; ++c)
      rounded_mean_[c] = static_cast<float>(args.sums.mean[c]);
    for (size_t b = 0; b < args.branches.size(); ++b) {
      const PoolNormBackwardBranch& branch = args.branches[b];
      MakeBatchNormGradientLines({.mean = branch.mean,
                                  .variance = branch.variance,
                                  .gamma = nullptr,
                                  .diff_gamma = branch.diff_gamma,
                                  .diff_beta = branch.diff_beta,
                                  .factor = 1,
                                  .epsilon = args.epsilon,
                                  .batch_rows = p.n * p.OutH() * p.OutW(),
                                  .channels = p.c},
                                 Lines(b));
    }
  }

  void Run() const {
    size_t diffs = args_.direct.size();
    for (const PoolNormBackwardBranch& branch : args_.branches) diffs = std::max(diffs, branch.diff_dsts.size());
    const size_t drops = args_.drops.size(),
                 bytes = Lane(p_, args_.branches.size(), diffs, drops, Cutter(nullptr)).bytes;
    std::atomic<int64_t> next = 0;
    base::ParallelFor(args_.lanes, 1, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const Lane lane(p_, args_.branches.size(), diffs, drops, lanes_.Lane(at, bytes));
        for (int64_t image = next++; image < p_.n; image = next++) RunImage(lane, image);
      }
    });
    const PoolNormBackwardSums& s = args_.sums;
    if (s.src != nullptr)
      FinishBatchNormSums({partial_, p_.n * SumChunks(p_), p_.c, s.mean, rounded_mean_, s.variance, args_.epsilon,
                           s.diff_gamma, s.diff_beta});
  }

 private:
  float* Lines(size_t branch) const { return lines_ + static_cast<int64_t>(branch) * BatchNormGradientLinesSize(p_.c); }

  // The dst rows that src rows [0, end) read.
  int64_t DstRows(int64_t end) const { return std::min(p_.OutH(), (end - 1 + p_.pad) / p_.stride + 1); }

  // All branches go through a band together, as they mostly share their diffs.
  void RunImage(const Lane& lane, int64_t image) const {
    const Bands bands = SourceBands(p_);
    for (int64_t band = 0; band < bands.count; ++band) {
      const int64_t first = bands.First(band), end = bands.First(band + 1), done = band > 0 ? DstRows(first) : 0;
      const bool begun = Begin(lane, image, first, end);
      for (size_t b = 0; b < args_.branches.size(); ++b) {
        Normalise(lane, image, b, done, DstRows(end));
        Pool(lane, image, b, begun || b > 0 ? args_.diff_src : args_.add, first, end);
      }
      if (args_.sums.src != nullptr && (end == p_.h || (band + 1) % kSumBands == 0))
        AddUp(image, band / kSumBands, bands.First(band / kSumBands * kSumBands), end);
    }
  }

  // The sums of rows [first, end) of diff_src, while they are in the cache.
  void AddUp(int64_t image, int64_t chunk, int64_t first, int64_t end) const {
    const int64_t at = image * SourceFloats(p_) + first * p_.w * p_.c;
    float* sums = partial_ + (image * SumChunks(p_) + chunk) * 2 * p_.c;
    BatchNormChunkSums(
        {args_.sums.src + at, args_.diff_src + at, (end - first) * p_.w, p_.c, rounded_mean_, sums, sums + p_.c});
  }

  // Rows [first, end) of the direct terms and of the further one, to diff_src. False: that is left to the first branch.
  bool Begin(const Lane& lane, int64_t image, int64_t first, int64_t end) const {
    if (args_.direct.empty()) return false;
    const int64_t row = p_.w * p_.c, at = image * SourceFloats(p_) + first * row;
    int64_t count = 0;
    if (args_.add != nullptr) lane.srcs[count] = args_.add + at, lane.weights[count++] = 1;
    for (size_t k = 0; k < args_.direct.size(); ++k) {
      const bool dropped = !args_.drops.empty() && args_.drops[k] >= 0;
      lane.srcs[count] = dropped ? Drop(lane, k, at, (end - first) * row) : args_.direct[k] + at;
      lane.weights[count++] = dropped ? 1 : args_.direct_weights[k];
    }
    elementwise_.weighted_sum(lane.srcs, lane.weights, count, args_.diff_src + at, 0, (end - first) * row);
    return true;
  }

  // `count` elements from `at` on of a direct term, weighed and dropped.
  const float* Drop(const Lane& lane, size_t k, int64_t at, int64_t count) const {
    float* to = lane.dropped + static_cast<int64_t>(k) * SourceBands(p_).size * p_.w * p_.c;
    const float scale = args_.direct_weights[k] * base::DropoutScale(args_.drop_rate);
    PD_KERNEL_TABLE(kDropout).dropout({args_.direct[k], to - at, at, at + count, base::DropoutSteps(args_.drop_rate),
                                       scale, args_.draw.key, static_cast<uint32_t>(args_.drops[k]), args_.draw.step});
    return to;
  }

  float* Norm(const Lane& lane, size_t b) const { return lane.norm + static_cast<int64_t>(b) * DstFloats(p_); }

  // Rows [first, end) of the gradient of dst.
  void Normalise(const Lane& lane, int64_t image, size_t b, int64_t first, int64_t end) const {
    if (first == end) return;
    const PoolNormBackwardBranch& branch = args_.branches[b];
    const int64_t row = p_.OutW() * p_.c, at = image * DstFloats(p_) + first * row;
    const auto diffs = static_cast<int64_t>(branch.diff_dsts.size());
    for (int64_t k = 0; k < diffs; ++k) lane.srcs[k] = branch.diff_dsts[static_cast<size_t>(k)] + at;
    elementwise_.weighted_sum(lane.srcs, branch.weights, diffs, lane.sum, 0, (end - first) * row);
    BatchNormGradientRows(Lines(b), branch.dst + at, lane.sum, (end - first) * p_.OutW(), p_.c,
                          Norm(lane, b) + first * row);
  }

  // Rows [first, end) of diff_src, to which this branch is added; sum is what there is of it already, or nullptr.
  void Pool(const Lane& lane, int64_t image, size_t b, const float* sum, int64_t first, int64_t end) const {
    const uint8_t* workspace = args_.branches[b].workspace;
    const int64_t at = image * SourceFloats(p_), floats = p_.w * p_.c;
    PoolRow row = RowOf(p_);
    for (row.y = first; row.y < end; ++row.y) {
      const float* add = sum == nullptr ? nullptr : sum + at;
      if (sum == args_.diff_src && SomeTwice()) {
        std::copy_n(sum + at + row.y * floats, floats, lane.row);
        add = lane.row - row.y * floats;
      }
      if (workspace != nullptr)
        max_.backward_row(row, Norm(lane, b), workspace + image * DstFloats(p_), add, args_.diff_src + at);
      else
        average_.backward_row(row, Norm(lane, b), add, args_.diff_src + at);
    }
  }

  // Whether a row's last block or vector may overlap the one before, so that a sum in place would be added to twice.
  bool SomeTwice() const { return p_.w % kPoolBlockPixels != 0 || p_.c % kWidestVector != 0; }

  const PoolParams& p_;
  const PoolNormBackwardArgs& args_;
  const ElementwiseTable& elementwise_;
  const MaxPoolTable& max_;
  const AveragePoolTable& average_;
  float* lines_;
  float *rounded_mean_, *partial_;  // of the sums: [C], [images][chunks][2][C]
  Cutter lanes_;
};

}  // namespace

size_t PoolNormForwardScratch(const PoolParams& p, size_t branches, int lanes) {
  Cutter cut(nullptr);
  cut.Take<float>(static_cast<int64_t>(branches) * p.n * DstBands(p).count * 3 * p.c);
  cut.Take<float>(lanes * ForwardBuffers(p));
  return cut.used();
}

void PoolNormForward(const PoolParams& p, const PoolNormForwardArgs& args) {
  Check(p, args.branches.size());
  PD_CHECK(args.lanes >= 1, "{} lanes", args.lanes);
  const Bands bands = DstBands(p);
  const int64_t image_moments = bands.count * 3 * p.c;
  Cutter cut(args.scratch);
  float* all_moments = cut.Take<float>(static_cast<int64_t>(args.branches.size()) * p.n * image_moments);
  float* buffers = cut.Take<float>(args.lanes * ForwardBuffers(p));
  const auto moments = [&](size_t b) { return all_moments + static_cast<int64_t>(b) * p.n * image_moments; };
  const bool wide = Streams(p.n * DstFloats(p)) && p.OutW() * p.c % kWidestVector == 0;
  const auto streams = [&](const float* dst) {
    return wide && reinterpret_cast<uintptr_t>(dst) % (kWidestVector * sizeof(float)) == 0;
  };
  std::atomic<int64_t> next = 0;
  base::ParallelFor(args.lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; ++lane)
      for (int64_t image = next++; image < p.n; image = next++)
        for (size_t b = 0; b < args.branches.size(); ++b) {
          const PoolNormForwardBranch& branch = args.branches[b];
          const int64_t at = image * DstFloats(p);
          ForwardImage(p, args.src + image * SourceFloats(p),
                       {p, branch.dst + at, streams(branch.dst) ? buffers + lane * ForwardBuffers(p) : nullptr},
                       branch.workspace == nullptr ? nullptr : branch.workspace + at,
                       moments(b) + image * image_moments);
        }
    FenceStreams();
  });
  const auto pixels = [&](int64_t chunk) {
    const int64_t band = chunk % bands.count;
    return (bands.First(band + 1) - bands.First(band)) * p.OutW();
  };
  base::ParallelFor(static_cast<int64_t>(args.branches.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto b = static_cast<size_t>(begin); b < static_cast<size_t>(end); ++b)
      JoinBatchNormMoments(
          {moments(b), p.n * bands.count, p.c, pixels, args.branches[b].mean, args.branches[b].variance});
  });
}

size_t PoolNormBackwardScratch(const PoolParams& p, size_t branches, size_t diffs, size_t drops, int lanes) {
  Cutter cut(nullptr);
  cut.Take<float>(static_cast<int64_t>(branches) * BatchNormGradientLinesSize(p.c));
  cut.Take<float>(p.c);
  cut.Take<float>(p.n * SumChunks(p) * 2 * p.c);
  return cut.used() + static_cast<size_t>(lanes) * Lane(p, branches, diffs, drops, Cutter(nullptr)).bytes;
}

void PoolNormBackward(const PoolParams& p, const PoolNormBackwardArgs& args) {
  Check(p, args.branches.size());
  PD_CHECK(args.lanes >= 1, "{} lanes", args.lanes);
  PD_CHECK(args.drops.empty() || (args.drops.size() == args.direct.size() && p.w * p.c % 8 == 0), "{} drops",
           args.drops.size());
  Cutter cut(args.scratch);
  Backward(p, args, cut).Run();
}

}  // namespace pdarts::kernels
