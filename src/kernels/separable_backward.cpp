#include <algorithm>
#include <new>

#include "kernels/partial_sums.h"
#include "kernels/pointwise.h"
#include "kernels/separable_tiles.h"

namespace pdarts::kernels {
namespace {

Bands SourceBands(const SeparableSource& s, int64_t images) { return {images * s.h, s.w, s.c}; }

// What all threads share of one branch.
struct Shared {
  Shared(const SeparableBranch& b, const Tiling& tiling, Cutter& cut)
      : forward(cut.Take<float>(DepthwiseTaps(b.depthwise))),
        backward(cut.Take<float>(DepthwiseTaps(b.depthwise))),
        wide(cut.Take<float>(PointwiseDataScratch(PointwiseOf(b)))),
        norm(cut.Take<float>(BatchNormGradientLinesSize(b.out))),
        depthwise_sums(cut.Take<float>(tiling.slices * DepthwiseTaps(b.depthwise))),
        pointwise_sums(cut.Take<float>(tiling.slices * b.depthwise.c * b.out)) {}

  void Fill(const SeparableSource& s, const SeparableBranch& b, const SeparableBackwardBranch& args) const {
    PointwiseMatrix(PointwiseOf(b), args.pointwise_weights, wide);
    if (!b.pointwise_only) {
      ArrangeForForward(b.depthwise, args.depthwise_weights, forward);
      ArrangeForBackward(b.depthwise, args.depthwise_weights, backward);
    }
    MakeBatchNormGradientLines({.mean = args.dst_mean,
                                .variance = args.dst_variance,
                                .gamma = args.dst_gamma,
                                .diff_gamma = args.diff_gamma,
                                .diff_beta = args.diff_beta,
                                .factor = args.factor,
                                .epsilon = s.epsilon,
                                .batch_rows = s.n * b.depthwise.OutH() * b.depthwise.OutW(),
                                .channels = b.out},
                               norm);
  }

  float *forward, *backward;               // the depthwise weights, arranged
  float* wide;                             // the matrix of the 1x1's groups, if it has any
  float* norm;                             // what diff_dst and dst are combined with
  float *depthwise_sums, *pointwise_sums;  // [slices][K][K][C] and [slices][out][C]
};

// What one thread works in.
struct Lane {
  Lane(const SeparableSource& s, std::span<const SeparableBranch> branches, const Tiling& tiling, Cutter cut)
      : src{cut.Take<float>(tiling.images * s.h * s.w * s.c), cut.Take<float>(tiling.images * s.h * s.w * s.c)} {
    int64_t tile = 0, middle_band = 0, dst_band = 0;
    for (const SeparableBranch& b : branches) {
      const int64_t pixels = BandsOf(b, tiling.images).size * b.depthwise.OutW();
      middle_band = std::max(middle_band, pixels * b.depthwise.c);
      dst_band = std::max(dst_band, pixels * b.out);
      tile = std::max(tile, tiling.images * b.depthwise.OutH() * b.depthwise.OutW() * b.depthwise.c);
    }
    diff_middle = cut.Take<float>(tile);
    middle = cut.Take<float>(middle_band);
    for (float*& band : diff_dst) band = cut.Take<float>(dst_band);
    int64_t out = 0;
    for (const SeparableBranch& b : branches) out = std::max(out, b.out);
    norm = cut.Take<float>(BatchNormGradientLinesSize(out));
    diff_src = cut.Take<float>(SourceBands(s, tiling.images).size * s.w * s.c);
    part = cut.Take<float>(s.parts > 1 ? SourceBands(s, tiling.images).size * s.w * (s.c / s.parts) : 0);
    const auto count = static_cast<int64_t>(branches.size());
    for (int64_t i = 0; i < std::min<int64_t>(2, count - 1); ++i)
      sums[i] = cut.Take<float>(tiling.images * s.h * s.w * s.c);
    bytes = cut.used();
  }
  float* src[2];           // a tile, and the next
  float* diff_middle;      // of the tile's depthwise result
  float* middle;           // a band of the depthwise result
  float* diff_dst[2];      // a band of the gradient of the 1x1's result, and the next
  float* norm;             // what the gradient is made with, for one sample
  float *diff_src, *part;  // a band on its way to memory, and a part of it
  float* sums[2] = {};     // diff_src of the branches so far, of all before in the one and with the last in the other
  size_t bytes;
};

class Backward {
 public:
  Backward(const SeparableSource& s, std::span<const SeparableBranch> branches, const SeparableBackwardArgs& args,
           Cutter& cut)
      : s_(s),
        branches_(branches),
        args_(args),
        tiling_(s),
        reader_(s, args.src, args.norm, cut),
        src_mean_(cut.Take<float>(s.c)),
        norm_sums_(cut.Take<float>(tiling_.tiles * SourceBands(s, tiling_.images).count * 2 * s.c)),
        shared_(cut.Take<Shared>(Count())) {
    const bool counting = shared_ == nullptr;
    for (int64_t i = 0; i < Count(); ++i) {
      const Shared shared(branch(i), tiling_, cut);
      if (!counting) new (shared_ + i) Shared(shared);
    }
    if (!counting && args.norm.mean != nullptr)
      for (int64_t c = 0; c < s.c; ++c) src_mean_[c] = static_cast<float>(args.norm.mean[c]);
    lanes_ = cut;
  }

