// ImageNet's training transform, as torchvision does it on PIL images: a pure function of (seed, epoch, image index).
// The evaluation transform (shorter side to 256, centre 224) is what a folder of photographs gives by Dataset::Read.
#pragma once

#include <array>
#include <cstdint>

#include "data/image.h"

namespace pdarts::data {

// What is drawn for one training image.
struct ImageNetDraw {
  Box box;            // cut from the original: area 0.08 to 1 of it, aspect 3/4 to 4/3
  bool flip = false;  // horizontally
  // Colour jitter: factors 0.6 to 1.4 of brightness, contrast and saturation, a shift of hue by -0.2 to 0.2 of the
  // circle, and the order in which the four (0 to 3) are applied.
  double brightness = 1, contrast = 1, saturation = 1, hue = 0;
  std::array<int, 4> order = {0, 1, 2, 3};
};

ImageNetDraw DrawImageNet(ImageSize size, uint64_t seed, uint32_t epoch, int64_t index);

// The box resized to size x size, flipped, then jittered; every step rounds to 8 bits as PIL does.
// Throws nothing; the box must lie inside the original.
Image ImageNetTrainImage(const Image& original, const ImageNetDraw& draw, int size);

}  // namespace pdarts::data
