// Still images in memory: decoding of PNG and JPEG, resizing, cutting.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pdarts::data {

// RGB, 8 bits, rows top to bottom, channels innermost.
struct Image {
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;
};

struct ImageSize {
  int height = 0, width = 0;
};

// A rectangle inside an image, in pixels.
struct Box {
  int top = 0, left = 0, height = 0, width = 0;
};

// Decodes a PNG or JPEG, told by its first bytes. Greyscale becomes RGB, alpha is dropped, CMYK is converted, EXIF
// orientation is ignored as the field's loaders do. Throws a data error naming `where` for a damaged file or another
// format.
Image DecodeImage(std::span<const uint8_t> bytes, const std::string& where);

// The size alone, from the header.
ImageSize DecodeImageSize(std::span<const uint8_t> bytes, const std::string& where);

// The box resampled to height x width by a triangle filter whose support grows with the reduction, as PIL's BILINEAR
// does (PyTorch's transforms resize by it). Horizontal pass first, rounded to 8 bits in between, as there.
Image Resize(const Image& image, const Box& box, int height, int width);

// The shorter side scaled to `size`, the longer in proportion (rounded down), as torchvision's Resize(int).
Image ResizeShorterSide(const Image& image, int size);

// The middle size x size square; the image must be at least that large.
Image CentreCrop(const Image& image, int size);

}  // namespace pdarts::data