  void Run() const {
    ForBranches([&](int64_t i) { shared_[i].Fill(s_, branch(i), args_.branches[static_cast<size_t>(i)]); });
    const size_t bytes = Lane(s_, branches_, tiling_, Cutter(nullptr)).bytes;
    ForItems(s_, tiling_.slices,
             [&](int64_t lane) { return Worker(*this, Lane(s_, branches_, tiling_, lanes_.Lane(lane, bytes))); });
    if (Weights()) ForBranches([&](int64_t i) { FinishWeights(i); });
    if (args_.norm.mean != nullptr) FinishNorm();
  }

 private:
  int64_t Count() const { return static_cast<int64_t>(branches_.size()); }
  const SeparableBranch& branch(int64_t i) const { return branches_[static_cast<size_t>(i)]; }
  template <class Body>
  void ForBranches(const Body& body) const {
    base::ParallelFor(Count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i);
    });
  }
  bool Weights() const { return args_.branches[0].diff_pointwise_weights != nullptr; }
  int64_t ImageFloats() const { return s_.h * s_.w * s_.c; }

  // A band of one branch in a tile; tile -1: none.
  struct Place {
    int64_t tile = -1, branch = 0, band = 0;
    bool operator==(const Place&) const = default;
  };

  // Reads the gradient of the 1x1's result band by band, the next one in pieces while this one is in use.
  class BandReader {
    static constexpr int64_t kBandPiece = 192;  // floats: a band's products have room for some twelve pieces

   public:
    BandReader(const Backward& all, const Lane& lane)
        : all_(all), buffers_{lane.diff_dst[0], lane.diff_dst[1]}, scaled_(lane.norm) {}

    // The band, whole. From now on the pieces are of `following`.
    const float* Take(const Place& place, const Place& following) {
      if (place != place_) Begin(place);
      while (next_ < end_) ReadPiece();
      const float* taken = buffers_[buffer_];
      Begin(following);
      return taken;
    }

    void Piece() {
      if (next_ < end_) ReadPiece();
    }

   private:
    void Begin(const Place& place) {
      buffer_ = 1 - buffer_, place_ = place, next_ = end_ = 0;
      if (place.tile < 0) return;
      const SeparableBranch& b = all_.branch(place.branch);
      const SeparableBackwardBranch& args = all_.args_.branches[static_cast<size_t>(place.branch)];
      const int64_t out_w = b.depthwise.OutW();
      const Bands bands = BandsOf(b, all_.tiling_.Images(place.tile));
      const int64_t before = all_.tiling_.FirstImage(place.tile) * b.depthwise.OutH() * out_w;
      const int64_t first = before + bands.First(place.band) * out_w;
      end_ = (bands.First(place.band + 1) - bands.First(place.band)) * out_w;
      piece_ = PiecePixels(kBandPiece, b.out);
      channels_ = b.out;
      norm_ = all_.shared_[place.branch].norm;
      dst_ = args.dst + first * channels_;
      diff_dst_ = args.diff_dst + first * channels_;
      sample_end_ = end_, dropped_ = false;
      if (args.factors == nullptr) return;
      sample_pixels_ = all_.s_.n / all_.args_.samples * b.depthwise.OutH() * out_w;
      sample_end_ = (first / sample_pixels_ + 1) * sample_pixels_ - first;
      factor_ = args.factors + first / sample_pixels_;
      Rescale();
    }

