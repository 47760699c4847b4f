// Resizing and ImageNet's transform against results of Pillow.
#include "data/imagenet.h"

#include <set>

#include "base/hash.h"
#include "catch2/catch_test_macros.hpp"

namespace pdarts::data {
namespace {

// A picture of 61 x 97 pixels with all byte values, the same as the one that Pillow was given.
Image Picture() {
  Image image{61, 97, {}};
  for (int y = 0; y < 61; ++y) {
    for (int x = 0; x < 97; ++x) {
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<uint8_t>(y * y * 7 + x * 13 * (c + 1) + (x * y >> 2) * (5 - c)));
    }
  }
  return image;
}

std::string Hash(const Image& image) {
  return base::Sha256Hex({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
}

// crop((9, 5, 89, 55)).resize((224, 224), BILINEAR)
TEST_CASE("resizing is Pillow's to the bit", "[data]") {
  CHECK(Hash(Resize(Picture(), {5, 9, 50, 80}, 224, 224)) ==
        "11c3911e29956158c5922518e4b2bb34bdd35f22626400d5b33f5c4b94327961");
}

// ImageEnhance.Brightness, Contrast and Color; the hue by way of mode HSV, its channel shifted by int(hue * 255) modulo
// 256.
TEST_CASE("colour jitter is Pillow's to the bit", "[data]") {
  const struct {
    ImageNetDraw draw;
    int size;
    const char* hash;
  } cases[] = {
      {{.box = {0, 0, 61, 97},
        .flip = false,
        .brightness = 1.37,
        .contrast = 1,
        .saturation = 1,
        .hue = 0,
        .order = {0, 1, 2, 3}},
       61,
       "d07316e5e3e201c2b0d2eab1a890f78c6255654b52b050a5d89b3a83d77219ed"},
      {{.box = {0, 0, 61, 97},
        .flip = false,
        .brightness = 1,
        .contrast = 0.71,
        .saturation = 1,
        .hue = 0,
        .order = {0, 1, 2, 3}},
       61,
       "ac66146d3cde5592d51180fa6f0f13e05ea3ba21b752cd239861779f0b4bd6c0"},
      {{.box = {0, 0, 61, 97},
        .flip = false,
        .brightness = 1,
        .contrast = 1,
        .saturation = 1.33,
        .hue = 0,
        .order = {0, 1, 2, 3}},
       61,
       "d863f68d5660abeebab82532ca155e9a7cbdc2c88b91d94cb4b621b20e2ad7d3"},
      {{.box = {0, 0, 61, 97},
        .flip = false,
        .brightness = 1,
        .contrast = 1,
        .saturation = 1,
        .hue = -0.171,
        .order = {0, 1, 2, 3}},
       61,
       "0cce540dc8200e7324724faffde24066d7bd24a4355023b90a2b93e054f0cdd9"},
      {{.box = {5, 9, 50, 80},
        .flip = true,
        .brightness = 1.25,
        .contrast = 0.65,
        .saturation = 1.39,
        .hue = 0.183,
        .order = {3, 0, 2, 1}},
       112,
       "6442f11a3f89f950ff601225b55c6402eb3ee89f6d84e7a6c502f3458c60b915"},
  };
  for (const auto& [draw, size, hash] : cases) CHECK(Hash(ImageNetTrainImage(Picture(), draw, size)) == hash);
}

TEST_CASE("ImageNet's draws stay in their ranges and reach them", "[data]") {
  std::set<std::array<int, 4>> orders;
  double least_area = 1, most_area = 0, most_hue = 0;
  for (int64_t i = 0; i < 3000; ++i) {
    const ImageNetDraw draw = DrawImageNet({300, 400}, 3, 1, i);
    const Box& box = draw.box;
    REQUIRE((box.top >= 0 && box.left >= 0 && box.top + box.height <= 300 && box.left + box.width <= 400));
    const double area = box.height * box.width / 120000.0, aspect = static_cast<double>(box.width) / box.height;
    REQUIRE((aspect > 0.73 && aspect < 1.36));
    REQUIRE((draw.brightness >= 0.6 && draw.brightness < 1.4 && draw.saturation >= 0.6 && draw.saturation < 1.4));
    least_area = std::min(least_area, area), most_area = std::max(most_area, area),
    most_hue = std::max(most_hue, draw.hue);
    orders.insert(draw.order);
  }
  CHECK((least_area > 0.079 && least_area < 0.09 && most_area > 0.9));
  CHECK((most_hue > 0.19 && most_hue < 0.2));
  CHECK(orders.size() == 24);
}

TEST_CASE("an image too long for any aspect is cut in its middle", "[data]") {
  const Box box = DrawImageNet({10, 1000}, 0, 0, 0).box;
  CHECK((box.top == 0 && box.height == 10 && box.width == 13 && box.left == 493));
}

}  // namespace
}  // namespace pdarts::data
