#include "data/augment.h"

#include <algorithm>

#include "base/philox.h"

namespace pdarts::data {

Normaliser::Normaliser(const std::array<double, 3>& mean, const std::array<double, 3>& sd) {
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) {
      const float scaled = static_cast<float>(v) / 255.0f;
      table_[c][v] = (scaled - static_cast<float>(mean[c])) / static_cast<float>(sd[c]);
    }
  }
}

void Normaliser::Apply(const uint8_t* pixels, int64_t count, float* out) const {
  for (int64_t i = 0; i < 3 * count; i += 3) {
    for (int c = 0; c < 3; ++c) out[i + c] = table_[c][pixels[i + c]];
  }
}

AugmentDraw DrawAugment(const AugmentOptions& options, const DatasetInfo& info, uint64_t seed, uint32_t epoch,
                        int64_t index) {
  base::RandomSequence draws(seed, base::RandomStream::kAugment, epoch, static_cast<uint32_t>(index));
  // Every draw is made whether used or not: switching one option leaves the others' draws as they were.
  AugmentDraw draw;
  draw.top = static_cast<int>(draws.Below(static_cast<uint32_t>(2 * options.padding + 1)));
  draw.left = static_cast<int>(draws.Below(static_cast<uint32_t>(2 * options.padding + 1)));
  draw.flip = draws.Below(2) == 1 && options.flip;
  draw.cutout_y = static_cast<int>(draws.Below(static_cast<uint32_t>(info.height)));
  draw.cutout_x = static_cast<int>(draws.Below(static_cast<uint32_t>(info.width)));
  return draw;
}

void AugmentInto(const uint8_t* image, const DatasetInfo& info, const Normaliser& normalise,
                 const AugmentOptions& options, const AugmentDraw& draw, float* out) {
  const int height = info.height, width = info.width;
  for (int y = 0; y < height; ++y) {
    const int source_y = y + draw.top - options.padding;
    const bool row_inside = source_y >= 0 && source_y < height;
    for (int x = 0; x < width; ++x) {
      const int source_x = (draw.flip ? width - 1 - x : x) + draw.left - options.padding;
      const bool inside = row_inside && source_x >= 0 && source_x < width;
      const int64_t source = (int64_t{source_y} * width + source_x) * 3;
      float* pixel = out + (int64_t{y} * width + x) * 3;
      for (int c = 0; c < 3; ++c) pixel[c] = normalise(inside ? image[source + c] : uint8_t{0}, c);
    }
  }
  if (options.cutout == 0) return;
  const int half = options.cutout / 2;
  const int left = std::max(0, draw.cutout_x - half), right = std::min(width, draw.cutout_x + half);
  for (int y = std::max(0, draw.cutout_y - half); y < std::min(height, draw.cutout_y + half); ++y) {
    std::fill(out + (int64_t{y} * width + left) * 3, out + (int64_t{y} * width + right) * 3, 0.0f);
  }
}

}  // namespace pdarts::data
