// What both passes of a separable convolution share: how a batch is cut, and how src is read. Internal to src/kernels.
#pragma once

#include <algorithm>
#include <atomic>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/batch_norm.h"
#include "kernels/elementwise.h"
#include "kernels/pointwise.h"
#include "kernels/separable.h"
#include "kernels/simd/tables.h"

namespace pdarts::kernels {

// A tile is some whole images. For sums, tiles are gathered into slices, each worked through by one thread in order, so
// that they need be kept only once a slice. The last tiles are halves, if a tile has more than one image, so that no
// thread waits long for another's last one. All follows from the sizes alone, as it shapes the sums.
struct Tiling {
  static constexpr int64_t kTileBytes = 128 << 10;  // of src: a tile's few tensors together lie in a second cache
  static constexpr int64_t kLeastTiles = 24;        // so that there is work for all threads
  static constexpr int64_t kHalved = 8;             // every such tile would be one of the last
  static constexpr int64_t kSlices = 32;            // about

  explicit Tiling(const SeparableSource& s)
      : batch(s.n),
        images(std::clamp<int64_t>(kTileBytes / (s.h * s.w * s.c * 4), 1, std::max<int64_t>(1, s.n / kLeastTiles))),
        half((images + 1) / 2),
        whole(batch / images - batch / images / kHalved) {
    tiles = whole + (batch - whole * images + half - 1) / half;
    slice_tiles = ((batch + images - 1) / images + kSlices - 1) / kSlices;  // as if none were halved
    slices = (tiles + slice_tiles - 1) / slice_tiles;
  }
  int64_t FirstImage(int64_t tile) const {
    return std::min(batch, std::min(tile, whole) * images + std::max<int64_t>(0, tile - whole) * half);
  }
  int64_t Images(int64_t tile) const { return FirstImage(tile + 1) - FirstImage(tile); }

  int64_t batch, images, half, whole, tiles, slice_tiles, slices;  // images of a whole tile; tiles that are whole
};

// Rows of images, a few at a time, so that they stay in a first cache; but of so many pixels at least as make it
// worthwhile to read a 1x1's weights for them.
struct Bands {
  static constexpr int64_t kBandFloats = 4096;

  Bands(int64_t all_rows, int64_t width, int64_t channels, int64_t least_pixels = 1)
      : rows(all_rows),
        size(std::clamp<int64_t>(std::max(kBandFloats / channels, least_pixels) / width, 1, all_rows)),
        count((all_rows + size - 1) / size) {}
  int64_t First(int64_t band) const { return std::min(rows, band * size); }

  int64_t rows, size, count;
};

// The bands of a branch's dst rows, of so many images. What a band's steps hand to each other, the depthwise result or
// the gradient of the 1x1's, lies in the first cache until all have read it.
inline Bands BandsOf(const SeparableBranch& b, int64_t images) {
  return {images * b.depthwise.OutH(), b.depthwise.OutW(), std::max(b.depthwise.c, b.out), b.pointwise_only ? 128 : 64};
}

// Buffers cut from one block, each on a cache line of its own; from nullptr they are only counted. Sizes that are whole
// pages get a few lines more, or loads from one buffer would wait for stores to the same place in another.
class Cutter {
 public:
  explicit Cutter(std::byte* block) : block_(block) {}
  template <class T>
  T* Take(int64_t count) {
    T* start = block_ == nullptr ? nullptr : reinterpret_cast<T*>(block_ + used_);
    used_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64 + (count * sizeof(T) >= 4096 ? 5 * 64 : 0);
    return start;
  }
  size_t used() const { return used_; }
  // What follows is cut alike for each of several users.
  Cutter Lane(int64_t index, size_t bytes) const { return Cutter(block_ + used_ + static_cast<size_t>(index) * bytes); }

 private:
  std::byte* block_;
  size_t used_ = 0;
};

inline PointwiseParams PointwiseOf(const SeparableBranch& b) { return {1, b.depthwise.c, b.out, b.groups}; }

// Whether a tensor of so many floats is written past the caches. Its next reader comes when the rest of the batch and
// more has passed through them; without that, each line would be read from memory only to be overwritten.
inline bool Streams(int64_t floats) { return floats >= 1 << 18; }

// Makes a worker for each lane from 0 to s.lanes - 1 and calls worker(item) for all items, or worker(item, following)
// where following is the worker's next one, which it takes when it begins the one before, or -1. So a core that was
// held up leaves the rest to the others; which one runs an item shows in no result.
template <class MakeWorker>
void ForItems(const SeparableSource& s, int64_t items, const MakeWorker& make) {
  std::atomic<int64_t> next = 0;
  base::ParallelFor(s.lanes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t lane = begin; lane < end; ++lane) {
      auto worker = make(lane);
      if constexpr (std::is_invocable_v<decltype(worker), int64_t>) {
        for (int64_t item = next++; item < items; item = next++) worker(item);
      } else {
        for (int64_t item = next++; item < items;) {
          const int64_t following = next++;
          worker(item, following < items ? following : -1);
          item = following;
        }
      }
    }
    FenceStreams();
  });
}