    void ReadPiece() {
      const int64_t count = std::min({piece_, end_ - next_, sample_end_ - next_}), at = next_ * channels_;
      BatchNormGradientRows(norm_, dst_ + at, (dropped_ ? dst_ : diff_dst_) + at, count, channels_,
                            buffers_[buffer_] + at);
      next_ += count;
      if (next_ < sample_end_ || next_ == end_) return;
      sample_end_ += sample_pixels_, ++factor_;
      Rescale();
    }

    // The lines with diff_dst's own factor for the sample. Where that is 0, diff_dst is not read, whatever it holds.
    void Rescale() {
      const float *lines = all_.shared_[place_.branch].norm, factor = static_cast<float>(*factor_);
      dropped_ = factor == 0;
      std::copy_n(lines, BatchNormGradientLinesSize(channels_), scaled_);
      for (int64_t i = 0; i < channels_; ++i) scaled_[channels_ + i] *= factor;
      norm_ = scaled_;
    }

    const Backward& all_;
    float* buffers_[2];
    int64_t buffer_ = 0;
    Place place_;                                            // that is being read
    int64_t next_ = 0, end_ = 0, piece_ = 1, channels_ = 1;  // pixels of it: the first not yet read, the end
    const float *norm_ = nullptr, *dst_ = nullptr, *diff_dst_ = nullptr;  // what it is made of, from its first pixel
    int64_t sample_end_ = 0, sample_pixels_ = 0;
    const double* factor_ = nullptr;  // of the sample
    bool dropped_ = false;
    float* scaled_;  // the lines for it
  };

  class Worker {
   public:
    Worker(const Backward& all, const Lane& lane)
        : all_(all), lane_(lane), tiles_(all.reader_, all.tiling_, all.s_, lane.src, all.Count()), bands_(all, lane) {}

    void operator()(int64_t slice, int64_t following) {
      const Tiling& tiling = all_.tiling_;
      for (int64_t i = 0; i < all_.Count() && all_.Weights(); ++i) {
        if (all_.branch(i).pointwise_only) continue;
        const int64_t taps = DepthwiseTaps(all_.branch(i).depthwise);
        std::fill_n(all_.shared_[i].depthwise_sums + slice * taps, taps, 0.0f);
      }
      const int64_t end = (slice + 1) * tiling.slice_tiles;
      for (int64_t tile = slice * tiling.slice_tiles; tile < end && tiling.Images(tile) > 0; ++tile) {
        const bool more = tile + 1 < end && tiling.Images(tile + 1) > 0;
        const int64_t next = more ? tile + 1 : following < 0 ? -1 : following * tiling.slice_tiles;
        const float* src = tiles_.Take(tile, next);
        for (int64_t i = 0; i < all_.Count(); ++i) RunBranch(i, slice, tile, next, src);
      }
    }

   private:
    void RunBranch(int64_t i, int64_t slice, int64_t tile, int64_t next_tile, const float* src) {
      const Between between{[](void* worker) { static_cast<Worker*>(worker)->Piece(); }, this};
      const SeparableBranch& b = all_.branch(i);
      DepthwiseParams depthwise = b.depthwise;
      depthwise.n = all_.tiling_.Images(tile);
      const Shared& shared = all_.shared_[i];
      const Bands bands = BandsOf(b, depthwise.n);
      for (int64_t band = 0; band < bands.count; ++band) {
        const Place next = band + 1 < bands.count ? Place{tile, i, band + 1}
                           : i + 1 < all_.Count() ? Place{tile, i + 1, 0}
                                                  : Place{next_tile, 0, 0};
        const float* diff_dst = bands_.Take({tile, i, band}, next);
        RunBand(i, slice, depthwise, src, diff_dst, bands.First(band), bands.First(band + 1),
                band == 0 && tile == slice * all_.tiling_.slice_tiles, between);
      }
      if (all_.Weights() && !b.pointwise_only)
        AddDepthwiseWeightsGradient(depthwise, src, lane_.diff_middle,
                                    shared.depthwise_sums + slice * DepthwiseTaps(depthwise));
      const float* add = i > 0 ? lane_.sums[(i - 1) % 2] : nullptr;
      if (i + 1 == all_.Count()) return all_.Finish(depthwise, lane_, tile, src, add, between);
      all_.AddToSource(i, depthwise,
                       {lane_.diff_middle, shared.backward, add, nullptr, lane_.sums[i % 2], 0, depthwise.n * all_.s_.h,
                        nullptr, &between});
    }

