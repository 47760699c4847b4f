#include "data/imagenet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/philox.h"

namespace pdarts::data {
namespace {

// torchvision's RandomResizedCrop: up to ten tries, then the largest centred box of an allowed aspect.
Box DrawBox(ImageSize size, base::RandomSequence& draws) {
  constexpr double kLeastAspect = 3.0 / 4, kMostAspect = 4.0 / 3, kLeastArea = 0.08;
  const double area = static_cast<double>(size.height) * size.width;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * (kLeastArea + (1 - kLeastArea) * draws.Uniform());
    const double log_aspect =
        std::log(kLeastAspect) + (std::log(kMostAspect) - std::log(kLeastAspect)) * draws.Uniform();
    const double aspect = std::exp(log_aspect);
    const int width = static_cast<int>(std::nearbyint(std::sqrt(target * aspect)));
    const int height = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
    if (width < 1 || width > size.width || height < 1 || height > size.height) continue;
    const int top = static_cast<int>(draws.Below(static_cast<uint32_t>(size.height - height + 1)));
    const int left = static_cast<int>(draws.Below(static_cast<uint32_t>(size.width - width + 1)));
    return {top, left, height, width};
  }
  const double aspect = static_cast<double>(size.width) / size.height;
  int height = size.height, width = size.width;
  if (aspect < kLeastAspect) height = std::min(height, static_cast<int>(std::nearbyint(width / kLeastAspect)));
  if (aspect > kMostAspect) width = std::min(width, static_cast<int>(std::nearbyint(height * kMostAspect)));
  return {(size.height - height) / 2, (size.width - width) / 2, height, width};
}

// PIL's blend of one byte (libImaging/Blend.c): from `base` to `value` by a factor that may exceed 1; cut, not rounded.
uint8_t Blend(int base, int value, float factor) {
  const float blended = static_cast<float>(base) + factor * static_cast<float>(value - base);
  return static_cast<uint8_t>(std::clamp(blended, 0.0f, 255.0f));
}

int Grey(const uint8_t* pixel) { return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16; }

void AdjustBrightness(Image& image, float factor) {
  for (uint8_t& value : image.pixels) value = Blend(0, value, factor);
}

void AdjustContrast(Image& image, float factor) {
  int64_t sum = 0;
  const int64_t bytes = static_cast<int64_t>(image.pixels.size());
  for (int64_t i = 0; i < bytes; i += 3) sum += Grey(image.pixels.data() + i);
  const int mean = static_cast<int>(static_cast<double>(sum) / static_cast<double>(bytes / 3) + 0.5);
  for (uint8_t& value : image.pixels) value = Blend(mean, value, factor);
}

void AdjustSaturation(Image& image, float factor) {
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    const int grey = Grey(image.pixels.data() + i);
    for (size_t c = 0; c < 3; ++c) image.pixels[i + c] = Blend(grey, image.pixels[i + c], factor);
  }
}

struct Hsv {
  uint8_t h, s, v;
};

// PIL's conversions (libImaging/Convert.c) with their 8-bit hue, which the field's colour jitter goes through.
Hsv ToHsv(const uint8_t* rgb) {
  const int r = rgb[0], g = rgb[1], b = rgb[2];
  const int most = std::max({r, g, b}), least = std::min({r, g, b});
  if (most == least) return {0, 0, static_cast<uint8_t>(most)};
  const float range = static_cast<float>(most - least);
  const float saturation = range / static_cast<float>(most);
  const float rc = static_cast<float>(most - r) / range, gc = static_cast<float>(most - g) / range,
              bc = static_cast<float>(most - b) / range;
  float hue = r == most ? bc - gc : static_cast<float>(g == most ? 2.0 + rc - bc : 4.0 + gc - rc);
  hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
  return {static_cast<uint8_t>(hue * 255.0), static_cast<uint8_t>(saturation * 255.0), static_cast<uint8_t>(most)};
}

void FromHsv(Hsv hsv, uint8_t* rgb) {
  const float value = hsv.v, saturation = static_cast<float>(hsv.s / 255.0),
              position = static_cast<float>(hsv.h * 6.0 / 255.0);
  const int sector = static_cast<int>(position);
  const float part = position - static_cast<float>(sector);
  const auto byte = [](double x) { return static_cast<uint8_t>(std::clamp(std::round(x), 0.0, 255.0)); };
  const uint8_t v = hsv.v, p = byte(value * (1.0 - saturation)), q = byte(value * (1.0 - saturation * part)),
                t = byte(value * (1.0 - saturation * (1.0 - part)));
  const uint8_t sectors[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  std::copy_n(sectors[sector % 6], 3, rgb);
}

void ShiftHue(Image& image, double shift) {
  const uint8_t steps = static_cast<uint8_t>(static_cast<int>(shift * 255));  // negative shifts wrap around the circle
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    Hsv hsv = ToHsv(image.pixels.data() + i);
    hsv.h = static_cast<uint8_t>(hsv.h + steps);
    FromHsv(hsv, image.pixels.data() + i);
  }
}

void Flip(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.pixels.data() + int64_t{y} * image.width * 3;
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
    }
  }
}

}  // namespace

ImageNetDraw DrawImageNet(ImageSize size, uint64_t seed, uint32_t epoch, int64_t index) {
  base::RandomSequence draws(seed, base::RandomStream::kAugment, epoch, static_cast<uint32_t>(index), /*c=*/1);
  ImageNetDraw draw;
  draw.flip = draws.Below(2) == 1;
  draw.brightness = 0.6 + 0.8 * draws.Uniform();
  draw.contrast = 0.6 + 0.8 * draws.Uniform();
  draw.saturation = 0.6 + 0.8 * draws.Uniform();
  draw.hue = 0.4 * draws.Uniform() - 0.2;
  for (uint32_t left = 4; left > 1; --left) std::swap(draw.order[left - 1], draw.order[draws.Below(left)]);
  draw.box = DrawBox(size, draws);
  return draw;
}

Image ImageNetTrainImage(const Image& original, const ImageNetDraw& draw, int size) {
  Image image = Resize(original, draw.box, size, size);
  if (draw.flip) Flip(image);
  for (const int step : draw.order) {
    switch (step) {
      case 0:
        AdjustBrightness(image, static_cast<float>(draw.brightness));
        break;
      case 1:
        AdjustContrast(image, static_cast<float>(draw.contrast));
        break;
      case 2:
        AdjustSaturation(image, static_cast<float>(draw.saturation));
        break;
      default:
        ShiftHue(image, draw.hue);
    }
  }
  return image;
}

}  // namespace pdarts::data
