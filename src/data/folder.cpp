#include "data/folder.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/statistics.h"

namespace pdarts::data {
namespace {

constexpr int kLargestInMemory = 64;  // side, pixels
constexpr int kDefaultSize = 224;

struct File {
  std::filesystem::path path;
  int32_t label;
};

std::span<const uint8_t> Bytes(const std::string& content) {
  return {reinterpret_cast<const uint8_t*>(content.data()), content.size()};
}

Image DecodeFile(const std::filesystem::path& path) { return DecodeImage(Bytes(base::ReadFile(path)), path.string()); }

// Files decoded when they are asked for.
class FileDataset final : public Dataset {
 public:
  FileDataset(DatasetInfo info, std::vector<File> files) : Dataset(std::move(info)), files_(std::move(files)) {}

  int64_t Size() const override { return static_cast<int64_t>(files_.size()); }
  int32_t Label(int64_t i) const override { return files_[i].label; }
  Image ReadOriginal(int64_t i) const override { return DecodeFile(files_[i].path); }
  void Read(int64_t i, uint8_t* out) const override {
    const int size = info().height;
    const Image image = CentreCrop(ResizeShorterSide(ReadOriginal(i), size * 8 / 7), size);
    std::memcpy(out, image.pixels.data(), image.pixels.size());
  }

 private:
  std::vector<File> files_;
};

bool IsImageName(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// The entries of a folder that a test accepts, in sorted order, without hidden ones.
template <class Test>
std::vector<std::filesystem::path> List(const std::filesystem::path& folder, Test accepts) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string()[0] != '.' && accepts(*at)) entries.push_back(at->path());
  }
  if (error)
    throw base::DataError(fmt::format("cannot list the folder: {}", error.message()), folder.string(),
                          "check the permissions");
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<std::string> ClassNames(const std::filesystem::path& split) {
  std::vector<std::string> names;
  for (const auto& path : List(split, [](const auto& entry) { return entry.is_directory(); }))
    names.push_back(path.filename().string());
  if (names.empty()) {
    throw base::DataError("no class folders in it", split.string(), "expected <split>/<class>/*.png or *.jpg");
  }
  return names;
}

// One image of every class in turn, so that any beginning of the list and both its halves are balanced.
std::vector<File> DealOut(const std::filesystem::path& split, const std::vector<std::string>& classes, int64_t limit) {
  std::vector<std::vector<std::filesystem::path>> by_class;
  size_t most = 0;
  for (const std::string& name : ClassNames(split)) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), name);
    if (found == classes.end() || *found != name) {
      throw base::DataError(fmt::format("class '{}' is not among the training classes", name), split.string(),
                            "remove or rename the folder");
    }
    by_class.resize(classes.size());
    auto& files = by_class[static_cast<size_t>(found - classes.begin())];
    files = List(split / name, [](const auto& entry) { return entry.is_regular_file() && IsImageName(entry.path()); });
    if (files.empty())
      throw base::DataError("no PNG or JPEG files in it", (split / name).string(), "fill or remove the folder");
    most = std::max(most, files.size());
  }
  std::vector<File> dealt;
  for (size_t round = 0; round < most; ++round) {
    for (size_t c = 0; c < by_class.size(); ++c) {
      if (round >= by_class[c].size()) continue;
      dealt.push_back({by_class[c][round], static_cast<int32_t>(c)});
      if (limit > 0 && static_cast<int64_t>(dealt.size()) == limit) return dealt;
    }
  }
  return dealt;
}

// The size that all files have, if it is one and small.
std::optional<ImageSize> CommonSmallSize(const std::vector<File>& train, const std::vector<File>& test) {
  std::vector<const File*> files;
  for (const std::vector<File>* list : {&train, &test}) {
    for (const File& file : *list) files.push_back(&file);
  }
  const auto size_of = [&](size_t i) {
    return DecodeImageSize(Bytes(base::ReadFile(files[i]->path)), files[i]->path.string());
  };
  const ImageSize first = size_of(0);
  if (std::max(first.height, first.width) > kLargestInMemory) return std::nullopt;
  for (size_t i = 1; i < files.size(); ++i) {
    const ImageSize size = size_of(i);
    if (size.height != first.height || size.width != first.width) return std::nullopt;
  }
  return first;
}

std::shared_ptr<const Dataset> Load(const DatasetInfo& info, const std::vector<File>& files) {
  const int64_t bytes = info.image_bytes();
  std::vector<uint8_t> pixels(files.size() * static_cast<size_t>(bytes));
  std::vector<int32_t> labels(files.size());
  base::ParallelFor(static_cast<int64_t>(files.size()), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Image image = DecodeFile(files[i].path);
      std::memcpy(pixels.data() + i * bytes, image.pixels.data(), static_cast<size_t>(bytes));
      labels[i] = files[i].label;
    }
  });
  return std::make_shared<MemoryDataset>(info, std::move(pixels), std::move(labels));
}

// The first of the names that is a folder, or an empty path, or an error where the split is needed.
std::filesystem::path FindSplit(const std::filesystem::path& path, const std::vector<std::string>& names, bool needed) {
  std::error_code ignored;
  for (const std::string& name : names) {
    if (std::filesystem::is_directory(path / name, ignored)) return path / name;
  }
  if (!needed) return {};
  throw base::DataError(fmt::format("it has no folder '{}'", fmt::join(names, "' or '")), path.string(),
                        "expected train/<class>/* and val/<class>/* or test/<class>/*, or the batch files of CIFAR");
}

}  // namespace

Splits OpenClassFolders(const std::filesystem::path& path, const DatasetSpec& spec) {
  const std::filesystem::path train_path = FindSplit(path, {"train"}, spec.need_train);
  const std::filesystem::path test_path = FindSplit(path, {"val", "test"}, spec.need_test || train_path.empty());
  DatasetInfo info;
  info.name = std::filesystem::absolute(path).lexically_normal().filename().string();
  if (info.name.empty())
    info.name = std::filesystem::absolute(path).lexically_normal().parent_path().filename().string();
  info.class_names = ClassNames(train_path.empty() ? test_path : train_path);
  info.classes = static_cast<int>(info.class_names.size());
  std::vector<File> train, test;
  if (!train_path.empty()) train = DealOut(train_path, info.class_names, spec.train_limit);
  if (!test_path.empty()) test = DealOut(test_path, info.class_names, spec.test_limit);
  const std::optional<ImageSize> small = spec.image_size == 0 ? CommonSmallSize(train, test) : std::nullopt;
  Splits splits;
  const auto open = [&](const std::vector<File>& files) -> std::shared_ptr<const Dataset> {
    if (files.empty()) return nullptr;
    return small ? Load(info, files) : std::make_shared<FileDataset>(info, files);
  };
  if (small) {
    info.form = "class folders, in memory";
    info.height = small->height, info.width = small->width;
    info.mean = info.sd = {0.5, 0.5, 0.5};
    const ChannelStatistics statistics = MeasureChannels(*open(train.empty() ? test : train));
    info.mean = statistics.mean;
    info.sd = statistics.sd;
  } else {
    info.form = "class folders, read as needed";
    info.height = info.width = spec.image_size > 0 ? spec.image_size : kDefaultSize;
    info.mean = {.485, .456, .406};  // ImageNet's, as the field uses them
    info.sd = {.229, .224, .225};
  }
  splits.train = open(train);
  splits.test = open(test);
  return splits;
}

}  // namespace pdarts::data