    // Rows [first, end) of a tile's dst; fresh: the slice's first.
    void RunBand(int64_t i, int64_t slice, const DepthwiseParams& depthwise, const float* src, const float* diff_dst,
                 int64_t first, int64_t end, bool fresh, const Between& between) {
      const SeparableBranch& b = all_.branch(i);
      const int64_t channels = all_.s_.c, out_w = depthwise.OutW(), pixels = (end - first) * out_w;
      PointwiseProduct({.src = diff_dst,
                        .matrix = b.groups > 1 ? all_.shared_[i].wide
                                               : all_.args_.branches[static_cast<size_t>(i)].pointwise_weights,
                        .dst = lane_.diff_middle + first * out_w * channels,
                        .rows = pixels,
                        .k = b.out,
                        .n = channels,
                        .between = &between});
      if (!all_.Weights()) return;
      const float* middle = src + first * out_w * channels;
      if (!b.pointwise_only) {
        DepthwiseForwardRows(depthwise, {src, all_.shared_[i].forward, lane_.middle, first, end, &between});
        middle = lane_.middle;
      }
      AddPointwiseProducts({diff_dst, middle, all_.shared_[i].pointwise_sums + slice * channels * b.out, pixels, b.out,
                            channels, fresh, &between});
    }

    void Piece() {
      bands_.Piece();
      tiles_.Piece();
    }

    const Backward& all_;
    Lane lane_;
    TileReader tiles_;
    BandReader bands_;
  };

  // The last branch's part and the sum, to memory, and the sums for the normalisation while they are in the cache.
  void Finish(const DepthwiseParams& depthwise, const Lane& lane, int64_t tile, const float* src, const float* add,
              const Between& between) const {
    const Bands bands = SourceBands(s_, depthwise.n);
    const bool stream = Streams(s_.n * ImageFloats());
    const int64_t before = tiling_.FirstImage(tile) * ImageFloats();
    float* memory = s_.parts == 1 ? args_.diff_src[0] + before : nullptr;
    const auto shifted = [](const float* p, int64_t by) { return p == nullptr ? nullptr : p + by; };
    const float* mask = args_.mask ? src : nullptr;
    for (int64_t band = 0; band < bands.count; ++band) {
      const int64_t first = bands.First(band), end = bands.First(band + 1), at = first * s_.w * s_.c;
      const int64_t pixels = (end - first) * s_.w, pixel = (before + at) / s_.c;
      if (branch(Count() - 1).pointwise_only && args_.norm.mean == nullptr) {
        ToParts(lane, {lane.diff_middle + at, shifted(add, at), shifted(mask, at)}, pixel, pixels, stream);
        continue;
      }
      float* rows = stream || s_.parts > 1 ? lane.diff_src - at : memory;  // as if the tile began there
      AddToSource(Count() - 1, depthwise,
                  {lane.diff_middle, shared_[Count() - 1].backward, add, mask, rows, first, end,
                   stream ? memory : nullptr, &between});
      if (s_.parts > 1) ToParts(lane, {lane.diff_src, nullptr, nullptr}, pixel, pixels, stream);
      if (args_.norm.mean == nullptr) continue;
      float* sums = norm_sums_ + (FirstSourceBand(tile) + band) * 2 * s_.c;
      BatchNormChunkSums({args_.src[0] + before + at, rows + at, pixels, s_.c, src_mean_, sums, sums + s_.c});
    }
  }

  // What makes some pixels of diff_src: src + add where mask is positive; add and mask may be nullptr.
  struct Pixels {
    const float *src, *add, *mask;
  };

