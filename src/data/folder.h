// Folders of class folders: train/<class>/*, and val|test/<class>/*, with PNG or JPEG files.
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace pdarts::data {

// Images of one size up to 64 pixels are held in memory at that size, with mean and sd computed. Otherwise files are
// read when they are asked for: shorter side resized and centre cut to spec.image_size (224 by default; the resize to
// 8/7 of it, as 256 for 224), and ImageNet's mean and sd. Classes are the folders' names in sorted order. Throws a data
// error where a needed split is absent or empty, where the splits' classes differ, or where a small file cannot be
// decoded.
Splits OpenClassFolders(const std::filesystem::path& path, const DatasetSpec& spec);

}  // namespace pdarts::data
