// Sampler, augmentation and loader.
#include "data/loader.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "catch2/catch_test_macros.hpp"
#include "data/sampler.h"

namespace pdarts::data {
namespace {

std::shared_ptr<const Dataset> Synthetic(int64_t images) {
  static const Splits splits = OpenDataset({.dataset = "synthetic", .train_limit = 300});
  REQUIRE(images <= splits.train->Size());
  return splits.train;
}

// Images whose every pixel tells its position, and one that cannot be read.
class Positions final : public Dataset {
 public:
  explicit Positions(int64_t unreadable = -1)
      : Dataset({.classes = 10, .height = 32, .width = 32, .mean = {0, 0, 0}, .sd = {1, 1, 1}}),
        unreadable_(unreadable) {}
  int64_t Size() const override { return 50; }
  int32_t Label(int64_t i) const override { return static_cast<int32_t>(i); }
  void Read(int64_t i, uint8_t* out) const override {
    if (i == unreadable_) throw base::DataError("cannot decode", "image 7", "replace it");
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) {
        *out++ = static_cast<uint8_t>(y + 100), *out++ = static_cast<uint8_t>(x + 100),
        *out++ = static_cast<uint8_t>(i + 1);
      }
    }
  }

 private:
  int64_t unreadable_;
};

struct Seen {
  std::vector<int32_t> labels;
  std::vector<float> images;
  std::vector<int> sizes;
  bool operator==(const Seen&) const = default;
};

Seen Collect(Loader& loader) {
  Seen seen;
  while (const Batch* batch = loader.Next()) {
    seen.sizes.push_back(batch->n);
    seen.labels.insert(seen.labels.end(), batch->labels.begin(), batch->labels.end());
    seen.images.insert(seen.images.end(), batch->images.begin(), batch->images.end());
  }
  return seen;
}

LoaderOptions Options(int workers) {
  LoaderOptions options;
  options.dataset = Synthetic(300);
  options.indices = IndexRange(0, 300);
  options.batch_size = 64;
  options.augmentation.cutout = 16;
  options.seed = 5;
  options.workers = workers;
  options.slots = 2;
  return options;
}

TEST_CASE("an epoch's order is a permutation that depends on seed, epoch and loader", "[data]") {
  const std::vector<int64_t> indices = IndexRange(1000, 2000);
  const std::vector<int64_t> order = EpochOrder(1, 0, 0, indices);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == indices);
  CHECK(order != indices);
  CHECK(order == EpochOrder(1, 0, 0, indices));
  CHECK(order != EpochOrder(2, 0, 0, indices));
  CHECK(order != EpochOrder(1, 1, 0, indices));
  CHECK(order != EpochOrder(1, 0, 1, indices));
}

TEST_CASE("the same batches come for any number of workers", "[data]") {
  Loader alone(Options(0));
  alone.StartEpoch(3);
  const Seen expected = Collect(alone);
  CHECK(expected.sizes == std::vector<int>{64, 64, 64, 64, 44});
  for (const int workers : {1, 2, 5}) {
    Loader loader(Options(workers));
    loader.StartEpoch(2);
    for (int i = 0; i < 3; ++i) REQUIRE(loader.Next() != nullptr);
    loader.StartEpoch(3);  // drops the batches of epoch 2 that are being made
    CHECK(Collect(loader) == expected);
    CHECK(loader.Next() == nullptr);
  }
}

TEST_CASE("photographs come the same for any number of workers too, and differ from epoch to epoch", "[data]") {
  LoaderOptions options = Options(0);
  options.photographs = true;
  Loader alone(options);
  alone.StartEpoch(1);
  const Seen expected = Collect(alone);
  options.workers = 3;
  Loader loader(options);
  loader.StartEpoch(1);
  CHECK(Collect(loader) == expected);
  loader.StartEpoch(2);
  CHECK(Collect(loader) != expected);
}

TEST_CASE("a loader started within an epoch goes on as one that ran there", "[data]") {
  Loader whole(Options(1));
  whole.StartEpoch(4);
  for (int i = 0; i < 2; ++i) REQUIRE(whole.Next() != nullptr);
  CHECK(whole.next_batch() == 2);
  const Seen rest = Collect(whole);
  for (const int workers : {0, 3}) {
    Loader resumed(Options(workers));
    resumed.StartEpoch(4, 2);
    CHECK(Collect(resumed) == rest);
    resumed.StartEpoch(4, resumed.BatchesPerEpoch());
    CHECK(resumed.Next() == nullptr);
  }
}

