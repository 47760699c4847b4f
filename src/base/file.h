// Files: whole reads, and writes that either happen completely or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pdarts::base {

// The whole file. Throws a data error where it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

// Writes to a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder: after a crash the
// old or the new content stands there, never a mixture. Throws a data error (no space, no permission) and leaves `path`
// as it was.
void WriteFileAtomically(const std::filesystem::path& path, std::string_view content);

// Appends one record and syncs; for logs of lines (metrics.jsonl).
void AppendToFile(const std::filesystem::path& path, std::string_view content);

// Makes the folder and its parents. Throws a data error where it cannot.
void MakeFolder(const std::filesystem::path& path);

}  // namespace pdarts::base
