#include "data/dataset.h"

#include <cstring>

#include "base/error.h"
#include "data/cifar.h"
#include "data/folder.h"
#include "data/synthetic.h"

namespace pdarts::data {

Image Dataset::ReadOriginal(int64_t i) const {
  Image image{info_.height, info_.width, std::vector<uint8_t>(static_cast<size_t>(info_.image_bytes()))};
  Read(i, image.pixels.data());
  return image;
}

MemoryDataset::MemoryDataset(DatasetInfo info, std::vector<uint8_t> pixels, std::vector<int32_t> labels)
    : Dataset(std::move(info)), pixels_(std::move(pixels)), labels_(std::move(labels)) {
  PD_CHECK(static_cast<int64_t>(pixels_.size()) == Size() * Dataset::info().image_bytes());
}

void MemoryDataset::Read(int64_t i, uint8_t* out) const {
  const int64_t bytes = info().image_bytes();
  std::memcpy(out, pixels_.data() + i * bytes, static_cast<size_t>(bytes));
}

namespace {

// Where CIFAR lies: what is given, looked into if it is a folder; else ./data, where `pdarts data fetch` puts it.
std::filesystem::path CifarPath(const DatasetSpec& spec) {
  std::error_code ignored;
  const std::filesystem::path given = spec.data.empty() ? "data" : spec.data;
  if (std::filesystem::is_regular_file(given, ignored)) return given;
  const std::filesystem::path found = FindCifar(given, spec.dataset);
  if (!found.empty()) return found;
  if (std::filesystem::is_directory(given, ignored) && IsCifarFolder(given))
    return given;  // of the other CIFAR: the reader says so
  const bool exists = std::filesystem::exists(given, ignored);
  throw base::DataError(
      exists ? fmt::format("no {} in it", spec.dataset) : "there is no such file or folder", given.string(),
      fmt::format("give the archive or its folder with --data, or run: pdarts data fetch {}", spec.dataset));
}

Splits OpenPath(const DatasetSpec& spec) {
  const std::filesystem::path path = spec.data.empty() ? std::filesystem::path(spec.dataset) : spec.data;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw base::DataError("there is no such file or folder", path.string(),
                          "give cifar10, cifar100, synthetic, synthetic100 or the path of an archive or folder");
  }
  if (!std::filesystem::is_directory(path, ignored)) return OpenCifar(path, "", spec.train_limit, spec.test_limit);
  if (IsCifarFolder(path)) return OpenCifar(path, "", spec.train_limit, spec.test_limit);
  for (const char* name : {"cifar10", "cifar100"}) {
    const std::filesystem::path found = FindCifar(path, name);
    if (!found.empty()) return OpenCifar(found, name, spec.train_limit, spec.test_limit);
  }
  return OpenClassFolders(path, spec);
}

}  // namespace

Splits OpenDataset(const DatasetSpec& spec) {
  if (spec.train_limit < 0 || spec.test_limit < 0) {
    throw base::UsageError("a limit is negative", "--train-limit or --test-limit",
                           "give a number of images, or 0 for all");
  }
  if (spec.dataset.starts_with("synthetic") && !spec.data.empty())
    throw base::UsageError("synthetic images are made, not read", "--data",
                           "name the dataset that lies there with --dataset");
  if (spec.dataset == "synthetic") return OpenSynthetic(10, spec.train_limit, spec.test_limit);
  if (spec.dataset == "synthetic100") return OpenSynthetic(100, spec.train_limit, spec.test_limit);
  if (spec.dataset == "cifar10" || spec.dataset == "cifar100") {
    return OpenCifar(CifarPath(spec), spec.dataset, spec.train_limit, spec.test_limit);
  }
  const bool is_name = spec.data.empty() && spec.dataset.find_first_of("/.") == std::string::npos &&
                       !std::filesystem::exists(spec.dataset);
  if (is_name) {
    const std::string nearest = base::NearestName(spec.dataset, {"cifar10", "cifar100", "synthetic", "synthetic100"});
    throw base::UsageError(fmt::format("unknown dataset '{}'", spec.dataset), "--dataset",
                           nearest.empty() ? "give cifar10, cifar100, synthetic, synthetic100 or a path"
                                           : fmt::format("did you mean '{}'?", nearest));
  }
  return OpenPath(spec);
}

}  // namespace pdarts::data
