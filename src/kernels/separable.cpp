#include "kernels/separable.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/batch_norm.h"
#include "kernels/partial_sums.h"
#include "kernels/pointwise.h"

namespace pdarts::kernels {
namespace {

constexpr int64_t kTileBytes = 64 << 10;  // of src: the four tensors of a tile together lie in a second cache

// A tile is some whole images; how many follows from the sizes alone, as it shapes the sums.
struct Tiling {
  explicit Tiling(const SeparableParams& p)
      : images(std::clamp<int64_t>(kTileBytes / (p.depthwise.h * p.depthwise.w * p.depthwise.c * 4), 1, p.depthwise.n)),
        count((p.depthwise.n + images - 1) / images) {}
  int64_t images, count;
};

// What belongs to tile `index`: its images and where they start. Counts of floats.
struct Tile {
  Tile(const SeparableParams& p, const Tiling& tiling, int64_t index) : depthwise(p.depthwise) {
    const int64_t first = index * tiling.images;
    depthwise.n = std::min(tiling.images, p.depthwise.n - first);
    const int64_t out_pixels = depthwise.OutH() * depthwise.OutW();
    src_rows = depthwise.n * depthwise.h * depthwise.w;
    pointwise = {depthwise.n * out_pixels, depthwise.c, p.out};
    src_at = first * depthwise.h * depthwise.w * depthwise.c;
    dst_at = first * out_pixels * p.out;
  }
  DepthwiseParams depthwise;
  PointwiseParams pointwise;
  int64_t src_rows, src_at, dst_at;
};

// Buffers cut from one block, each on a cache line of its own; from nullptr they are only counted.
class Cutter {
 public:
  explicit Cutter(std::byte* block) : block_(block) {}
  template <class T>
  T* Take(int64_t count) {
    T* start = block_ == nullptr ? nullptr : reinterpret_cast<T*>(block_ + used_);
    used_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return start;
  }
  size_t used() const { return used_; }
  // What follows is cut alike for each of several users.
  Cutter Lane(int64_t index, size_t bytes) const { return Cutter(block_ + used_ + static_cast<size_t>(index) * bytes); }

 private:
  std::byte* block_;
  size_t used_ = 0;
};

// What one thread works in; cut at the same places for every thread.
struct ForwardLane {
  ForwardLane(const SeparableParams& p, const Tile& t, bool normalized, Cutter cut)
      : src(normalized ? cut.Take<float>(t.src_rows * p.depthwise.c) : nullptr),
        middle(cut.Take<float>(t.pointwise.pixels * p.depthwise.c)),
        doubles(cut.Take<double>(2 * p.depthwise.c)),
        floats(cut.Take<float>(std::max({DepthwiseScratch(t.depthwise), PointwiseScratch(t.pointwise),
                                         BatchNormStatisticsScratch(t.pointwise.pixels, p.out)}))),
        bytes(cut.used()) {}
  float *src, *middle;
  double* doubles;
  float* floats;
  size_t bytes;
};

struct BackwardLane {
  BackwardLane(const SeparableParams& p, const Tile& t, Cutter cut)
      : src(cut.Take<float>(t.src_rows * p.depthwise.c)),
        middle(cut.Take<float>(t.pointwise.pixels * p.depthwise.c)),
        diff_middle(cut.Take<float>(t.pointwise.pixels * p.depthwise.c)),
        diff_dst(cut.Take<float>(t.pointwise.pixels * p.out)),
        doubles(cut.Take<double>(2 * p.depthwise.c)),
        floats(cut.Take<float>(std::max({DepthwiseWeightsScratch(t.depthwise), PointwiseWeightsScratch(t.pointwise),
                                         BatchNormReduceScratch(t.src_rows, p.depthwise.c), 3 * p.out}))),
        bytes(cut.used()) {}
  float *src, *middle, *diff_middle, *diff_dst;
  double* doubles;
  float* floats;
  size_t bytes;
};

// What the tiles leave behind, to be added up in their order.
struct ForwardPartials {
  ForwardPartials(const SeparableParams& p, const Tiling& tiling, Cutter& cut)
      : means(cut.Take<double>(tiling.count * p.out)), variances(cut.Take<double>(tiling.count * p.out)) {}
  double *means, *variances;
};

struct BackwardPartials {
  BackwardPartials(const SeparableParams& p, const Tiling& tiling, Cutter& cut)
      : depthwise(cut.Take<float>(tiling.count * DepthwiseScratch(p.depthwise))),
        pointwise(cut.Take<float>(tiling.count * p.depthwise.c * p.out)),
        norm(cut.Take<float>(tiling.count * 2 * p.depthwise.c)) {}
  float *depthwise, *pointwise, *norm;
};

// Runs body(lane, tile index) for all tiles, lanes being 0 to p.lanes - 1, each one tile at a time. A lane takes the
// next tile when it is done with one, so that a core that was held up leaves the rest to the others; which lane runs a
// tile shows in no result.
template <class Body>
void ForTiles(const SeparableParams& p, int64_t tiles, const Body& body) {
  std::atomic<int64_t> next = 0;
  base::ParallelFor(p.lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; ++lane)
      for (int64_t tile = next++; tile < tiles; tile = next++) body(lane, tile);
  });
}