// How src is read: its parts side by side, normalised, after the ReLU, or as it lies.
class SourceReader {
 public:
  SourceReader(const SeparableSource& s, std::span<const float* const> src, const Normalizer& norm, Cutter& shared)
      : source_(s), src_(src), normalized_(norm.mean != nullptr), lines_(shared.Take<float>(BatchNormLinesSize(s.c))) {
    if (normalized_ && lines_ != nullptr)
      MakeBatchNormLines({norm.mean, norm.variance, norm.gamma, norm.beta, s.epsilon, s.c}, lines_);
  }

  // Where src lies as the branches read it; else it must be copied.
  const float* AsItLies() const { return source_.parts > 1 || normalized_ || source_.relu ? nullptr : src_[0]; }

  // Images [first, first + count), in `to` or where they lie.
  const float* ReadImages(int64_t first, int64_t count, float* to) const {
    const int64_t pixels = source_.h * source_.w;
    if (const float* src = AsItLies()) return src + first * pixels * source_.c;
    Read(first * pixels, count * pixels, to);
    return to;
  }

  // `count` pixels from `first` on, to `to`.
  void Read(int64_t first, int64_t count, float* to) const {
    if (source_.parts > 1) return Gather(first, count, to);
    const float* from = src_[0] + first * source_.c;
    if (normalized_) return BatchNormApplyRows(lines_, from, count, source_.c, source_.relu, to);
    PD_KERNEL_TABLE(kElementwise).relu(from, to, count * source_.c);  // one thread's, where Relu would ask for all
  }

 private:
  void Gather(int64_t first, int64_t rows, float* tile) const {
    const int64_t width = source_.c / source_.parts;
    for (int64_t part = 0; part < source_.parts; ++part)
      PD_KERNEL_TABLE(kLayout).copy_rows({src_[static_cast<size_t>(part)] + first * width, width, tile + part * width,
                                          source_.c, rows, width, source_.relu});
  }

  const SeparableSource& source_;
  std::span<const float* const> src_;
  bool normalized_;
  float* lines_;
};

// Pixels of a piece of about so many floats; see between.h.
inline int64_t PiecePixels(int64_t floats, int64_t channels) { return std::max<int64_t>(1, floats / channels); }

// Reads src tile by tile, the next one in pieces while this one is in use.
class TileReader {
  static constexpr int64_t kTilePiece = 128;  // floats

 public:
  // buffers: of a tile each; a piece is read at every `every`-th call.
  TileReader(const SourceReader& reader, const Tiling& tiling, const SeparableSource& s, float* const (&buffers)[2],
             int64_t every)
      : reader_(reader),
        tiling_(tiling),
        pixels_(s.h * s.w),
        channels_(s.c),
        piece_(PiecePixels(kTilePiece, s.c)),
        every_(every),
        buffers_{buffers[0], buffers[1]} {}

  // The tile, whole. From now on the pieces are of `following`, or of nothing where it is -1.
  const float* Take(int64_t tile, int64_t following) {
    if (const float* src = reader_.AsItLies()) return src + tiling_.FirstImage(tile) * pixels_ * channels_;
    if (tile != tile_) Begin(tile);
    while (next_ < end_) ReadPiece();
    const float* taken = buffers_[buffer_];
    Begin(following);
    return taken;
  }

  void Piece() {
    if (next_ < end_ && ++calls_ % every_ == 0) ReadPiece();
  }

 private:
  void Begin(int64_t tile) {
    buffer_ = 1 - buffer_, tile_ = tile, next_ = end_ = 0;
    if (tile < 0) return;
    start_ = next_ = tiling_.FirstImage(tile) * pixels_;
    end_ = tiling_.FirstImage(tile + 1) * pixels_;
  }

  void ReadPiece() {
    const int64_t count = std::min(piece_, end_ - next_);
    reader_.Read(next_, count, buffers_[buffer_] + (next_ - start_) * channels_);
    next_ += count;
  }

  const SourceReader& reader_;
  const Tiling& tiling_;
  int64_t pixels_, channels_, piece_, every_;  // pixels of an image, and of a piece
  float* buffers_[2];
  int64_t buffer_ = 0, tile_ = -1;          // that are being read
  int64_t start_ = 0, next_ = 0, end_ = 0;  // pixels: its first, the first not yet read, the end
  int64_t calls_ = 0;
};

inline void CheckBranches(const SeparableSource& s, std::span<const SeparableBranch> branches) {
  PD_CHECK(s.n >= 1 && s.lanes >= 1 && !branches.empty(), "{} images, {} lanes, {} branches", s.n, s.lanes,
           branches.size());
  PD_CHECK(s.parts >= 1 && s.c % s.parts == 0, "{} channels in {} parts", s.c, s.parts);
  for (const SeparableBranch& b : branches) {
    PD_CHECK(b.out >= 1 && b.groups >= 1 && b.out % b.groups == 0 && s.c % b.groups == 0,
             "{} to {} channels in {} groups", s.c, b.out, b.groups);
    const DepthwiseParams& p = b.depthwise;
    PD_CHECK(!b.pointwise_only || (p.kernel == 1 && p.stride == 1 && p.pad == 0), "a window of {}", p.kernel);
    PD_CHECK(p.n == s.n && p.h == s.h && p.w == s.w && p.c == s.c, "a branch of another src");
  }
}

}  // namespace pdarts::kernels
