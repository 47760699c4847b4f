#include <algorithm>

#include "kernels/pointwise.h"
#include "kernels/separable_tiles.h"

namespace pdarts::kernels {
namespace {

// What all threads share of one branch.
struct Shared {
  Shared(const SeparableBranch& b, const Tiling& tiling, Cutter& cut)
      : depthwise(cut.Take<float>(DepthwiseTaps(b.depthwise))),
        pointwise(cut.Take<float>(b.depthwise.c * b.out)),
        wide(cut.Take<float>(PointwiseDataScratch(PointwiseOf(b)))),
        moments(cut.Take<float>(tiling.tiles * 3 * b.out)) {}
  float* depthwise;
  float* pointwise;  // transposed
  float* wide;       // the matrix of its groups, if it has any
  float* moments;    // [tiles][3][out]
};

// What one thread works in.
struct Lane {
  Lane(const SeparableSource& s, std::span<const SeparableBranch> branches, const Tiling& tiling, Cutter cut)
      : src(cut.Take<float>(tiling.images * s.h * s.w * s.c)) {
    int64_t band = 0, out = 0, all_moments = 0;
    for (const SeparableBranch& b : branches) {
      const Bands of = BandsOf(b, tiling.images);
      band = std::max(band, of.size * b.depthwise.OutW() * b.depthwise.c);
      out = std::max(out, b.out);
      all_moments = std::max(all_moments, of.count * 3 * b.out);
    }
    middle = cut.Take<float>(band);
    moments = cut.Take<float>(all_moments);
    mean = cut.Take<double>(out);
    variance = cut.Take<double>(out);
    bytes = cut.used();
  }
  float* src;
  float* middle;            // a band of the depthwise result
  float* moments;           // [bands][3][out], of a tile
  double *mean, *variance;  // [out], of a tile
  size_t bytes;
};

void Arrange(const SeparableBranch& b, const SeparableForwardBranch& args, const Shared& shared) {
  if (!b.pointwise_only) ArrangeForForward(b.depthwise, args.depthwise_weights, shared.depthwise);
  Transpose(PointwiseMatrix(PointwiseOf(b), args.pointwise_weights, shared.wide), b.out, b.depthwise.c,
            shared.pointwise);
}

void RunBranch(const SeparableBranch& b, const SeparableForwardBranch& args, const Shared& shared, const Tiling& tiling,
               int64_t tile, const float* src, const Lane& lane) {
  DepthwiseParams depthwise = b.depthwise;
  depthwise.n = tiling.Images(tile);
  const int64_t out_w = depthwise.OutW();
  const Bands bands = BandsOf(b, depthwise.n);
  float* dst = args.dst + tiling.FirstImage(tile) * depthwise.OutH() * out_w * b.out;
  const bool stream = Streams(tiling.batch * depthwise.OutH() * out_w * b.out);
  const auto pixels = [&](int64_t band) { return (bands.First(band + 1) - bands.First(band)) * out_w; };
  for (int64_t band = 0; band < bands.count; ++band) {
    const int64_t first = bands.First(band), end = bands.First(band + 1);
    float* rows = dst + first * out_w * b.out;
    const float* read = src + first * out_w * depthwise.c;
    if (!b.pointwise_only) {
      DepthwiseForwardRows(depthwise, {src, shared.depthwise, lane.middle, first, end});
      read = lane.middle;
    }
    PointwiseProduct(
        {read, shared.pointwise, rows, pixels(band), depthwise.c, b.out, lane.moments + band * 3 * b.out, stream});
  }
  MergeBatchNormMoments({lane.moments, bands.count, b.out, pixels, lane.mean, lane.variance},
                        shared.moments + tile * 3 * b.out);
}

// Of the whole batch, from the tiles'.
void Join(const SeparableBranch& b, const SeparableForwardBranch& args, const Shared& shared, const Tiling& tiling) {
  const int64_t pixels = b.depthwise.OutH() * b.depthwise.OutW();
  JoinBatchNormMoments({shared.moments, tiling.tiles, b.out, [&](int64_t tile) { return tiling.Images(tile) * pixels; },
                        args.mean, args.variance});
}

}  // namespace

size_t SeparableForwardScratch(const SeparableSource& s, std::span<const SeparableBranch> branches) {
  const Tiling tiling(s);
  Cutter cut(nullptr);
  SourceReader(s, {}, {}, cut);
  cut.Take<Shared>(static_cast<int64_t>(branches.size()));
  for (const SeparableBranch& b : branches) Shared(b, tiling, cut);
  return cut.used() + static_cast<size_t>(s.lanes) * Lane(s, branches, tiling, Cutter(nullptr)).bytes;
}

void SeparableForward(const SeparableSource& s, std::span<const SeparableBranch> branches,
                      const SeparableForwardArgs& args) {
  CheckBranches(s, branches);
  const Tiling tiling(s);
  Cutter cut(args.scratch);
  const SourceReader reader(s, args.src, args.norm, cut);
  const auto count = static_cast<int64_t>(branches.size());
  Shared* shared = cut.Take<Shared>(count);
  for (int64_t i = 0; i < count; ++i) new (shared + i) Shared(branches[static_cast<size_t>(i)], tiling, cut);
  base::ParallelFor(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      Arrange(branches[static_cast<size_t>(i)], args.branches[static_cast<size_t>(i)], shared[i]);
  });
  const size_t bytes = Lane(s, branches, tiling, Cutter(nullptr)).bytes;
  // The next tile is not read in pieces: what is written past the caches has taken their place.
  ForItems(s, tiling.tiles, [&](int64_t at) {
    return [&, lane = Lane(s, branches, tiling, cut.Lane(at, bytes))](int64_t tile) {
      const float* src = reader.ReadImages(tiling.FirstImage(tile), tiling.Images(tile), lane.src);
      for (size_t i = 0; i < branches.size(); ++i)
        RunBranch(branches[i], args.branches[i], shared[i], tiling, tile, src, lane);
    };
  });
  base::ParallelFor(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      Join(branches[static_cast<size_t>(i)], args.branches[static_cast<size_t>(i)], shared[i], tiling);
  });
}

}  // namespace pdarts::kernels
