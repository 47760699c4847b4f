// What a dataset holds, and whether it is what it should be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace pdarts::data {

struct OfficialArchive {
  const char *dataset, *form;  // "cifar10", "binary"
  const char *file, *url;      // url: the folder that it is published in, with the slash at its end
  const char* md5;
};

// The archives whose MD5 is published by the dataset's author.
const std::vector<OfficialArchive>& OfficialArchives();

// MD5 of a file's bytes, lower-case hex.
std::string FileMd5(const std::filesystem::path& path);

// SHA-256 of pixels and labels: of a text with each split's size and image shape and, sorted, the SHA-256 of every
// image (label as four bytes, little-endian, then height x width x RGB). So it is the same for every storage form and
// order of one dataset, and differs with any pixel, label, or image moved to the other split.
std::string DatasetDigest(const Splits& splits);

// SHA-256 of all that a run on these splits depends on: sizes, every label and the pixels in order, and what they are
// normalised with. The same for every storage form that keeps the order. Of a split over 1 GiB of pixels (photographs,
// which would take minutes to decode) only 1024 images, evenly spaced, are read. Empty for synthetic images.
std::string ContentDigest(const Splits& splits);

struct SplitReport {
  int64_t images = 0;
  std::vector<int64_t> per_class;  // images of each class
};

struct Report {
  DatasetInfo info;
  std::optional<SplitReport> train, test;  // absent: a class folder without this split
  std::array<double, 3> mean{},
      sd{};  // measured, of pixel / 255 over the training split (over the test split where that is absent)
  std::vector<std::string> warnings;
  // Filled when verifying.
  std::string digest;
  std::string archive_md5;      // empty where the data are no single file
  std::string archive_verdict;  // one line: which official archive it is, or that it is none of them
};

// Opens the dataset, reads every image and reports. With `verify` it also computes the digest and compares the
// archive's MD5. A missing split of a class folder is accepted, and told in the warnings. Throws what OpenDataset and
// Read throw.
Report Inspect(DatasetSpec spec, bool verify);

}  // namespace pdarts::data