// The tile of src as the depthwise convolution reads it: normalised and after the ReLU, or where it lies.
const float* Read(const SeparableParams& p, const float* src, const Normalizer& norm, const Tile& tile, float* to,
                  double* scratch) {
  if (norm.mean == nullptr) return src + tile.src_at;
  BatchNormApply({src + tile.src_at, tile.src_rows, p.depthwise.c, norm.mean, norm.variance, p.epsilon, norm.gamma,
                  norm.beta, to, scratch, p.depthwise.relu});
  return to;
}

void Check(const SeparableParams& p) {
  PD_CHECK(p.out >= 1 && p.lanes >= 1 && p.depthwise.n >= 1, "{} images to {} channels on {} lanes", p.depthwise.n,
           p.out, p.lanes);
}

// Of the whole batch, from the tiles' [tiles][out].
void JoinMoments(const SeparableParams& p, const Tiling& tiling, const ForwardPartials& of,
                 const SeparableForwardArgs& args) {
  const auto share = [&](int64_t t) {
    const int64_t images = std::min(tiling.images, p.depthwise.n - t * tiling.images);
    return static_cast<double>(images) / static_cast<double>(p.depthwise.n);
  };
  for (int64_t c = 0; c < p.out; ++c) {
    double mean = 0, variance = 0;
    for (int64_t t = 0; t < tiling.count; ++t) mean += of.means[t * p.out + c] * share(t);
    for (int64_t t = 0; t < tiling.count; ++t) {
      const double off = of.means[t * p.out + c] - mean;
      variance += (of.variances[t * p.out + c] + off * off) * share(t);
    }
    args.mean[c] = mean;
    args.variance[c] = variance;
  }
}

class Backward {
 public:
  Backward(const SeparableParams& p, const SeparableBackwardArgs& args, const BackwardPartials& partials)
      : p_(p), args_(args), partials_(partials) {}

  void RunTile(const BackwardLane& lane, Tile tile, int64_t index) const {
    BatchNormBackwardData({.src = args_.dst + tile.dst_at,
                           .diff_dst = args_.diff_dst + tile.dst_at,
                           .rows = tile.pointwise.pixels,
                           .channels = p_.out,
                           .mean = args_.dst_mean,
                           .variance = args_.dst_variance,
                           .epsilon = p_.epsilon,
                           .gamma = args_.dst_gamma,
                           .diff_gamma = args_.diff_gamma,
                           .diff_beta = args_.diff_beta,
                           .diff_src = lane.diff_dst,
                           .scratch = lane.floats,
                           .factor = args_.factor,
                           .batch_rows = p_.depthwise.n * p_.depthwise.OutH() * p_.depthwise.OutW()});
    PointwiseBackwardData(tile.pointwise, {lane.diff_dst, args_.pointwise_weights, lane.diff_middle});
    const float* src = Read(p_, args_.src, args_.norm, tile, lane.src, lane.doubles);
    if (args_.diff_depthwise_weights != nullptr) Weights(lane, tile, index, src);
    float* diff_src = args_.diff_src + tile.src_at;
    DepthwiseParams data = tile.depthwise;
    data.relu = args_.mask;
    DepthwiseBackwardData(data, {lane.diff_middle, args_.depthwise_weights, src, diff_src, lane.floats});
    if (args_.norm.mean == nullptr) return;
    float* sums = partials_.norm + index * 2 * p_.depthwise.c;
    BatchNormBackwardReduce({args_.src + tile.src_at, diff_src, tile.src_rows, p_.depthwise.c, args_.src_mean,
                             args_.src_variance, p_.epsilon, sums, sums + p_.depthwise.c, lane.floats});
  }

