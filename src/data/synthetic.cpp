#include "data/synthetic.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "data/statistics.h"

namespace pdarts::data {
namespace {

constexpr int kSide = 32;
constexpr int64_t kPixels = 3 * kSide * kSide;
constexpr int64_t kTrainSize = 2048, kTestSize = 512;

// A triangle wave of period 1 and range [-1, 1]. Sines would differ in the last bit between machines; this does not.
double Wave(double phase) {
  const double fraction = phase - std::floor(phase);
  return 4 * std::fabs(fraction - 0.5) - 1;
}

double Blob(double x, double y, double centre_x, double centre_y) {
  const double distance = std::sqrt((x - centre_x) * (x - centre_x) + (y - centre_y) * (y - centre_y));
  return std::clamp(2 - distance / 4.0, -1.0, 1.0);
}

// Ten patterns that a horizontal flip leaves in their class. x and y in pixels, shifted by the image's jitter around
// the centre.
double Pattern(int kind, double x, double y) {
  switch (kind) {
    case 0:
      return Wave(y / 8);  // horizontal stripes, wide
    case 1:
      return Wave(y / 4);  // horizontal stripes, narrow
    case 2:
      return Wave(x / 8);  // vertical stripes, wide
    case 3:
      return Wave(x / 4);  // vertical stripes, narrow
    case 4:
      return Wave(x / 10) * Wave(y / 10);  // checkerboard
    case 5:
      return Wave(std::sqrt(x * x + y * y) / 7);  // rings
    case 6:
      return Blob(x, y, 0, 0);  // one blob
    case 7:
      return std::max(Blob(x, y, -7, 0), Blob(x, y, 7, 0));  // two blobs side by side
    case 8:
      return std::max(Blob(x, y, 0, -7), Blob(x, y, 0, 7));  // two blobs, one above the other
    default:
      return std::clamp(2.5 - std::min(std::fabs(x), std::fabs(y)), -1.0, 1.0);  // a cross
  }
}

// One of ten colours around the wheel, in [-1, 1] per channel.
std::array<double, 3> Colour(double hue) { return {Wave(hue), Wave(hue + 1.0 / 3), Wave(hue + 2.0 / 3)}; }

// Of 10 classes, each has a pattern of its own, in any colour; of 100, each has a pattern and a colour.
void Draw(int64_t index, uint32_t split, int classes, int32_t label, uint8_t* out) {
  base::RandomSequence draws(/*seed=*/0, base::RandomStream::kSynthetic, static_cast<uint32_t>(index), split,
                             static_cast<uint32_t>(classes));
  const double shift_x = 15.5 + 8 * (draws.Uniform() - 0.5), shift_y = 15.5 + 8 * (draws.Uniform() - 0.5);
  const double hue = classes == 10 ? draws.Uniform() : (label / 10) / 10.0 + 0.06 * (draws.Uniform() - 0.5);
  const double contrast = 35 + 45 * draws.Uniform(), brightness = 100 + 55 * draws.Uniform();
  const std::array<double, 3> colour = Colour(hue);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double value = Pattern(label % 10, x - shift_x, y - shift_y);
      for (int c = 0; c < 3; ++c) {
        // The sum of two bytes: noise of a triangular distribution, sd 0.2 of its range.
        const uint32_t bits = draws.Bits();
        const double noise = 0.35 * (static_cast<double>(bits & 255) + static_cast<double>(bits >> 8 & 255) - 255);
        const double channel = brightness + contrast * (0.75 * value + 0.5 * colour[c]) + noise;
        *out++ = static_cast<uint8_t>(std::clamp(std::floor(channel + 0.5), 0.0, 255.0));
      }
    }
  }
}

std::shared_ptr<const Dataset> MakeSplit(DatasetInfo info, uint32_t split, int64_t size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size * kPixels));
  std::vector<int32_t> labels(static_cast<size_t>(size));
  base::ParallelFor(size, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      labels[i] = static_cast<int32_t>(i % info.classes);
      Draw(i, split, info.classes, labels[i], pixels.data() + i * kPixels);
    }
  });
  return std::make_shared<MemoryDataset>(std::move(info), std::move(pixels), std::move(labels));
}

}  // namespace

Splits OpenSynthetic(int classes, int64_t train_limit, int64_t test_limit) {
  PD_CHECK(classes == 10 || classes == 100, "{} classes", classes);
  constexpr int64_t kMost = 1'000'000;
  if (std::max(train_limit, test_limit) > kMost) {
    throw base::UsageError(fmt::format("more than {} synthetic images", kMost), "--train-limit or --test-limit",
                           "give a smaller number");
  }
  DatasetInfo info;
  info.name = classes == 10 ? "synthetic" : "synthetic100";
  info.form = "generated";
  info.classes = classes;
  info.height = info.width = kSide;
  const char* patterns[] = {"wide rows", "narrow rows", "wide columns", "narrow columns", "checkerboard",
                            "rings",     "blob",        "blobs beside", "blobs stacked",  "cross"};
  for (int i = 0; i < classes; ++i) {
    info.class_names.push_back(classes == 10 ? patterns[i] : fmt::format("{}, colour {}", patterns[i % 10], i / 10));
  }
  info.mean = info.sd = {0.5, 0.5, 0.5};
  // The statistics are those of the default training split whatever the limits, so that limits change no pixel of the
  // input.
  const ChannelStatistics statistics = MeasureChannels(*MakeSplit(info, 0, kTrainSize));
  info.mean = statistics.mean;
  info.sd = statistics.sd;
  Splits splits;
  splits.train = MakeSplit(info, 0, train_limit > 0 ? train_limit : kTrainSize);
  splits.test = MakeSplit(info, 1, test_limit > 0 ? test_limit : kTestSize);
  return splits;
}

}  // namespace pdarts::data
