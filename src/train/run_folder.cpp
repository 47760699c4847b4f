#include "train/run_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace pdarts::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool IsEmptyOrMissing(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return true;
  return fs::is_directory(path, error) && fs::is_empty(path, error) && !error;
}

// What a killed run can leave beside its files: the temporary of a write that never ended.
bool IsTemporary(const fs::path& file) {
  const std::string name = file.filename().string();
  const size_t dot = name.rfind(".tmp");
  return dot != std::string::npos && dot + 4 < name.size() &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 4, name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

void RemoveTemporaries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (IsTemporary(entry.path())) found.push_back(entry.path());
  }
  for (const fs::path& file : found) fs::remove(file, error);  // a leftover that stays does no harm
}

void CheckSameConfig(const Json& stored, const Json& config, const std::vector<std::string>& may_differ,
                     const fs::path& file) {
  const auto skipped = [&](const std::string& key) {
    return std::find(may_differ.begin(), may_differ.end(), key) != may_differ.end();
  };
  const auto text = [](const Json& json, const std::string& key) {
    return json.contains(key) ? json[key].dump() : std::string("absent");
  };
  std::vector<std::string> keys;
  for (const auto& [key, value] : config.items()) keys.push_back(key);
  for (const auto& [key, value] : stored.items()) {
    if (!config.contains(key)) keys.push_back(key);
  }
  for (const std::string& key : keys) {
    if (skipped(key) || text(stored, key) == text(config, key)) continue;
    if (key == "data_digest")
      throw base::DataError("the images are not those the run was started with", file.string(),
                            "give the same images with --data, or start another run in another folder");
    throw base::UsageError(
        fmt::format("the run to resume has {} = {}, not {}", key, text(stored, key), text(config, key)), file.string(),
        "leave that option out, or start another run in another folder");
  }
}

}  // namespace

RunFolder::RunFolder(fs::path path, const Json& config, bool resume, const std::vector<std::string>& may_differ)
    : path_(std::move(path)) {
  if (path_.empty()) throw base::UsageError("a run needs an output folder", "--out", "give --out DIR");
  if (resume && fs::is_directory(path_)) {
    RemoveTemporaries(path_);
    if (fs::exists(File(kConfigFile))) {
      CheckSameConfig(ReadConfig(path_), config, may_differ, File(kConfigFile));
      return;
    }
  }
  std::error_code ignored;
  if (fs::exists(path_, ignored) && !fs::is_directory(path_, ignored))
    throw base::DataError("the output folder is a file", path_.string(), "choose another folder with --out");
  if (!IsEmptyOrMissing(path_)) {
    const char* remedy = resume ? "--resume needs the folder of a run of pdarts"
                                : "choose another folder, or continue that run with --resume";
    throw base::DataError("the output folder exists and is not empty", path_.string(), remedy);
  }
  base::MakeFolder(path_);
  base::WriteFileAtomically(File(kConfigFile), config.dump(2) + "\n");
}

bool RunFolder::HasCheckpoint() const { return fs::exists(File(kCheckpointFile)); }

void RunFolder::AppendLine(std::string_view file, const Json& line) const {
  base::AppendToFile(File(file), line.dump() + "\n");
}

void RunFolder::CutLines(std::string_view file, int64_t lines) const {
  const fs::path path = File(file);
  const std::string content = fs::exists(path) ? base::ReadFile(path) : std::string();
  size_t end = 0;
  for (int64_t i = 0; i < lines; ++i) {
    const size_t newline = content.find('\n', end);
    if (newline == std::string::npos) {
      throw base::DataError(fmt::format("the log has {} lines, but the checkpoint was written after {}", i, lines),
                            path.string(), "put back the file that belongs to the checkpoint, or start another run");
    }
    end = newline + 1;
  }
  if (end < content.size()) base::WriteFileAtomically(path, std::string_view(content).substr(0, end));
}

double RunFolder::LoggedSeconds() const {
  std::istringstream lines(base::ReadFile(File(kMetricsFile)));
  double seconds = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("seconds"))
      throw base::DataError("a line is not an epoch's record", File(kMetricsFile).string(), "the log is damaged");
    seconds += json["seconds"].get<double>();
  }
  return seconds;
}

Json ReadConfig(const fs::path& run_folder) {
  const fs::path file = run_folder / kConfigFile;
  const std::string text = base::ReadFile(file);
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object())
    throw base::DataError("not a run's configuration", file.string(), "name the folder of a run of pdarts");
  return config;
}

}  // namespace pdarts::train
