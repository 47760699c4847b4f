// What tests of files need beside a folder of their own: the shared real data, and makers of archives and CIFAR
// batches.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temp_folder.h"

namespace pdarts::test {

// A file or folder of the shared data (environment variable PDARTS_SHARED), or nothing where it is absent.
std::optional<std::filesystem::path> Shared(const std::string& name);

using Entries = std::vector<std::pair<std::string, std::string>>;  // path, content

std::string MakeTar(const Entries& entries);
std::string Gzip(std::string_view bytes);

// Rows of a CIFAR batch.
struct CifarRows {
  std::vector<int> labels;
  std::vector<std::string> planes;  // 3072 bytes each: red, green, blue
};

// `count` rows of pseudo-random pixels, labels i % classes; another `salt` gives other pixels.
CifarRows MakeRows(int count, int classes, int salt);

// A batch as the official archives hold it. Binary: the label bytes (CIFAR-100: a coarse label first), then the planes.
std::string BinaryBatch(const CifarRows& rows, bool cifar100);

// The pickle of the python version. Protocol 2 as Python 2 wrote the official batches, or protocol 4 as Python 3
// rewrites them.
std::string PythonBatch(const CifarRows& rows, const std::string& labels_key, int protocol = 2);

// All files of the official archive of either CIFAR, `per_file` rows in each of the batches. The same rows in both
// versions.
Entries CifarEntries(bool cifar100, bool binary, int per_file);

}  // namespace pdarts::test