  // To the parts of diff_src, from pixel `first` on.
  void ToParts(const Lane& lane, const Pixels& from, int64_t first, int64_t count, bool stream) const {
    const int64_t width = s_.c / s_.parts;
    const bool dense = s_.parts == 1, direct = !stream || dense || width % kWidestVector == 0;
    for (int64_t i = 0; i < s_.parts; ++i) {
      const int64_t at = i * width;
      float* to = args_.diff_src[static_cast<size_t>(i)] + first * width;
      AddMasked({.src = from.src + at,
                 .add = from.add == nullptr ? nullptr : from.add + at,
                 .mask = from.mask == nullptr ? nullptr : from.mask + at,
                 .dst = direct ? to : lane.part,
                 .rows = dense ? 1 : count,
                 .width = dense ? count * width : width,
                 .stride = dense ? 0 : s_.c,
                 .stream = stream && direct});
      if (!direct) StreamCopy(lane.part, to, count * width);
    }
  }

  // Rows of the branch's part of diff_src, added to that of the branches before.
  void AddToSource(int64_t i, const DepthwiseParams& depthwise, const DepthwiseBackwardDataRowsArgs& rows) const {
    if (!branch(i).pointwise_only) return DepthwiseBackwardDataRows(depthwise, rows);
    const int64_t at = rows.first * s_.w * s_.c, count = (rows.end - rows.first) * s_.w * s_.c;
    AddMasked({rows.diff_dst + at, rows.add != nullptr ? rows.add + at : nullptr,
               rows.mask != nullptr ? rows.mask + at : nullptr, rows.diff_src + at, 1, count, 0});
    if (rows.copy != nullptr) StreamCopy(rows.diff_src + at, rows.copy + at, count);
  }

  void FinishWeights(int64_t i) const {
    const SeparableBackwardBranch& args = args_.branches[static_cast<size_t>(i)];
    const DepthwiseParams& depthwise = branch(i).depthwise;
    const Shared& shared = shared_[i];
    if (!branch(i).pointwise_only) {
      AddPartialSums(shared.depthwise_sums, tiling_.slices, DepthwiseTaps(depthwise), shared.depthwise_sums);
      ArrangeWeightsGradient(depthwise, shared.depthwise_sums, args.diff_depthwise_weights);
    }
    const bool grouped = branch(i).groups > 1;
    AddPartialSums(shared.pointwise_sums, tiling_.slices, s_.c * branch(i).out,
                   grouped ? shared.wide : args.diff_pointwise_weights);
    if (grouped) NarrowGroups(PointwiseOf(branch(i)), shared.wide, args.diff_pointwise_weights);
  }

  void FinishNorm() const {
    const int64_t last = tiling_.tiles - 1;
    const int64_t bands = FirstSourceBand(last) + SourceBands(s_, tiling_.Images(last)).count;
    FinishBatchNormSums({norm_sums_, bands, s_.c, args_.norm.mean, src_mean_, args_.norm.variance, s_.epsilon,
                         args_.src_diff_gamma, args_.src_diff_beta});
  }

  // How many source bands the tiles before have; of halves only the last can have fewer than the others.
  int64_t FirstSourceBand(int64_t tile) const {
    return std::min(tile, tiling_.whole) * SourceBands(s_, tiling_.images).count +
           std::max<int64_t>(0, tile - tiling_.whole) * SourceBands(s_, tiling_.half).count;
  }

  const SeparableSource& s_;
  std::span<const SeparableBranch> branches_;
  const SeparableBackwardArgs& args_;
  Tiling tiling_;
  SourceReader reader_;
  float *src_mean_, *norm_sums_;  // norm_sums_ [bands of all tiles][2][C]
  Shared* shared_;
  Cutter lanes_{nullptr};
};

}  // namespace

size_t SeparableBackwardScratch(const SeparableSource& s, std::span<const SeparableBranch> branches) {
  Cutter cut(nullptr);
  const SeparableBackwardArgs nothing{};
  Backward(s, branches, nothing, cut);
  return cut.used() + static_cast<size_t>(s.lanes) * Lane(s, branches, Tiling(s), Cutter(nullptr)).bytes;
}

void SeparableBackward(const SeparableSource& s, std::span<const SeparableBranch> branches,
                       const SeparableBackwardArgs& args) {
  CheckBranches(s, branches);
  for (const SeparableBackwardBranch& branch : args.branches)
    PD_CHECK(branch.factors == nullptr || (args.samples >= 1 && s.n % args.samples == 0), "{} samples of {} images",
             args.samples, s.n);
  Cutter cut(args.scratch);
  Backward(s, branches, args, cut).Run();
}

}  // namespace pdarts::kernels