TEST_CASE("the halves of a search share no image and cover the split", "[data]") {
  LoaderOptions first = Options(1), second = Options(1);
  first.dataset = second.dataset = std::make_shared<Positions>();
  first.indices = IndexRange(0, 25);
  second.indices = IndexRange(25, 50);
  second.number = 1;
  Loader weights(first), alphas(second);
  weights.StartEpoch(0);
  alphas.StartEpoch(0);
  const Seen a = Collect(weights), b = Collect(alphas);
  std::set<int32_t> all(a.labels.begin(), a.labels.end());
  CHECK(*std::max_element(a.labels.begin(), a.labels.end()) == 24);
  all.insert(b.labels.begin(), b.labels.end());
  CHECK(all.size() == 50);
}

TEST_CASE("an unreadable image surfaces in Next", "[data]") {
  for (const int workers : {0, 2}) {
    LoaderOptions options = Options(workers);
    options.dataset = std::make_shared<Positions>(/*unreadable=*/7);
    options.indices = {};
    options.batch_size = 4;
    options.shuffle = false;
    Loader loader(options);
    loader.StartEpoch(0);
    REQUIRE(loader.Next() != nullptr);
    CHECK_THROWS_AS(loader.Next(), base::Error);
    loader.StartEpoch(0, 2);
    CHECK(loader.Next()->labels == std::vector<int32_t>{8, 9, 10, 11});
  }
}

TEST_CASE("without augmentation a batch is the normalised images in order", "[data]") {
  LoaderOptions options = Options(1);
  options.shuffle = options.augment = false;
  Loader loader(options);
  loader.StartEpoch(0);
  const Batch* batch = loader.Next();
  const DatasetInfo& info = options.dataset->info();
  std::vector<uint8_t> pixels(static_cast<size_t>(info.image_bytes()));
  options.dataset->Read(1, pixels.data());
  for (size_t i = 0; i < pixels.size(); ++i) {
    const float mean = static_cast<float>(info.mean[i % 3]), sd = static_cast<float>(info.sd[i % 3]);
    REQUIRE(batch->images[pixels.size() + i] == (static_cast<float>(pixels[i]) / 255.0f - mean) / sd);
  }
}

// Recomputes by hand, pixel by pixel, from the drawn numbers.
TEST_CASE("augmentation crops, flips, pads with black and blanks to zero", "[data]") {
  const Positions dataset;
  std::vector<uint8_t> pixels(3 * 32 * 32);
  dataset.Read(40, pixels.data());
  const Normaliser normalise({.5, .4, .3}, {.2, .25, .3});
  const AugmentOptions options{.padding = 4, .flip = true, .cutout = 16};
  const AugmentDraw draw{.top = 1, .left = 7, .flip = true, .cutout_y = 3, .cutout_x = 30};
  std::vector<float> out(3 * 32 * 32);
  AugmentInto(pixels.data(), dataset.info(), normalise, options, draw, out.data());
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const float* pixel = out.data() + (y * 32 + x) * 3;
      const int source_y = y - 3, source_x = (31 - x) + 3;
      if (y < 11 && x >= 22) {
        REQUIRE((pixel[0] == 0 && pixel[1] == 0 && pixel[2] == 0));
      } else if (source_y < 0 || source_x > 31) {
        REQUIRE((pixel[0] == normalise(0, 0) && pixel[2] == normalise(0, 2)));
      } else {
        REQUIRE(pixel[0] == normalise(static_cast<uint8_t>(source_y + 100), 0));
        REQUIRE(pixel[1] == normalise(static_cast<uint8_t>(source_x + 100), 1));
      }
    }
  }
}

TEST_CASE("augmentation draws every crop, both flips and every centre", "[data]") {
  const Positions dataset;
  std::set<int> tops, lefts, ys, xs;
  int flips = 0;
  for (int64_t i = 0; i < 2000; ++i) {
    const AugmentDraw draw = DrawAugment({.padding = 4, .flip = true, .cutout = 16}, dataset.info(), 9, 1, i);
    tops.insert(draw.top), lefts.insert(draw.left), ys.insert(draw.cutout_y), xs.insert(draw.cutout_x);
    flips += draw.flip ? 1 : 0;
    const AugmentDraw plain = DrawAugment({.padding = 4, .flip = false, .cutout = 0}, dataset.info(), 9, 1, i);
    REQUIRE((plain.top == draw.top && plain.left == draw.left && !plain.flip));
  }
  CHECK((tops.size() == 9 && *tops.rbegin() == 8 && lefts.size() == 9));
  CHECK((ys.size() == 32 && xs.size() == 32 && *xs.rbegin() == 31));
  CHECK((flips > 900 && flips < 1100));
}

}  // namespace
}  // namespace pdarts::data
