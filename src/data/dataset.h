// Labelled images, and the one way to open them: CIFAR-10 and CIFAR-100 in every official form, folders of class
// folders, and a synthetic set that needs no file.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/image.h"

namespace pdarts::data {

struct DatasetInfo {
  std::string name;  // "cifar10", "cifar100", "synthetic", "synthetic100", or the folder's name
  std::string form;  // how it is stored: "binary, tar.gz", "python, folder", "class folders, in memory", ...
  int classes = 0;
  int height = 0, width = 0;
  static constexpr int channels = 3;
  // Of pixel / 255, per channel, to normalise with: published ones for CIFAR and for large photographs (ImageNet's),
  // else computed over the training split.
  std::array<double, 3> mean{}, sd{};
  std::vector<std::string> class_names;

  int64_t image_bytes() const { return int64_t{height} * width * channels; }
};

// One split. Immutable; every function may be called from several threads at once.
class Dataset {
 public:
  explicit Dataset(DatasetInfo info) : info_(std::move(info)) {}
  virtual ~Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const DatasetInfo& info() const { return info_; }
  virtual int64_t Size() const = 0;
  virtual int32_t Label(int64_t i) const = 0;

  // Writes image i as uint8 in the order height, width, channel (RGB): info().image_bytes() bytes.
  // Throws a data error where the file cannot be read or decoded.
  virtual void Read(int64_t i, uint8_t* out) const = 0;

  // Image i at its stored size, for transforms that cut from the original. The same as Read where all images have one
  // size.
  virtual Image ReadOriginal(int64_t i) const;

 private:
  DatasetInfo info_;
};

// All images of a split in memory.
class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(DatasetInfo info, std::vector<uint8_t> pixels, std::vector<int32_t> labels);

  int64_t Size() const override { return static_cast<int64_t>(labels_.size()); }
  int32_t Label(int64_t i) const override { return labels_[i]; }
  void Read(int64_t i, uint8_t* out) const override;

 private:
  std::vector<uint8_t> pixels_;
  std::vector<int32_t> labels_;
};

struct DatasetSpec {
  std::string dataset =
      "synthetic";             // "cifar10", "cifar100", "synthetic", "synthetic100", or a path whose content tells
  std::filesystem::path data;  // archive or folder; empty: the path in `dataset`, or ./data for CIFAR
  int64_t train_limit = 0;     // at most so many images, the first ones; 0: all
  int64_t test_limit = 0;
  int image_size = 0;      // side for class folders; 0: the images' own where all have one size up to 64, else 224
  bool need_train = true;  // false: a class folder may lack this split, which is then null
  bool need_test = true;
};

struct Splits {
  std::shared_ptr<const Dataset> train, test;
  std::vector<std::string> warnings;  // what is odd but accepted, such as a partial archive; for the caller to show
};

// Opens both splits. Images keep the archive's order; class folders are dealt out in turn, one image of every class at
// a time, so that the first n images and both halves of a split are balanced. Throws a data error that names path and
// remedy, or a usage error for an unknown name.
Splits OpenDataset(const DatasetSpec& spec);

}  // namespace pdarts::data
