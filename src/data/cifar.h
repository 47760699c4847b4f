// CIFAR-10 and CIFAR-100 (Krizhevsky 2009), binary and python version, from an archive or an unpacked folder.
#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace pdarts::data {

// Whether a folder holds the batch files of CIFAR, itself or in the subfolder of the official archives.
bool IsCifarFolder(const std::filesystem::path& folder);

// Opens an archive (.tar.gz or .tar) or a folder. `expected` is "cifar10", "cifar100" or "" for whichever it is. Limits
// as in DatasetSpec. Throws a data error for what is damaged, incomplete or another dataset.
Splits OpenCifar(const std::filesystem::path& path, const std::string& expected, int64_t train_limit,
                 int64_t test_limit);

// The archive or folder of `name` under a folder: by the names of the official archives. Empty where there is none.
std::filesystem::path FindCifar(const std::filesystem::path& folder, const std::string& name);

}  // namespace pdarts::data
