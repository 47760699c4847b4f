// Resampling to the bit as PIL does it (Pillow, src/libImaging/Resample.c): 22-bit fixed point weights, one rounding a
// pass.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/image.h"

namespace pdarts::data {
namespace {

constexpr int kWeightBits = 22;

// The source positions and weights of one destination position.
struct Taps {
  int first = 0;
  std::vector<int32_t> weights;
};

std::vector<Taps> TriangleTaps(int src, int dst) {
  const double scale = static_cast<double>(src) / dst, support = std::max(scale, 1.0);
  std::vector<Taps> taps(static_cast<size_t>(dst));
  for (int i = 0; i < dst; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(src, static_cast<int>(centre + support + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int x = first; x < end; ++x) {
      const double weight = std::max(0.0, 1 - std::fabs((x - centre + 0.5) / support));
      weights.push_back(weight);
      sum += weight;
    }
    taps[i].first = first;
    for (const double weight : weights)
      taps[i].weights.push_back(static_cast<int32_t>(0.5 + weight / sum * (1 << kWeightBits)));
  }
  return taps;
}

uint8_t Round(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>((sum + (1 << (kWeightBits - 1))) >> kWeightBits, 0, 255));
}

// One destination row from `taps.weights.size()` source rows, `step` bytes apart from one tap to the next.
uint8_t Sample(const uint8_t* src, const Taps& taps, int64_t step) {
  int64_t sum = 0;
  for (size_t t = 0; t < taps.weights.size(); ++t)
    sum += int64_t{taps.weights[t]} * src[static_cast<int64_t>(t) * step];
  return Round(sum);
}

}  // namespace

Image Resize(const Image& image, const Box& box, int height, int width) {
  const bool inside = box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0 &&
                      box.top + box.height <= image.height && box.left + box.width <= image.width && height > 0 &&
                      width > 0;
  PD_CHECK(inside, "box {}+{} x {}+{} of {} x {}", box.top, box.height, box.left, box.width, image.height, image.width);
  const std::vector<Taps> columns = TriangleTaps(box.width, width), rows = TriangleTaps(box.height, height);
  Image wide{box.height, width, std::vector<uint8_t>(static_cast<size_t>(box.height) * static_cast<size_t>(width) * 3)};
  for (int y = 0; y < box.height; ++y) {
    const uint8_t* src = image.pixels.data() + (int64_t{box.top + y} * image.width + box.left) * 3;
    uint8_t* dst = wide.pixels.data() + int64_t{y} * width * 3;
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) dst[3 * x + c] = Sample(src + 3 * columns[x].first + c, columns[x], 3);
    }
  }
  Image result{height, width, std::vector<uint8_t>(static_cast<size_t>(height) * static_cast<size_t>(width) * 3)};
  const int64_t row_bytes = int64_t{width} * 3;
  for (int y = 0; y < height; ++y) {
    const uint8_t* src = wide.pixels.data() + rows[y].first * row_bytes;
    uint8_t* dst = result.pixels.data() + y * row_bytes;
    for (int64_t b = 0; b < row_bytes; ++b) dst[b] = Sample(src + b, rows[y], row_bytes);
  }
  return result;
}

Image ResizeShorterSide(const Image& image, int size) {
  const int64_t height = image.height, width = image.width;
  const int new_height = height <= width ? size : static_cast<int>(size * height / width);
  const int new_width = height <= width ? static_cast<int>(size * width / height) : size;
  return Resize(image, {0, 0, image.height, image.width}, new_height, new_width);
}

Image CentreCrop(const Image& image, int size) {
  PD_CHECK(image.height >= size && image.width >= size, "{} x {} to {}", image.height, image.width, size);
  // Ties to even, as Python's round in torchvision's center_crop.
  const int top = static_cast<int>(std::nearbyint((image.height - size) / 2.0));
  const int left = static_cast<int>(std::nearbyint((image.width - size) / 2.0));
  Image result{size, size, {}};
  result.pixels.reserve(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
  for (int y = 0; y < size; ++y) {
    const uint8_t* row = image.pixels.data() + (int64_t{top + y} * image.width + left) * 3;
    result.pixels.insert(result.pixels.end(), row, row + 3 * size);
  }
  return result;
}

}  // namespace pdarts::data
