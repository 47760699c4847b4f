#include "data/verify.h"

#include <algorithm>
#include <future>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/statistics.h"
#include "data/stream.h"

namespace pdarts::data {

const std::vector<OfficialArchive>& OfficialArchives() {
  static const std::vector<OfficialArchive> kArchives = {
      {"cifar10", "binary", "cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/",
       "c32a1d4ab5d03f1284b67883e8d87530"},
      {"cifar10", "python", "cifar-10-python.tar.gz", "https://www.cs.toronto.edu/~kriz/",
       "c58f30108f718f92721af3b95e74349a"},
      {"cifar100", "python", "cifar-100-python.tar.gz", "https://www.cs.toronto.edu/~kriz/",
       "eb9058c3a382ffc7106e4002c42a8d85"},
  };
  return kArchives;
}

std::string FileMd5(const std::filesystem::path& path) {
  const auto stream = NewFileStream(path);
  const auto digest = base::NewMd5();
  std::vector<std::byte> chunk(1 << 16);
  while (const size_t got = stream->Read(chunk)) digest->Update(std::span(chunk).first(got));
  return digest->Hex();
}

namespace {

// Of the images 0, stride, 2 stride, ...: label and pixels.
std::vector<std::string> ImageHashes(const Dataset& dataset, int64_t stride) {
  std::vector<std::string> hashes(static_cast<size_t>((dataset.Size() + stride - 1) / stride));
  base::ParallelFor(static_cast<int64_t>(hashes.size()), 16, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> pixels(static_cast<size_t>(dataset.info().image_bytes()));
    for (int64_t h = begin; h < end; ++h) {
      const int64_t i = h * stride;
      dataset.Read(i, pixels.data());
      const uint32_t label = static_cast<uint32_t>(dataset.Label(i));
      const std::array<uint8_t, 4> bytes = {static_cast<uint8_t>(label), static_cast<uint8_t>(label >> 8),
                                            static_cast<uint8_t>(label >> 16), static_cast<uint8_t>(label >> 24)};
      const auto digest = base::NewSha256();
      digest->Update(std::as_bytes(std::span(bytes)));
      digest->Update(std::as_bytes(std::span(pixels)));
      hashes[h] = digest->Hex();
    }
  });
  return hashes;
}

SplitReport Count(const Dataset& dataset) {
  SplitReport report;
  report.images = dataset.Size();
  report.per_class.resize(static_cast<size_t>(dataset.info().classes));
  for (int64_t i = 0; i < dataset.Size(); ++i) ++report.per_class[dataset.Label(i)];
  return report;
}

std::string ArchiveVerdict(const std::string& md5) {
  for (const OfficialArchive& archive : OfficialArchives()) {
    if (md5 == archive.md5) return fmt::format("the official {} ({} {})", archive.file, archive.dataset, archive.form);
  }
  return "none of the official archives: repacked, or in another order; the digest and the counts tell whether the "
         "content is complete";
}

// The archive itself where the data come from a single file. Names like "cifar10" without --data are looked up as
// OpenDataset does.
std::filesystem::path ArchivePath(const DatasetSpec& spec) {
  std::error_code ignored;
  std::filesystem::path path = spec.data.empty() ? std::filesystem::path(spec.dataset) : spec.data;
  return std::filesystem::is_regular_file(path, ignored) ? path : std::filesystem::path();
}

}  // namespace

std::string DatasetDigest(const Splits& splits) {
  const auto digest = base::NewSha256();
  digest->Update("pdarts dataset 1\n");
  for (const Dataset* dataset : {splits.train.get(), splits.test.get()}) {
    const int64_t size = dataset == nullptr ? 0 : dataset->Size();
    const char* split = dataset == splits.train.get() ? "train" : "test";
    if (size == 0) {
      digest->Update(fmt::format("{} 0\n", split));
      continue;
    }
    digest->Update(fmt::format("{} {} {}x{}\n", split, size, dataset->info().height, dataset->info().width));
    std::vector<std::string> hashes = ImageHashes(*dataset, 1);
    std::sort(hashes.begin(), hashes.end());
    for (const std::string& hash : hashes) digest->Update(hash);
  }
  return digest->Hex();
}

std::string ContentDigest(const Splits& splits) {
  constexpr int64_t kReadWhole = int64_t{1} << 30, kSampled = 1024;
  const auto digest = base::NewSha256();
  for (const Dataset* dataset : {splits.train.get(), splits.test.get()}) {
    if (dataset == nullptr) continue;
    const DatasetInfo& info = dataset->info();
    if (info.name.starts_with("synthetic")) return "";
    const int64_t size = dataset->Size();
    digest->Update(fmt::format("{} {} {}x{} {} {}\n", size, info.classes, info.height, info.width,
                               fmt::join(info.mean, " "), fmt::join(info.sd, " ")));
    for (int64_t i = 0; i < size; ++i) digest->Update(fmt::format("{} ", dataset->Label(i)));
    const int64_t stride = size * info.image_bytes() <= kReadWhole ? 1 : std::max<int64_t>(1, size / kSampled);
    for (const std::string& hash : ImageHashes(*dataset, stride)) digest->Update(hash);
  }
  return digest->Hex();
}

Report Inspect(DatasetSpec spec, bool verify) {
  spec.need_train = spec.need_test = false;
  Splits splits = OpenDataset(spec);
  const Dataset& measured = splits.train ? *splits.train : *splits.test;
  Report report;
  report.info = measured.info();
  report.warnings = std::move(splits.warnings);
  if (splits.train) report.train = Count(*splits.train);
  if (splits.test) report.test = Count(*splits.test);
  if (!splits.train) report.warnings.push_back("there is no training split: mean and sd are of the test split");
  if (!splits.test) report.warnings.push_back("there is no test split");
  std::future<std::string> md5;
  const std::filesystem::path archive = ArchivePath(spec);
  if (verify && !archive.empty()) md5 = std::async(std::launch::async, [&archive] { return FileMd5(archive); });
  const ChannelStatistics statistics = MeasureChannels(measured);
  report.mean = statistics.mean;
  report.sd = statistics.sd;
  if (verify) report.digest = DatasetDigest(splits);
  if (md5.valid()) {
    report.archive_md5 = md5.get();
    report.archive_verdict = ArchiveVerdict(report.archive_md5);
  }
  return report;
}

}  // namespace pdarts::data
