// From stored pixels to the network's input: crop, flip, normalisation, cutout. Pure functions of (seed, epoch, image
// index), so any worker may make any image.
#pragma once

#include <array>
#include <cstdint>

#include "data/dataset.h"

namespace pdarts::data {

// (v / 255 - mean) / sd for every byte and channel, in float32 and in PyTorch's order of operations.
class Normaliser {
 public:
  Normaliser(const std::array<double, 3>& mean, const std::array<double, 3>& sd);
  explicit Normaliser(const DatasetInfo& info) : Normaliser(info.mean, info.sd) {}

  float operator()(uint8_t value, int channel) const { return table_[channel][value]; }

  // Normalises `count` pixels of three channels.
  void Apply(const uint8_t* pixels, int64_t count, float* out) const;

 private:
  std::array<std::array<float, 256>, 3> table_;
};

// CIFAR's training transform. The evaluation transform is normalisation alone.
struct AugmentOptions {
  int padding = 4;   // random crop from the image padded by so many black pixels a side; 0: none
  bool flip = true;  // horizontally, half of the images
  int cutout = 0;    // side of the square that is blanked; 0: none (search), 16 (evaluation)
};

// What is drawn for one image.
struct AugmentDraw {
  int top = 0, left = 0;  // of the crop in the padded image, in [0, 2 padding]
  bool flip = false;
  int cutout_y = 0, cutout_x = 0;  // centre of the square, in the cropped image
};

AugmentDraw DrawAugment(const AugmentOptions& options, const DatasetInfo& info, uint64_t seed, uint32_t epoch,
                        int64_t index);

// Writes the transformed image: float32, height x width x 3, the stored image's size. Padding is black before the
// normalisation, the cutout is 0 after it, and clipped at the border: rows [y - L/2, y + L/2), as in DARTS (Liu et al.
// 2019, published code).
void AugmentInto(const uint8_t* image, const DatasetInfo& info, const Normaliser& normalise,
                 const AugmentOptions& options, const AugmentDraw& draw, float* out);

}  // namespace pdarts::data