 private:
  void Weights(const BackwardLane& lane, const Tile& tile, int64_t index, const float* src) const {
    const int64_t taps = DepthwiseScratch(p_.depthwise), products = p_.depthwise.c * p_.out;
    DepthwiseForward(tile.depthwise, {src, args_.depthwise_weights, lane.middle, lane.floats});
    PointwiseBackwardWeights(tile.pointwise,
                             {lane.middle, lane.diff_dst, partials_.pointwise + index * products, lane.floats});
    DepthwiseBackwardWeights(tile.depthwise, {src, lane.diff_middle, partials_.depthwise + index * taps, lane.floats});
  }

  const SeparableParams& p_;
  const SeparableBackwardArgs& args_;
  const BackwardPartials& partials_;
};

}  // namespace

size_t SeparableForwardScratch(const SeparableParams& p, bool normalized) {
  const Tiling tiling(p);
  Cutter cut(nullptr);
  ForwardPartials(p, tiling, cut);
  return cut.used() +
         static_cast<size_t>(p.lanes) * ForwardLane(p, Tile(p, tiling, 0), normalized, Cutter(nullptr)).bytes;
}

void SeparableForward(const SeparableParams& p, const SeparableForwardArgs& args) {
  Check(p);
  const Tiling tiling(p);
  const Tile largest(p, tiling, 0);
  Cutter cut(args.scratch);
  const ForwardPartials partials(p, tiling, cut);
  const size_t bytes = ForwardLane(p, largest, args.norm.mean != nullptr, Cutter(nullptr)).bytes;
  ForTiles(p, tiling.count, [&](int64_t at, int64_t index) {
    const ForwardLane lane(p, largest, args.norm.mean != nullptr, cut.Lane(at, bytes));
    const Tile tile(p, tiling, index);
    const float* src = Read(p, args.src, args.norm, tile, lane.src, lane.doubles);
    DepthwiseForward(tile.depthwise, {src, args.depthwise_weights, lane.middle, lane.floats});
    float* dst = args.dst + tile.dst_at;
    PointwiseForward(tile.pointwise, {lane.middle, args.pointwise_weights, dst, lane.floats});
    BatchNormStatistics({dst, tile.pointwise.pixels, p.out, partials.means + index * p.out,
                         partials.variances + index * p.out, lane.floats});
  });
  JoinMoments(p, tiling, partials, args);
}

size_t SeparableBackwardScratch(const SeparableParams& p) {
  const Tiling tiling(p);
  Cutter cut(nullptr);
  BackwardPartials(p, tiling, cut);
  return cut.used() + static_cast<size_t>(p.lanes) * BackwardLane(p, Tile(p, tiling, 0), Cutter(nullptr)).bytes;
}

void SeparableBackward(const SeparableParams& p, const SeparableBackwardArgs& args) {
  Check(p);
  const Tiling tiling(p);
  const Tile largest(p, tiling, 0);
  Cutter cut(args.scratch);
  const BackwardPartials partials(p, tiling, cut);
  const Backward backward(p, args, partials);
  const size_t bytes = BackwardLane(p, largest, Cutter(nullptr)).bytes;
  ForTiles(p, tiling.count, [&](int64_t at, int64_t index) {
    backward.RunTile(BackwardLane(p, largest, cut.Lane(at, bytes)), Tile(p, tiling, index), index);
  });
  const int64_t c = p.depthwise.c, taps = DepthwiseScratch(p.depthwise);
  if (args.diff_depthwise_weights != nullptr) {
    AddPartialSums(partials.depthwise, tiling.count, taps, args.diff_depthwise_weights);
    AddPartialSums(partials.pointwise, tiling.count, c * p.out, args.diff_pointwise_weights);
  }
  if (args.norm.mean == nullptr) return;
  AddPartialSums(partials.norm, tiling.count, 2 * c, partials.norm);
  std::copy_n(partials.norm, c, args.src_diff_gamma);
  std::copy_n(partials.norm + c, c, args.src_diff_beta);
}

}  // namespace pdarts::kernels
